"""An invoice recomputed from its records: by Gatehouse, and by anybody with the bundle and plain Python."""

import subprocess
import sys
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from accounts.errors import Refused
from billing.audit.audit import audit
from billing.audit.bundle import make_bundle, write_files
from billing.expected import make_rater
from billing.models import Invoice, PriceOverride
from billing.rate_cards import set_price
from metering.chain.seal import seal_pending
from metering.models import BillableRule, CustomMeter, UsageDay, UsageHour, UsageMinute
from tests.billing.audit.factories import count_sealed, use_sealed
from tests.billing.factories import (
    NOVEMBER,
    OCTOBER,
    card_with,
    change_plan_at,
    close,
    close_one,
    each_at,
    make_priced_plan,
    make_rate_card,
    new_version,
    november,
    october,
    packages_at,
    pay_for,
    subscribed,
)
from tests.factories import make_organization, make_plan

GIB = 2**30
pytestmark = pytest.mark.django_db


def sql(text: str, *values: object) -> None:
    with connection.cursor() as cursor:
        cursor.execute(text, values)


def by_itself(invoice: Invoice, folder: Path) -> tuple[int, str]:
    """Run the bundle's program with nothing but Python; return its exit code and what it said."""
    write_files(make_bundle(invoice), folder)
    run = subprocess.run(
        [sys.executable, "-I", "-S", str(folder / "recompute.py")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert not run.stderr
    return run.returncode, run.stdout


@pytest.fixture
def invoice() -> Invoice:
    """AWS's prices, a base fee, two subscriptions of one customer."""
    plan = make_priced_plan(make_rate_card(base_fee="9.99"))
    one = subscribed(plan)
    other = subscribed(plan, one.organization, started_at=october(11))
    for day in (1, 2, 31):
        use_sealed(one, october(day), 123_456_789, bytes_out=70 * GIB + 1)
    use_sealed(other, october(15, 23), 456_789_123)
    use_sealed(other, october(16), 50, verdict="THROTTLED")
    return close_one(plan.organization)


def test_an_invoice_agrees_with_its_records(invoice: Invoice, tmp_path: Path, capsys) -> None:
    found = audit(invoice=invoice)
    assert (found.ok, found.findings, found.remarks) == (True, [], [])
    assert len(found.lines) == invoice.lines.count() > 5
    assert (found.records, found.seals) == (5, 5)
    call_command("audit_invoice", invoice.label)
    assert "Every line agrees." in capsys.readouterr().out
    code, said = by_itself(invoice, tmp_path)
    assert (code, said.count("ok ")) == (0, len(found.lines))


def test_one_changed_record_is_found(invoice: Invoice, tmp_path: Path, capsys) -> None:
    sql("UPDATE metering_usagehour SET calls = calls + 1000000 WHERE at = %s", october(2))
    found = audit(invoice=invoice)
    assert [finding["kind"] for finding in found.findings] == ["changed"]
    assert "sealed with calls 123456789" in found.findings[0]["text"]
    different = [line for line in found.lines if not line["ok"]]
    assert [line["item"].split(":")[2] for line in different] == ["requests"]
    billed, again = different[0]["billed"], different[0]["recomputed"]
    assert Decimal(again["quantity"]) - Decimal(billed["quantity"]) == 1_000_000
    with pytest.raises(SystemExit, match="1"):
        call_command("audit_invoice", str(invoice.number), f"--provider={invoice.organization_id}")
    assert "DIFFERS" in capsys.readouterr().out
    code, said = by_itself(invoice, tmp_path)
    assert code == 1
    assert found.findings[0]["text"] in said


def test_a_deleted_and_an_added_record_are_found(invoice: Invoice) -> None:
    values = UsageHour.objects.filter(at=october(1)).values().get()
    UsageHour.objects.filter(at=october(31)).delete()
    UsageHour.objects.create(**values | {"at": october(20)})
    found = audit(invoice=invoice)
    assert sorted(finding["kind"] for finding in found.findings) == ["added", "missing"]
    assert not found.ok


def test_a_bill_that_other_records_were_used_for_is_found() -> None:
    """Bills read days; somebody changed one before the month was closed."""
    subscription = subscribed(make_priced_plan(card_with(price=each_at("1"))))
    use_sealed(subscription, october(5), 10)
    UsageDay.objects.update(calls=11)
    found = audit(invoice=close_one(subscription.provider))
    assert (found.ok, found.findings) == (False, [])
    assert [(line["billed"]["amount"], line["recomputed"]["amount"]) for line in found.lines] == [
        ("11", "10")
    ]


BROKEN = {
    "broken": "UPDATE metering_usageseal SET sealed_at = sealed_at + interval '1 s' WHERE number = 2",
    "gap": "DELETE FROM metering_usageseal WHERE number = 2",
    "unlinked": "UPDATE metering_usageseal SET previous = hash WHERE number = 3",
    "head": "UPDATE metering_usageseal SET hash = repeat('0', 64) WHERE number = 5",
}


@pytest.mark.parametrize("kind", BROKEN)
def test_a_broken_chain_is_found(invoice: Invoice, kind: str) -> None:
    sql("ALTER TABLE metering_usageseal DISABLE TRIGGER usage_seal_stays")
    sql(BROKEN[kind].replace("%", "%%"))
    sql("ALTER TABLE metering_usageseal ENABLE TRIGGER usage_seal_stays")
    assert kind in {finding["kind"] for finding in audit(invoice=invoice).findings}


def test_a_month_in_parts_with_late_use_and_corrections() -> None:
    card = card_with(price=packages_at("15", 10))
    subscription = subscribed(make_priced_plan(card))
    provider = subscription.provider
    use_sealed(subscription, october(2), 17, seal=False)
    made = [close_one(provider, at=october(2, 13))]
    use_sealed(subscription, october(2), 5)
    made += close(provider)
    use_sealed(subscription, october(2), 9)
    use_sealed(subscription, november(3), 1)
    made += close(provider, period=NOVEMBER, at=NOVEMBER.end)
    use_sealed(subscription, october(2), 100, seal=False)
    assert len(made) == 3
    for invoice in made:
        found = audit(invoice=invoice)
        assert found.ok, found.raw
        assert found.remarks
    seal_pending()
    assert all(audit(invoice=invoice).ok for invoice in made)


def test_what_is_counted_while_a_month_is_closed_is_sealed_before_it_is_billed(monkeypatch: Any) -> None:
    subscription = subscribed(make_priced_plan(card_with(price=each_at("1"))))
    use_sealed(subscription, october(2), 17)

    def count_meanwhile(**given: Any) -> Any:
        if not came:
            came.append(use_sealed(subscription, october(3), 4, seal=False))
        return make_rater(**given)

    came: list[None] = []
    monkeypatch.setattr("billing.closing.make_rater", count_meanwhile)
    found = audit(invoice=close_one(subscription.provider))
    assert found.ok, found.raw
    assert [line["billed"]["quantity"] for line in found.lines] == ["21"]


def test_changes_in_mid_hour_are_recomputed_from_minutes(tmp_path: Path) -> None:
    volume = {
        "model": "volume",
        "tiers": [{"up_to": "15", "unit_price": "10"}, {"up_to": None, "unit_price": "5"}],
    }
    card = card_with(price=each_at("1", 5), base_fee="31", maximum="400")
    new_version(card, october(16) + timedelta(minutes=20), base_fee="62", price=volume)
    subscription = subscribed(make_priced_plan(card))
    for minutes in (5, 19, 20, 59):
        use_sealed(subscription, october(16) + timedelta(minutes=minutes), 10)
    other = card_with(subscription.provider, name="Other", price=each_at("2"))
    change_plan_at(subscription, make_priced_plan(other), october(20) + timedelta(minutes=7))
    for minutes in (0, 30):
        use_sealed(subscription, october(20) + timedelta(minutes=minutes), 3)
    invoice = close_one(subscription.provider)
    assert by_itself(invoice, tmp_path)[0] == 0
    UsageMinute.objects.filter(at=october(20) + timedelta(minutes=30)).update(calls=2)
    found = audit(invoice=invoice)
    assert [finding["kind"] for finding in found.findings] == ["minutes"]


def test_children_discounts_trials_and_free_plans() -> None:
    parent, child = make_organization(), make_organization()
    card = card_with(price=each_at("0.01", 100), base_fee="5", minimum="40", trial_days=3)
    set_price(rate_card=card, meter="bytes_out", actor=None, **each_at("0.09"))
    plan = make_priced_plan(card)
    pay_for(child, parent, october(1))
    for whose, start in ((parent, october(2)), (child, october(4, 7))):
        subscription = subscribed(plan, whose, started_at=start)
        for day in (4, 9, 20):
            use_sealed(subscription, october(day), 333, bytes_out=12_345_678_901)
    use_sealed(subscribed(make_plan(organization=plan.organization), child), october(9), 77)
    own = {"organization": plan.organization, "customer": parent, "rate_card": card}
    PriceOverride.objects.create(**own, meter="", percent="12.5", starts_at=october(5, 0))
    tiers = [{"up_to": None, "unit_price": "0.005", "flat_fee": "0"}]
    PriceOverride.objects.create(
        **own,
        meter="requests",
        model="per_unit",
        tiers=tiers,
        starts_at=october(12, 0),
        ends_at=october(25, 0),
    )
    invoice = close_one(plan.organization)
    assert invoice.customer == parent
    found = audit(invoice=invoice)
    assert found.ok, found.raw
    kinds = {line["item"].split(":")[0] for line in found.lines}
    assert {"fee", "usage", "trial", "discount"} <= kinds


def test_a_half_hour_time_zone_and_each_subscription_for_itself() -> None:
    card = card_with(price=each_at("1", 2), tiers_over="subscription", minimum="90", proration="day")
    card.organization.timezone = "Asia/Kolkata"
    card.organization.save()
    subscription = subscribed(make_priced_plan(card))
    for minutes in (29, 30):  # the month begins at 18:30 UTC
        use_sealed(subscription, OCTOBER.start - timedelta(hours=6) + timedelta(minutes=minutes), 10)
    from billing.periods import month

    found = audit(invoice=close_one(card.organization, period=month(2026, 10, "Asia/Kolkata")))
    assert found.ok, found.raw
    assert found.lines


def test_an_invoice_below_zero_and_fees_in_advance() -> None:
    volume = {
        "model": "volume",
        "tiers": [{"up_to": "15", "unit_price": "10"}, {"up_to": None, "unit_price": "5"}],
    }
    subscription = subscribed(make_priced_plan(card_with(price=volume)))
    for day, calls in ((2, 15), (3, 1)):
        use_sealed(subscription, october(day), calls)
        below = close_one(subscription.provider, at=october(day, 20))
    assert below.total == 0
    assert audit(invoice=below).ok
    advance = subscribed(
        make_priced_plan(card_with(price=each_at("1"), base_fee="7", base_fee_in_advance=True))
    )
    use_sealed(advance, october(2), 5)
    invoice = close_one(advance.provider)
    use_sealed(advance, november(1, 1), 5)
    assert audit(invoice=invoice).ok


def test_what_cannot_be_recomputed_says_so(invoice: Invoice) -> None:
    del invoice.frozen["seals"]
    with pytest.raises(Refused, match="was made before"):
        audit(invoice=invoice)
    with pytest.raises(CommandError, match="no invoice 77"):
        call_command("audit_invoice", "77")
    with pytest.raises(CommandError, match="no invoice"):
        call_command("audit_invoice", "nosuch")
    with pytest.raises(Refused, match="draft"):
        audit(invoice=Invoice(state="draft"))


def test_a_providers_own_meters_and_its_rule_of_what_is_billed() -> None:
    card = card_with(price=each_at("1"))
    CustomMeter.objects.create(organization=card.organization, code="messages", name="Messages")
    set_price(rate_card=card, meter="messages", actor=None, **packages_at("3", 10))
    new_version(card, october(12, 0), price=each_at("2"))
    subscription = subscribed(make_priced_plan(card))
    provider = subscription.provider
    BillableRule.objects.create(
        organization=provider,
        effective_from=october(5) + timedelta(minutes=30),
        verdicts=["", "THROTTLED"],
        status_classes=[4],
    )
    for minutes, verdict in ((10, ""), (40, ""), (41, "THROTTLED")):
        use_sealed(subscription, october(5) + timedelta(minutes=minutes), 5 + minutes, verdict=verdict)
    for day, value in ((3, 4), (13, 17)):
        count_sealed(subscription, october(day), messages=value)
    invoice = close_one(provider)
    found = audit(invoice=invoice)
    assert found.ok, found.raw
    # 15 calls before the rule and 46 throttled ones since; 21 messages in two versions
    assert {line["billed"]["quantity"] for line in found.lines} == {"61", "4", "17"}
    assert found.remarks == []
