"""Lines of cache-hours and of providers' own meters are recomputed, too, and one changed record of each is found."""

from datetime import timedelta
from pathlib import Path

import pytest

from access.models import Subscription
from billing.audit.audit import audit
from billing.audit.bundle import make_bundle
from billing.models import Invoice, RateCard
from billing.rate_cards import set_price
from metering.cache_hours import count_cache_hours
from metering.chain.seal import seal_pending
from metering.events import Event, take_events
from metering.meters import create_meter
from metering.models import MeterRecord
from tests.billing.audit.factories import count_sealed, use_sealed
from tests.billing.audit.test_audit import by_itself
from tests.billing.factories import (
    NOVEMBER,
    card_with,
    close,
    close_one,
    each_at,
    make_priced_plan,
    new_version,
    october,
    packages_at,
    subscribed,
)
from tests.factories import make_deployment, make_stage, make_version

pytestmark = pytest.mark.django_db
HOWS = ("sum", "max", "last", "unique_count")
CACHE = {"cache": {"ttl": 60, "keys": []}}


def make_card() -> RateCard:
    """Prices of calls, of a cache, and of a meter of each kind."""
    card = card_with(price=each_at("1"))
    for how in HOWS:
        create_meter(organization=card.organization, code=how, name=how, aggregation=how, actor=None)
        set_price(rate_card=card, meter=how, actor=None, **each_at("0.5", 1))
    set_price(rate_card=card, meter="cache_hours", actor=None, **packages_at("3", 2))
    return card


@pytest.fixture
def subscription() -> Subscription:
    """One that is charged for all of these."""
    version = make_version()
    compiled = {"operations": [{"id": "op00000001", "policy": {}}], "trie": {}}
    stage = make_stage(version, deployment=make_deployment(version, compiled=compiled), policy=CACHE)
    plan = make_priced_plan(make_card())
    plan.plan_stages.create(stage=stage, organization=plan.organization)
    return subscribed(plan)


def october_of(subscription: Subscription) -> Invoice:
    use_sealed(subscription, october(2), 7)
    for minutes, value in ((0, "2.5"), (20, "9"), (40, "4"), (41, "4")):
        at = october(5) + timedelta(minutes=minutes)
        count_sealed(subscription, at, seal=False, **dict.fromkeys(HOWS, value))
    for hour in (3, 4, 9):
        assert count_cache_hours(at=october(6, hour) + timedelta(minutes=10)) == 1
    seal_pending(at=october(7))
    return close_one(subscription.provider)


def quantities(invoice: Invoice) -> dict[str, str]:
    found = audit(invoice=invoice)
    assert (found.ok, found.findings) == (True, []), found.raw
    return {
        line["item"].split(":")[2]: line["recomputed"]["quantity"]
        for line in found.lines
        if line["item"].split(":")[4] == "1"
    }


def test_every_line_is_recomputed_from_its_records(subscription: Subscription, tmp_path: Path) -> None:
    invoice = october_of(subscription)
    found = audit(invoice=invoice)
    assert (found.ok, found.findings, found.remarks) == (True, [], [])
    assert len(found.lines) == invoice.lines.count() == 1 + 4 * 2 + 1
    billed = {"sum": "18.5", "max": "8", "last": "3", "unique_count": "2"}
    assert quantities(invoice) == billed | {"requests": "7", "cache_hours": "3"}
    # one seal of the call's hour, one of the events', three of the cache's
    assert (found.records, found.seals) == (1 + 3 * 3 + 3 + 3, 5)
    code, said = by_itself(invoice, tmp_path)
    assert (code, said.count("ok ")) == (0, len(found.lines))


@pytest.mark.parametrize("meter", [*HOWS, "cache_hours"])
def test_one_changed_record_of_each_kind_is_found(
    subscription: Subscription, meter: str, tmp_path: Path
) -> None:
    invoice = october_of(subscription)
    record = MeterRecord.objects.filter(meter=meter).order_by("at").last()
    assert record is not None
    if meter == "unique_count":
        record.part = "f" * 64
        record.pk = None  # another value, that nobody ever sent
    record.value += 6
    record.save()
    found = audit(invoice=invoice)
    assert [each["kind"] for each in found.findings] == ["added" if meter == "unique_count" else "changed"]
    assert f"meter {meter}" in found.findings[0]["text"]
    assert {line["item"].split(":")[2] for line in found.lines if not line["ok"]} == {meter}
    code, said = by_itself(invoice, tmp_path)
    assert code == 1
    assert found.findings[0]["text"] in said


def test_a_deleted_record_is_found(subscription: Subscription) -> None:
    invoice = october_of(subscription)
    MeterRecord.objects.filter(meter="cache_hours").order_by("at")[0].delete()
    found = audit(invoice=invoice)
    assert [each["kind"] for each in found.findings] == ["missing"]
    assert [line["recomputed"]["quantity"] for line in found.lines if not line["ok"]] == ["2"]


def test_late_events_count_in_their_own_month_and_on_the_next_invoice(subscription: Subscription) -> None:
    first = october_of(subscription)
    late = [
        Event(f"late-{how}", "tests", how, subscription.pk, "100", october(5) + timedelta(minutes=44))
        for how in HOWS
    ]
    assert all(take_events(organization=subscription.provider, events=late, at=october(31, 23)))
    waiting = audit(invoice=first)
    assert (waiting.ok, len(waiting.remarks)) == (True, 1)
    (second,) = close(subscription.provider, period=NOVEMBER, at=NOVEMBER.end)
    assert {"late counts of October 2026" in line.description for line in second.lines.all()} == {True}
    more = {"sum": "100", "max": "91", "last": "96", "unique_count": "1"}
    assert quantities(second) == more
    # the one before stays as it was: what came since is left out
    assert quantities(first)["sum"] == "18.5"
    assert "4 records were counted after the invoice was made" in audit(invoice=first).remarks[0]


def test_versions_and_time_zones_cut_quarters_of_an_hour() -> None:
    card = make_card()
    new_version(card, october(12), price=each_at("2"))
    subscription = subscribed(make_priced_plan(card))
    for minutes in (-15, -1, 0, 14):
        count_sealed(subscription, october(12) + timedelta(minutes=minutes), sum="10")
    invoice = close_one(subscription.provider)
    assert sorted(line.quantity for line in invoice.lines.all()) == [1, 19, 20]
    assert audit(invoice=invoice).ok


def test_an_invoice_from_before_they_were_sealed_is_taken_as_billed(subscription: Subscription) -> None:
    invoice = october_of(subscription)
    del invoice.frozen["meters"]
    assert list(make_bundle(invoice).meters()) == []
    found = audit(invoice=invoice)
    assert found.ok
    assert len(found.remarks) == 5
    assert all("were not sealed" in remark for remark in found.remarks)
