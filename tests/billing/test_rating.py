"""A month in segments and in parts: what a change of prices, of plans or a second invoice makes of it."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from billing.invoices import void
from billing.ledger.balances import balance
from tests.billing.factories import (
    NOVEMBER,
    OCTOBER,
    amounts,
    card_with,
    change_plan_at,
    close,
    close_one,
    each_at,
    make_priced_plan,
    new_version,
    november,
    october,
    packages_at,
    subscribed,
    use,
)
from tests.factories import make_plan

pytestmark = pytest.mark.django_db
D = Decimal
NO_PRORATION = {"proration": "none"}


def tiers(*rows):
    """(up_to, unit price, flat fee) rows."""
    return [{"up_to": up_to, "unit_price": price, "flat_fee": flat} for up_to, price, flat in rows]


def sold(price, **terms):
    """A subscription to a plan with one price."""
    return subscribed(make_priced_plan(card_with(price=price, **terms)))


def bill_in_parts(subscription, *parts):
    """Close October after each number of calls; return the invoices' totals."""
    totals = []
    for day, calls in enumerate(parts, start=2):
        use(subscription, october(day), calls)
        totals.append(sum(invoice.total for invoice in close(subscription.provider, at=october(day, 20))))
    return totals


STEPS = {"tiers": tiers(("5", "0", "100"), ("10", "0", "50"), ("15", "5", "0"), (None, "1", "0"))}
FONTS = {"model": "volume", "tiers": tiers(("15", "10", "0"), (None, "5", "0"))}
ALL_TIERS = {"tiers": tiers(("20", "2", "0"), ("120", "20", "0"), (None, "10", "0"))}
PARTS = [
    pytest.param(STEPS, {}, (12, 10), [160, 22], id="V11 split"),
    pytest.param(STEPS, {}, (7, 1), [150, 0], id="V11 within a flat tier"),
    pytest.param(packages_at("15", 10), {}, (17, 5), [30, 15], id="V13 package"),
    pytest.param(packages_at("15", 10), {"maximum": "100"}, (60, 50), [90, 10], id="V13 maximum"),
    pytest.param(each_at("1", 10), {}, (5, 15), [0, 10], id="V14 free units left"),
    pytest.param(each_at("1", 10), {}, (20, 15), [10, 15], id="V14 free units used"),
    pytest.param(each_at("10"), {}, (5, 2), [50, 20], id="V15 more of the same period"),
    pytest.param(ALL_TIERS, {}, (100, 30), [20 * 2 + 80 * 20, 20 * 20 + 10 * 10], id="V16 all tiers"),
    # the base fee stands on the month's first invoice
    pytest.param(each_at("0.0002"), {"base_fee": "31"}, (10**6, 10**6), [231, 200], id="V18"),
]


@pytest.mark.parametrize(("price", "terms", "parts", "totals"), PARTS)
def test_a_month_in_parts_is_what_was_used_less_what_was_billed(price, terms, parts, totals):
    assert bill_in_parts(sold(price, **terms), *parts) == totals


def test_late_use_is_the_month_befores_own_line():
    """V15: 5 billed, then 7 in the same month, and 3 in the next."""
    subscription = sold(each_at("10"))
    use(subscription, october(5), 5)
    close_one(subscription.provider)
    use(subscription, october(6), 2)
    use(subscription, november(5), 3)
    invoice = close_one(subscription.provider, period=NOVEMBER, at=NOVEMBER.end)
    lines = invoice.lines.values_list("month_start", "quantity", "amount")
    assert set(lines) == {(OCTOBER.start, D(2), D(20)), (NOVEMBER.start, D(3), D(30))}


def test_late_use_is_billed_up_to_two_months_back():
    subscription = sold(each_at("10"))
    use(subscription, october(5), 5)
    use(subscription, november(5), 1)
    close_one(subscription.provider)
    close_one(subscription.provider, period=NOVEMBER, at=NOVEMBER.end)
    use(subscription, october(31), 2)
    december = NOVEMBER.following()
    invoice = close_one(subscription.provider, period=december, at=december.end, corrections=False)
    assert [(line.month_start, line.amount) for line in invoice.lines.all()] == [(OCTOBER.start, D(20))]


