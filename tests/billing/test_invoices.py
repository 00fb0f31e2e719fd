"""Closing a month makes invoices: a line for each tier, each unit once, numbers without gaps."""

from datetime import timedelta
from decimal import Decimal

import pytest

from access.models import SubscriptionState
from accounts.errors import Refused
from billing.invoices import void
from billing.models import Invoice, InvoiceLine, InvoiceState
from billing.rate_cards import change_rate_card, set_price
from tests.billing.factories import (
    GIB,
    NOVEMBER,
    OCTOBER,
    amounts,
    close,
    close_one,
    make_priced_plan,
    make_rate_card,
    november,
    october,
    subscribed,
    use,
)
from tests.factories import audit_actions, make_organization, make_plan

pytestmark = pytest.mark.django_db
D = Decimal


def test_an_invoice_has_the_base_fee_and_a_line_for_each_tier(pro):
    subscription = subscribed(pro)
    use(subscription, october(3), 333_000_000, 60 * GIB)
    use(subscription, october(30), 1_000_000, 60 * GIB)
    invoice = close_one(pro.organization)
    label = f"{subscription.application.name}, Pro: "
    lines = invoice.lines.values_list("description", "tier", "quantity", "unit_price", "amount")
    assert list(lines) == [
        (label + "Base fee", None, D(1), D(10), D(10)),
        (label + "Requests, first 333,000,000", 1, D(333_000_000), D("0.0000035"), D("1165.5")),
        (
            label + "Requests, above 333,000,000 up to 1,000,000,000",
            2,
            D(1_000_000),
            D("0.0000028"),
            D("2.8"),
        ),
        (label + "Data out, first 100 GiB free", 0, D(100), D(0), D(0)),
        (label + "Data out, first 10,240 GiB", 1, D(20), D("0.09"), D("1.8")),
    ]
    assert invoice.total == D("1180.1")
    assert (invoice.state, invoice.number, invoice.part) == (InvoiceState.FINALIZED, 1, 1)
    assert (invoice.period_start, invoice.period_end) == (OCTOBER.start, OCTOBER.end)
    assert (invoice.organization, invoice.customer) == (pro.organization, subscription.organization)


def test_amazons_published_example_is_an_invoice_of_18_79():
    card = make_rate_card()
    set_price(rate_card=card, meter="bytes_out", tiers=[{"up_to": None, "unit_price": "0.09"}], actor=None)
    subscription = subscribed(make_priced_plan(card))
    use(subscription, october(9), 5_000_000, 5_000_000 * 3 * 1024)
    invoice = close_one(card.organization)
    assert amounts(invoice) == [D("17.50"), D("1.29")]
    assert invoice.total == D("18.79")


def test_every_line_can_be_recomputed_from_what_it_shows(pro):
    for calls, size in [(1_234_567, 7 * GIB + 12_345), (999_999_999, 250 * GIB + 1)]:
        use(subscribed(pro), october(5), calls, size)
    for line in InvoiceLine.objects.filter(invoice__in=close(pro.organization)):
        assert line.amount == (line.quantity * line.unit_price + line.flat_fee).quantize(
            D("0.01"), "ROUND_HALF_UP"
        )


def test_the_bytes_of_an_invoice_can_be_told_to_the_byte(pro):
    used = 123_456_789_012_345
    use(subscribed(pro), october(5), 1, used)
    invoice = close_one(pro.organization)
    gib = sum(line.quantity for line in invoice.lines.filter(meter="bytes_out"))
    assert round(gib * GIB) == used


def test_refused_calls_are_not_billed(pro):
    subscription = subscribed(pro)
    use(subscription, october(5), 2_000_000)
    use(subscription, october(5), 5_000_000, verdict="THROTTLED")
    invoice = close_one(pro.organization)
    assert invoice.lines.get(meter="requests").quantity == 2_000_000


def test_only_the_months_own_usage_is_billed(pro):
    subscription = subscribed(pro)
    use(subscription, OCTOBER.start - timedelta(minutes=1), 5)
    use(subscription, OCTOBER.start, 1_000)
    use(subscription, OCTOBER.end - timedelta(minutes=1), 100)
    use(subscription, OCTOBER.end, 7)
    assert close_one(pro.organization).lines.get(meter="requests").quantity == 1_100


def test_months_are_the_providers_own():
    provider = make_organization(timezone="America/New_York")
    plan = make_priced_plan(make_rate_card(provider))
    subscription = subscribed(plan)
    from billing.periods import month

    period = month(2026, 10, "America/New_York")
    use(subscription, october(1, hour=2), 5)  # still September in New York
    use(subscription, november(1, hour=2), 9)  # still October
    invoice = close_one(provider, period=period, at=period.end + timedelta(hours=1))
    assert invoice.lines.get(meter="requests").quantity == 9
    assert invoice.frozen["month"] == {"name": "2026-10", "timezone": "America/New_York"}


