"""One changed, added or deleted record is found and named; so is a chain that somebody worked on."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from access.models import Subscription
from metering.chain.seal import seal_pending
from metering.chain.verify import Finding, verify
from metering.events import Event, take_events
from metering.meters import create_meter
from metering.models import MeterRecord, UsageHour, UsageMark
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


@pytest.fixture
def metered() -> Subscription:
    """One with two sealed events of a provider's own meter and a sealed cache-hour."""
    made = make_subscription()
    create_meter(organization=made.provider, code="messages", name="Messages", aggregation="max", actor=None)
    report(made, "one", "5", NOON)
    report(made, "two", "7", NOON + timedelta(minutes=50))
    MeterRecord.objects.create(
        organization_id=made.provider_id,
        developer_id=made.organization_id,
        application_id=made.application_id,
        subscription_id=made.pk,
        api_id="api0000001",
        meter="cache_hours",
        part="stage00001",
        at=NOON,
        value=1,
        last_at=NOON,
    )
    assert seal_pending(at=NOON + HOUR) == 1
    return made


def report(subscription: Subscription, name: str, value: str, at: datetime) -> None:
    event = Event(name, "tests", "messages", subscription.pk, value, at)
    assert take_events(organization=subscription.provider, events=[event], at=at) == [True]


def test_what_other_meters_counted_is_checked_by_the_same_chain(metered: Subscription) -> None:
    report_ = verify(organization_id=metered.organization_id)
    assert (report_.findings, report_.seals, report_.records) == ([], 1, 3)


@pytest.mark.parametrize("meter", ["messages", "cache_hours"])
def test_one_changed_record_of_a_meter_is_found(metered: Subscription, meter: str) -> None:
    which = MeterRecord.objects.filter(meter=meter, at=NOON)
    which.update(value=6)
    (found,) = findings(metered)
    assert (found.kind, found.number, found.record["meter"]) == ("changed", 1, meter)
    assert found.found == {"value": "6.000000000000"}
    which.delete()
    assert [each.kind for each in findings(metered)] == ["missing"]


def test_late_events_are_no_change_but_another_value_beside_them_is(metered: Subscription) -> None:
    report(metered, "late", "1", NOON + timedelta(minutes=3))
    assert findings(metered) == []
    MeterRecord.objects.filter(meter="cache_hours").update(value=2)
    assert [each.record["meter"] for each in findings(metered)] == ["cache_hours"]
    MeterRecord.objects.filter(meter="cache_hours").update(value=1)
    assert seal_pending(at=NOON + HOUR) == 1
    assert verify(organization_id=metered.organization_id).is_good


def test_a_late_event_does_not_seal_hours_as_gone_whose_time_is_over(
    subscription: Subscription, settings: Any, monkeypatch: Any
) -> None:
    settings.USAGE_KEEP_HOURS_DAYS = 37
    UsageHour.objects.all().delete()
    long_after = NOON + timedelta(days=400)
    UsageMark.objects.create(organization_id=subscription.organization_id, at=NOON)
    monkeypatch.setattr("metering.chain.seal.now", lambda: long_after)
    assert seal_pending() == 0