def test_who_used_nothing_in_time_pays_for_what_comes_late():
    early, late = sold(each_at("10")), None
    late = subscribed(early.plan)
    use(early, october(5), 1)
    close_one(early.provider)
    use(late, october(6), 3)
    (invoice,) = close(early.provider, period=NOVEMBER, at=NOVEMBER.end, corrections=False)
    assert (invoice.customer, invoice.total) == (late.organization, D(30))


def test_a_volume_that_gets_cheaper_is_taken_back_and_carried_over():
    """V15: 15 at 10 become 16 at 5: -150 and +80; the invoice is 0 and leaves 70 of credits."""
    subscription = sold(FONTS)
    assert bill_in_parts(subscription, 15, 1) == [150, 0]
    provider, customer = subscription.provider, subscription.organization
    last = close(provider) or list(customer.invoices.order_by("number"))[-1:]
    lines = last[0].lines.values_list("item", "quantity", "amount")
    assert [(q, a) for item, q, a in lines if item != "carried"] == [(D(16), D(80)), (D(-15), D(-150))]
    assert amounts(last[0])[-1] == 70
    assert balance(provider=provider, customer=customer, currency="USD") == 70
    use(subscription, october(20), 100)
    assert close_one(provider).amount_due == 500 - 70
    assert close(provider) == []


def test_an_invoice_that_left_credits_is_voided_while_they_are_there():
    subscription = sold(FONTS)
    bill_in_parts(subscription, 15, 1)
    below = subscription.organization.invoices.order_by("number").last()
    void(invoice=below, actor=None)
    assert balance(provider=subscription.provider, customer=subscription.organization, currency="USD") == 0
    assert close_one(subscription.provider, at=october(9)).lines.last().amount == 70


def test_a_void_invoice_counts_as_not_billed():
    subscription = sold(each_at("1"), base_fee="10")
    use(subscription, october(2), 3)
    first = close_one(subscription.provider, at=october(3))
    use(subscription, october(4), 5)
    close_one(subscription.provider, at=october(5))
    void(invoice=first, actor=None)
    use(subscription, october(6), 7)
    again = close_one(subscription.provider)
    assert sorted(amounts(again)) == [7 + 3, 10]


def test_a_price_change_in_mid_month_leaves_what_was_used_before_alone():
    card = card_with(price={"tiers": tiers(("100", "1", "0"), (None, "0.5", "0"))})
    new_version(card, october(16, 0), price={"tiers": tiers(("100", "2", "0"), (None, "1", "0"))})
    subscription = subscribed(make_priced_plan(card))
    use(subscription, october(15, 23), 80)
    use(subscription, october(16, 0), 50)
    invoice = close_one(subscription.provider)
    lines = invoice.lines.values_list("item", "quantity", "unit_price", "amount")
    # 80 at the old price, then the tier's last 20 and 30 above it at the new one: the count goes on
    assert [(item.split(":")[1][-2:], *rest) for item, *rest in lines] == [
        (".1", D(80), D(1), D(80)),
        (".2", D(20), D(2), D(40)),
        (".2", D(30), D(1), D(30)),
    ]
    segments = invoice.frozen["months"][0]["workings"][0]["segments"]
    assert [(s["version"], s["counted_before"]) for s in segments] == [(1, "0"), (2, "80")]


def test_a_total_picks_its_tier_by_what_its_own_price_counted():
    card = card_with(price=FONTS)
    new_version(
        card, october(16, 0), price={"model": "volume", "tiers": tiers(("15", "8", "0"), (None, "4", "0"))}
    )
    subscription = subscribed(make_priced_plan(card))
    use(subscription, october(2), 10)
    use(subscription, october(20), 10)
    assert close_one(subscription.provider).total == 10 * 10 + 10 * 8


def test_a_flat_price_is_paid_once_a_month_whatever_the_version():
    flat = {"model": "flat", "tiers": tiers((None, "0", "30"))}
    card = card_with(price=flat)
    new_version(card, october(16, 0), price={"model": "flat", "tiers": tiers((None, "0", "40"))})
    subscription = subscribed(make_priced_plan(card))
    use(subscription, october(2), 10)
    use(subscription, october(20), 10)
    assert close_one(subscription.provider).total == 30