def test_closing_twice_makes_nothing_new(pro):
    use(subscribed(pro), october(5), 1_000_000)
    assert len(close(pro.organization)) == 1
    assert close(pro.organization) == []
    assert close(pro.organization, corrections=False) == []
    assert Invoice.objects.count() == 1


def test_without_usage_and_fee_there_is_no_invoice():
    plan = make_priced_plan()
    subscribed(plan)
    assert close(plan.organization) == []
    assert "period.closed" not in audit_actions()


def test_usage_of_a_free_plan_gives_an_invoice_of_zero():
    plan = make_plan(name="Free")
    use(subscribed(plan), october(5), 42, 1_000)
    invoice = close_one(plan.organization)
    assert (invoice.total, invoice.currency) == (D(0), "USD")
    assert [(line.meter, line.quantity, line.amount) for line in invoice.lines.filter(meter="requests")] == [
        ("requests", D(42), D(0))
    ]


def test_a_plan_can_charge_a_fee_only():
    from billing.rate_cards import create_rate_card

    card = create_rate_card(organization=make_organization(), name="Flat", base_fee="5", actor=None)
    use(subscribed(make_priced_plan(card)), october(5), 3)
    invoice = close_one(card.organization)
    assert [(line.meter, line.amount) for line in invoice.lines.all()] == [("", D(5)), ("requests", D(0))]


def test_a_subscription_pays_its_base_fee_for_the_months_it_was_there(pro):
    change_rate_card(rate_card=pro.price.rate_card, proration="none", actor=None)
    there = subscribed(pro, started_at=october(31))
    subscribed(pro, started_at=november(1))
    subscribed(pro, ended_at=OCTOBER.start - timedelta(days=1), state=SubscriptionState.CANCELLED)
    subscribed(pro, state=SubscriptionState.PENDING)
    declined = october(7)
    subscribed(pro, started_at=declined, ended_at=declined, state=SubscriptionState.CANCELLED)
    left = subscribed(pro, ended_at=october(2), state=SubscriptionState.CANCELLED)
    billed = {
        line.subscription_id for line in InvoiceLine.objects.filter(invoice__in=close(pro.organization))
    }
    assert billed == {there.pk, left.pk}


def test_two_applications_of_a_customer_share_an_invoice_and_its_tiers(pro):
    customer = make_organization()
    first, second = (subscribed(pro, customer) for _ in range(2))
    use(first, october(5), 200_000_000)
    use(second, october(6), 200_000_000)
    invoice = close_one(pro.organization)
    lines = list(invoice.lines.values_list("subscription", "tier", "quantity", "amount"))
    assert sorted(lines[:2]) == sorted((pk, None, D(1), D(10)) for pk in (first.pk, second.pk))
    assert lines[2:] == [(None, 1, D(333_000_000), D("1165.5")), (None, 2, D(67_000_000), D("187.6"))]
    shared = invoice.lines.get(tier=2)
    assert shared.description == "AWS: Requests, above 333,000,000 up to 1,000,000,000"
    assert shared.breakdown == {pk: ["33500000", "93.8"] for pk in (first.pk, second.pk)}


def test_each_currency_has_an_invoice_of_its_own():
    provider, customer = make_organization(), make_organization()
    for name, currency in [("Dollars", "USD"), ("Yen", "JPY")]:
        plan = make_priced_plan(make_rate_card(provider, name=name, currency=currency))
        use(subscribed(plan, customer), october(5), 2_500_000)
    made = close(provider)
    assert {(invoice.currency, invoice.total) for invoice in made} == {
        ("USD", D("8.75")),
        ("JPY", D(9)),
    }


def test_numbers_run_without_gaps_for_each_provider(pro):
    other = make_priced_plan()
    for plan in (pro, other, pro):
        use(subscribed(plan), october(5), 1)
    assert [invoice.number for invoice in close(pro.organization)] == [1, 2]
    assert [invoice.number for invoice in close(other.organization)] == [1]
    use(subscribed(pro), october(6), 1)
    assert close_one(pro.organization).number == 3


def test_a_void_invoice_keeps_its_number_and_its_month_can_be_billed_again(pro):
    use(subscribed(pro), october(5), 1_000_000)
    first = close_one(pro.organization)
    void(invoice=first, actor=None)
    assert close(pro.organization, corrections=False) == []
    second = close_one(pro.organization)
    first.refresh_from_db()
    assert (first.state, first.number) == (InvoiceState.VOID, 1)
    assert (second.number, second.part, second.total) == (2, 2, first.total)


def test_a_month_to_come_cannot_be_closed(pro):
    with pytest.raises(Refused, match="has not begun") as refused:
        close(pro.organization, period=NOVEMBER, at=october(3))
    assert refused.value.field == "month"
