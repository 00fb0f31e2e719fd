"""One changed, added or deleted record is found and named; so is a chain that somebody worked on."""

from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from access.models import Subscription
from metering.chain.seal import seal_pending
from metering.chain.verify import Finding, verify
from metering.models import UsageHour, UsageMark
from tests.factories import make_stage, make_subscription
from tests.metering.factories import NOON, make_row, use

HOUR = timedelta(hours=1)
pytestmark = pytest.mark.django_db


@pytest.fixture
def subscription() -> Subscription:
    """One with four sealed hours."""
    stage, made = make_stage(), make_subscription()
    for hours in range(4):
        use(make_row(stage, subscription=made.pk, calls=3, operation="op1", minute=NOON + hours * HOUR))
    assert seal_pending(at=NOON + 4 * HOUR) == 4
    return made


def sql(text: str, *values: object) -> None:
    """Do it to the database, past its triggers."""
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE metering_usageseal DISABLE TRIGGER usage_seal_stays")
        cursor.execute(text, values)
        cursor.execute("ALTER TABLE metering_usageseal ENABLE TRIGGER usage_seal_stays")


def findings(subscription: Subscription) -> list[Finding]:
    return verify(organization_id=subscription.organization_id).findings


def test_all_is_well_where_nobody_changed_anything(subscription: Subscription) -> None:
    report = verify(organization_id=subscription.organization_id)
    assert (report.findings, report.seals, report.records, report.unsealed) == ([], 4, 4, 0)
    call_command("verify_usage")


def test_a_changed_record_is_found(subscription: Subscription) -> None:
    sql("UPDATE metering_usagehour SET calls = 2 WHERE at = %s", NOON + HOUR)
    (found,) = findings(subscription)
    assert (found.kind, found.number, found.at) == ("changed", 2, NOON + HOUR)
    assert found.record["operation_id"] == "op1"
    assert (found.sealed, found.found) == ({"calls": "3"}, {"calls": "2"})
    assert "was calls 3 when it was sealed, and is calls 2" in str(found)
    with pytest.raises(CommandError, match="1 differences"):
        call_command("verify_usage", f"--organization={subscription.organization_id}")
    assert verify(organization_id=subscription.organization_id, end=NOON + HOUR).is_good


def test_a_deleted_record_is_found(subscription: Subscription) -> None:
    sql("DELETE FROM metering_usagehour WHERE at = %s", NOON + 3 * HOUR)
    (found,) = findings(subscription)
    assert (found.kind, found.number, found.sealed["calls"]) == ("missing", 4, "3")
    assert "is missing" in str(found)


@pytest.mark.parametrize("hours", [1, 9])
def test_an_added_record_is_found(subscription: Subscription, hours: int) -> None:
    values = UsageHour.objects.filter(at=NOON).values().get()
    UsageHour.objects.create(**values | {"at": NOON + hours * HOUR, "operation_id": "op2"})
    (found,) = findings(subscription)
    assert (found.kind, found.number, found.record["operation_id"]) == ("added", None, "op2")
    assert "was never sealed" in str(found)


def test_a_record_given_to_another_provider_is_found(subscription: Subscription) -> None:
    sql("UPDATE metering_usagehour SET organization_id = 'other' WHERE at = %s", NOON)
    assert findings(subscription)[0].found == {"organization_id": "other"}


def test_late_counts_add_and_never_take_away(subscription: Subscription) -> None:
    for hours in range(3):
        UsageMark.objects.create(organization_id=subscription.organization_id, at=NOON + hours * HOUR)
    sql("UPDATE metering_usagehour SET calls = 4 WHERE at = %s", NOON)
    sql("UPDATE metering_usagehour SET calls = 2 WHERE at = %s", NOON + HOUR)
    sql("DELETE FROM metering_usagehour WHERE at = %s", NOON + 2 * HOUR)
    assert [(found.kind, found.at) for found in findings(subscription)] == [
        ("changed", NOON + HOUR),
        ("missing", NOON + 2 * HOUR),
    ]


BROKEN = [
    ("UPDATE metering_usageseal SET at = at + interval '9 hours' WHERE number = 2", "broken", 2),
    ("UPDATE metering_usageseal SET hash = repeat('0', 64) WHERE number = 4", "broken", 4),
    ("UPDATE metering_usageseal SET previous = repeat('0', 64) WHERE number = 3", "unlinked", 3),
    ("DELETE FROM metering_usageseal WHERE number = 1", "gap", 1),
    ("DELETE FROM metering_usageseal WHERE number = 2", "gap", 2),
    ("DELETE FROM metering_usageseal WHERE number = 4", "gap", 4),
]


@pytest.mark.parametrize(("text", "kind", "number"), BROKEN)
def test_a_chain_that_somebody_worked_on_is_found(
    subscription: Subscription, text: str, kind: str, number: int
) -> None:
    sql(text)
    assert (kind, number) in [(found.kind, found.number) for found in findings(subscription)]


def test_a_seal_written_anew_with_its_hash_breaks_the_next(subscription: Subscription) -> None:
    from metering.chain.seal import hash_of
    from metering.models import UsageSeal

    seal = UsageSeal.objects.get(number=2)
    seal.content["records"][0][-2] = "1"
    sql("DELETE FROM metering_usageseal WHERE number = 2")
    seal.hash = hash_of(seal)
    seal.save(force_insert=True)
    kinds = [(found.kind, found.number) for found in findings(subscription)]
    assert kinds == [("unlinked", 3), ("changed", 2)]