@pytest.mark.parametrize(
    ("counters", "second"), [("keep", [(D(20), D(2)), (D(30), D(1))]), ("reset", [(D(50), D(2))])]
)
def test_a_change_of_plans_takes_the_count_along_unless_it_starts_anew(counters, second):
    first = card_with(price=each_at("3"))
    provider = first.organization
    dear = card_with(provider, name="Dear", price={"tiers": tiers(("100", "2", "0"), (None, "1", "0"))})
    subscription = subscribed(make_priced_plan(first))
    change_plan_at(subscription, make_priced_plan(dear), october(16, 0), counters)
    use(subscription, october(2), 80)
    use(subscription, october(20), 50)
    lines = close_one(provider).lines.order_by("position").values_list("quantity", "unit_price")
    assert list(lines) == [(D(80), D(3)), *second]


def test_a_change_between_plans_of_one_card_changes_nothing_on_the_bill():
    card = card_with(price={"tiers": tiers(("100", "2", "0"), (None, "1", "0"))}, base_fee="31")
    subscription = subscribed(make_priced_plan(card))
    change_plan_at(subscription, make_priced_plan(card), october(16, 0))
    use(subscription, october(2), 80)
    use(subscription, october(20), 50)
    assert amounts(close_one(card.organization)) == [31, 200, 30]


def test_a_free_plans_use_does_not_count_for_the_next_plans_tiers():
    card = card_with(price=each_at("1", free=10))
    subscription = subscribed(make_plan(organization=card.organization))
    change_plan_at(subscription, make_priced_plan(card), october(16, 0))
    use(subscription, october(2), 80)
    use(subscription, october(20), 15)
    invoice = close_one(card.organization)
    assert invoice.total == 5
    assert {line.description.partition(": ")[2] for line in invoice.lines.all()} == {
        "Requests, not charged",
        "Requests, first 10 free",
        "Requests, all",
    }


def test_a_trial_costs_nothing_and_counts_for_no_tier():
    card = card_with(price=each_at("1", free=10), base_fee="31", trial_days=10)
    subscription = subscribed(make_priced_plan(card), started_at=datetime(2026, 10, 6, 0, 0, tzinfo=UTC))
    use(subscription, october(15, 23), 80)
    use(subscription, october(16, 0), 15)
    invoice = close_one(card.organization)
    lines = {
        line.description.partition(": ")[2]: (line.quantity, line.amount) for line in invoice.lines.all()
    }
    # 16 of 31 days
    assert lines.pop("Base fee")[1] == D("16.00")
    assert lines == {
        "Requests, in the trial": (D(80), D(0)),
        "Requests, first 10 free": (D(10), D(0)),
        "Requests, all": (D(5), D(5)),
    }


def test_the_minimum_is_due_when_the_month_is_over():
    subscription = sold(each_at("1"), minimum="50", base_fee="10")
    use(subscription, october(2), 5)
    early = close_one(subscription.provider, at=october(10))
    assert amounts(early) == [10, 5]
    rest = close_one(subscription.provider)
    (line,) = rest.lines.all()
    assert (line.amount, line.item.partition(":")[0]) == (35, "minimum")
    # what comes late first uses up what the minimum paid for already
    use(subscription, october(3), 30)
    assert [(each.total, sorted(amounts(each))) for each in close(subscription.provider)] == [
        (0, [-30, 30]),
    ]


def test_the_minimum_is_for_the_time_one_was_there():
    card = card_with(price=each_at("1"), minimum="31")
    plan = make_priced_plan(card)
    subscribed(plan, started_at=datetime(2026, 10, 22, tzinfo=UTC))
    assert close_one(card.organization).total == 10


def test_use_in_the_last_minute_counts_although_the_subscription_ended_in_it():
    subscription = sold(each_at("1"))
    subscription.ended_at = october(16, 12) + timedelta(seconds=30)
    subscription.save()
    use(subscription, october(16, 12), 3)
    assert close_one(subscription.provider).total == 3


def test_a_meter_of_its_own_is_on_the_bill_where_it_has_a_price():
    card = card_with(meter="bytes_in", price=each_at("1"))
    assert card.prices.get().meter == "bytes_in"
    subscription = subscribed(make_priced_plan(card))
    use(subscription, october(2), 3)
    assert [line.meter for line in close_one(card.organization).lines.all()] == ["requests"]
