import json
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.utils.timezone import now

from accounts.errors import Refused
from metering.billable import billable
from metering.billable_rules import set_billable, withdraw_billable
from metering.models import BillableRule, CustomMeter
from metering.names import VERDICTS
from tests.factories import audit_actions, make_organization, make_staff, make_stage, make_subscription
from tests.metering.factories import NOON, make_row, use

pytestmark = pytest.mark.django_db
ROOT = Path(__file__).resolve().parents[2]
HOUR = timedelta(hours=1)


def test_the_page_offers_every_verdict_of_the_gate() -> None:
    assert set(VERDICTS) == json.loads((ROOT / "gateway" / "verdicts.json").read_text()).keys()


def rule(organization: Any, at: Any, verdicts: Any = ("",), classes: Any = (2,)) -> BillableRule:
    """A rule that holds already, which no verb makes."""
    return BillableRule.objects.create(
        organization=organization, effective_from=at, verdicts=list(verdicts), status_classes=list(classes)
    )


def test_a_rule_holds_from_its_minute_on_and_for_its_provider_alone() -> None:
    stage, mine, others = make_stage(), make_subscription(), make_subscription()
    for subscription in (mine, others):
        for minute in (29, 30, 90):
            at = NOON + timedelta(minutes=minute)
            row = {"subscription": subscription.pk, "minute": at}
            use(
                make_row(stage, calls=1, **row),
                make_row(stage, calls=10, status_class=5, verdict="INTEGRATION_TIMEOUT", **row),
                make_row(stage, calls=100, status_class=4, **row),
                make_row(stage, calls=1_000, status_class=4, verdict="THROTTLED", **row),
            )

    def requests(subscription: Any, start: Any = NOON, end: Any = NOON + 3 * HOUR) -> Decimal:
        found = billable(subscription_ids=[mine.pk, others.pk], start=start, end=end)
        return found[subscription.pk].get((stage.version.api_id, "requests"), Decimal(0))

    assert requests(mine) == 333
    rule(mine.provider, NOON + timedelta(minutes=30))
    rule(mine.provider, NOON + HOUR, verdicts=("", "THROTTLED"), classes=(4,))
    assert (requests(mine), requests(others)) == (111 + 1 + 1_100, 333)
    assert requests(mine, start=NOON + timedelta(minutes=30), end=NOON + HOUR) == 1
    assert requests(mine, start=NOON + HOUR) == 1_100
    assert requests(mine, end=NOON + timedelta(minutes=30)) == 111
    rule(mine.provider, NOON, verdicts=())
    assert requests(mine, end=NOON + timedelta(minutes=30)) == 0


def test_a_rule_is_set_for_the_future_only_and_withdrawn_before_it_holds() -> None:
    provider = make_organization()
    made = set_billable(
        organization=provider, verdicts=["", "INTEGRATION_TIMEOUT"], status_classes=[5, 2, 2], actor=None
    )
    assert timedelta(0) < made.effective_from - now() <= timedelta(minutes=1)
    assert (made.verdicts, made.status_classes) == (["", "INTEGRATION_TIMEOUT"], [2, 5])
    withdraw_billable(rule=made, actor=None)
    assert audit_actions()[-2:] == ["billable_rule.created", "billable_rule.withdrawn"]
    with pytest.raises(Refused, match="holds already"):
        withdraw_billable(rule=rule(provider, now() - HOUR), actor=None)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"effective_from": NOON.replace(year=2020)}, "effective_from"),
        ({"effective_from": NOON.replace(year=2099, second=1)}, "effective_from"),
        ({"verdicts": ["so-so"]}, "verdicts"),
        ({"status_classes": [0]}, "status_classes"),
    ],
)
def test_a_rule_that_makes_no_sense_is_refused(change: dict[str, Any], field: str) -> None:
    fields = {"verdicts": [""], "status_classes": [2]} | change
    with pytest.raises(Refused) as refused:
        set_billable(organization=make_organization(), actor=None, **fields)
    assert refused.value.field == field


@pytest.fixture
def console(client: Any) -> Any:
    client.force_login(make_staff())
    return client


def test_staff_set_and_withdraw_a_rule_in_the_console(console: Any) -> None:
    provider = make_organization()
    form = {
        "organization": provider.pk,
        "verdicts": ["", "THROTTLED"],
        "status_classes": ["2", "4"],
        "effective_from_0": "2099-01-01",
        "effective_from_1": "00:00",
    }
    assert console.get("/admin/metering/billablerule/add/").status_code == 200
    answer = console.post("/admin/metering/billablerule/add/", form | {"effective_from_0": "2020-01-01"})
    assert b"A rule cannot hold for the past" in answer.content
    assert console.post("/admin/metering/billablerule/add/", form).status_code == 302
    made = BillableRule.objects.get()
    assert (made.verdicts, made.status_classes) == (["", "THROTTLED"], [2, 4])
    assert b"Accepted, THROTTLED" in console.get("/admin/metering/billablerule/").content
    assert b"Accepted, THROTTLED" in console.get(f"/admin/metering/billablerule/{made.pk}/change/").content
    console.post(f"/admin/metering/billablerule/{made.pk}/delete/", {"post": "yes"})
    assert not BillableRule.objects.exists()
    console.post("/admin/metering/billablerule/add/", form | {"effective_from_0": "", "effective_from_1": ""})
    assert BillableRule.objects.get().effective_from <= now() + timedelta(minutes=1)


def test_staff_make_and_archive_a_meter_in_the_console(console: Any) -> None:
    form = {
        "organization": make_organization().pk,
        "code": "tokens",
        "name": "Tokens",
        "unit": "token",
        "aggregation": "sum",
    }
    assert console.get("/admin/metering/custommeter/add/").status_code == 200
    assert console.post("/admin/metering/custommeter/add/", form).status_code == 302
    meter = CustomMeter.objects.get()
    assert console.get(f"/admin/metering/custommeter/{meter.pk}/change/").status_code == 200
    chosen = {"action": "archive", "_selected_action": [meter.pk]}
    console.post("/admin/metering/custommeter/", chosen)
    meter.refresh_from_db()
    assert meter.archived_at is not None
    for page in ("usagereconciliation", "usagegap", "usagebatch"):
        assert console.get(f"/admin/metering/{page}/").status_code == 200
