"""A discount that three organizations share: exact as a whole, and parts that add up to it, in whatever order."""

from datetime import datetime
from decimal import Decimal
from itertools import permutations

import pytest
from hypothesis import given, strategies as st

from accounts.models import Organization
from billing.audit.audit import audit
from billing.documents.content import invoice_document
from billing.estimate import estimate
from billing.items import divide
from billing.models import Invoice, PriceOverride, RateCard
from tests.billing.audit.factories import use_sealed
from tests.billing.factories import (
    card_with,
    close_one,
    each_at,
    make_priced_plan,
    october,
    packages_at,
    pay_for,
    subscribed,
)
from tests.factories import make_organization

D = Decimal
MONEY = st.decimals("-1000000", "1000000", places=2)
WEIGHTS = st.lists(st.decimals("0", "1000000", places=12), min_size=1, max_size=9)


@given(MONEY, WEIGHTS, st.randoms())
def test_parts_add_up_and_nobodys_depends_on_the_order(total, weights, random) -> None:
    named = {f"s{number}": weight for number, weight in enumerate(weights)}
    parts = divide(total, named, 2)
    assert sum(parts.values()) == total
    whole = sum(weights)
    for pk, weight in named.items():
        exact = total * weight / whole if whole else total / len(weights)
        assert abs(parts[pk] - exact) < D("0.010001")
    mixed = list(named.items())
    random.shuffle(mixed)
    assert divide(total, dict(mixed), 2) == parts


def test_equal_shares_differ_by_a_step_at_most_and_the_first_ids_get_it() -> None:
    for order in permutations("abc"):
        shares = dict.fromkeys(order, D(1))
        assert divide(D("0.02"), shares, 2) == {"a": D("0.01"), "b": D("0.01"), "c": D("0.00")}
        assert divide(D("-0.02"), shares, 2) == {"a": D("0.00"), "b": D("-0.01"), "c": D("-0.01")}


def family() -> list[Organization]:
    alice, bob, charlie = (make_organization(name=name) for name in ("Alice's", "Bob's", "Charlie's"))
    for child in (bob, charlie):
        pay_for(child, alice, october(1))
    return [alice, bob, charlie]


def billed(card: RateCard, percent: str, calls: list[tuple[int, int]], **when: datetime) -> Invoice:
    """Bill three organizations that use a card with a discount: (whose, calls) one after the other."""
    members = family()
    PriceOverride.objects.create(
        organization=card.organization,
        customer=members[0],
        rate_card=card,
        meter="",
        percent=percent,
        starts_at=october(1, 0),
    )
    plan = make_priced_plan(card)
    theirs = [subscribed(plan, member, **when) for member in members]
    for number, (whose, count) in enumerate(calls):
        use_sealed(theirs[whose], october(2 + number), count)
    shown = {
        member.pk: sum((line.amount for line in item.lines if line.kind == "discount"), D(0))
        for member in members
        for item in estimate(organization=member, at=october(30)).subscriptions
        if item.subscription.organization_id == member.pk
    }
    invoice = close_one(card.organization)
    (line,) = invoice.lines.filter(item__startswith="discount:")
    parts = {pk: D(money) for pk, (_, money) in line.breakdown.items()}
    assert sum(parts.values()) == sum(shown.values()) == line.amount
    found = audit(invoice=invoice)
    assert found.ok, found.raw
    _as_shown(invoice)
    return invoice


def _as_shown(invoice: Invoice) -> None:
    """What page and PDF show of each line's parts adds up to the line."""
    for group in invoice_document(invoice).groups:
        for row in group.rows:
            parts = [D(money.replace(",", "")) for _, _, money in row.parts]
            assert not parts or sum(parts) == D(row.amount.replace(",", "")), row


@pytest.mark.django_db
@pytest.mark.parametrize("calls", [(1, 4, 1), (4, 1, 1)])
def test_a_discount_by_three_is_exact_before_it_is_rounded(calls: tuple[int, ...]) -> None:
    """One package of 0.10: 5 % are 0.005 and so a cent. A sixth of it has no end: three parts make 0.00499...9."""
    invoice = billed(card_with(price=packages_at("0.10", 100)), "5", list(enumerate(calls)))
    assert [line.amount for line in invoice.lines.order_by("position")] == [D("0.10"), D("-0.01")]


@pytest.mark.django_db
def test_a_discount_on_fees_that_no_decimal_says_is_exact() -> None:
    """1.00 for 10 of 31 days is 0.32258...; 3.1 % of it are 0.01 exactly, of three 0.03, and of half 0.015."""
    card = card_with(price=each_at("0"), base_fee="1", proration="day")
    invoice = billed(card, "1.55", [(0, 1)], started_at=october(22, 0))
    assert invoice.lines.get(item__startswith="discount:").amount == D("-0.02")


@pytest.mark.django_db
def test_the_order_of_use_and_of_organizations_changes_no_amount() -> None:
    seen = set()
    for order in permutations([(0, 70), (1, 41), (2, 2)]):
        card = card_with(price=each_at("0.0137", 7), base_fee="0.11")
        invoice = billed(card, "33.33", list(order))
        (line,) = invoice.lines.filter(item__startswith="discount:")
        names = {each["id"]: each["customer"]["name"] for each in invoice.frozen["subscriptions"]}
        parts = frozenset((names[pk], money) for pk, (_, money) in line.breakdown.items())
        seen.add((line.amount, invoice.total, parts))
    assert len(seen) == 1, seen
