"""Use adds up over a whole customer and those that it pays for, within a region, before tiers apply."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from billing.estimate import estimate, estimate_sales
from tests.billing.factories import (
    NOVEMBER,
    OCTOBER,
    amounts,
    card_with,
    close,
    close_one,
    make_priced_plan,
    make_rate_card,
    november,
    october,
    pay_for,
    subscribed,
    use,
)
from tests.factories import make_api, make_organization

pytestmark = pytest.mark.django_db
D = Decimal
LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)
STEP = {"tiers": [{"up_to": "100", "unit_price": "1"}, {"up_to": None, "unit_price": "0.5"}]}


@pytest.fixture
def family():
    """Alice's company, which pays for bob's."""
    alice, bob = make_organization(name="Alice's"), make_organization(name="Bob's")
    pay_for(bob, alice, LONG_AGO)
    return alice, bob


def test_amazons_tiers_add_up_over_the_accounts_of_an_organization(family):
    alice, bob = family
    plan = make_priced_plan(make_rate_card())
    for customer, calls in ((alice, 200_000_000), (bob, 200_000_000), (alice, 600_000_000)):
        use(subscribed(plan, customer), october(5), calls)
    invoice = close_one(plan.organization)
    assert invoice.customer == alice
    # 333 million at 3.50, 667 million at 2.80 a million
    assert amounts(invoice) == [D("1165.50"), D("1867.60")]
    names = {each["customer"]["name"] for each in invoice.frozen["subscriptions"]}
    assert names == {"Alice's", "Bob's"}
    parts = invoice.lines.first().breakdown.values()
    assert sum(D(money) for _, money in parts) == D("1165.50")


def test_a_card_can_keep_each_subscription_for_itself(family):
    alice, bob = family
    plan = make_priced_plan(card_with(price=STEP, tiers_over="subscription"))
    for customer in (alice, bob):
        use(subscribed(plan, customer), october(5), 150)
    assert amounts(close_one(plan.organization)) == [100, 25, 100, 25]


def test_each_region_has_tiers_of_its_own():
    card = card_with(price=STEP)
    near = make_api(card.organization, region="eu-west-1")
    far = make_api(card.organization, region="us-east-1")
    subscription = subscribed(make_priced_plan(card))
    for api in (near, far):
        use(subscription, october(5), 90, api=api.pk)
    use(subscription, october(6), 20, api=near.pk)
    lines = close_one(card.organization).lines.order_by("position")
    assert [(line.description.partition(": ")[2], line.amount) for line in lines] == [
        ("Requests, first 100 (eu-west-1)", 100),
        ("Requests, over 100 (eu-west-1)", 5),
        ("Requests, first 100 (us-east-1)", 90),
    ]


def test_who_pays_when_the_month_ends_pays_for_all_of_it():
    alice, bob = make_organization(), make_organization()
    plan = make_priced_plan(card_with(price=STEP, base_fee="31"))
    subscription = subscribed(plan, bob)
    use(subscription, october(2), 60)
    assert close_one(plan.organization, at=october(3)).customer == bob
    pay_for(bob, alice, october(5))
    use(subscription, october(20), 60)
    rest = close_one(plan.organization)
    # what bob paid himself is not billed to alice again
    assert (rest.customer, amounts(rest)) == (alice, [40, 10])


def test_who_left_pays_again_for_itself_and_late_use_stays_with_the_month(family):
    alice, bob = family
    plan = make_priced_plan(card_with(price=STEP))
    subscription = subscribed(plan, bob)
    use(subscription, october(2), 60)
    close_one(plan.organization)
    membership = bob.billing_memberships.get()
    membership.left_at = november(5)
    membership.save()
    use(subscription, october(3), 10)
    use(subscription, november(2), 20)
    made = close(plan.organization, period=NOVEMBER, at=NOVEMBER.end, corrections=False)
    assert {(each.customer, each.total) for each in made} == {(alice, 10), (bob, 20)}


def test_charlie_pays_nothing_of_it(family):
    alice, bob = family
    plan = make_priced_plan(card_with(price=STEP))
    charlies = subscribed(plan)
    for subscription in (charlies, subscribed(plan, bob)):
        use(subscription, october(2), 80)
    totals = {each.customer: each.total for each in close(plan.organization)}
    assert totals == {charlies.organization: 80, alice: 80}


def test_an_estimate_shows_what_is_shared_and_everybodys_part(family):
    alice, bob = family
    card = card_with(price=STEP, base_fee="31")
    plan = make_priced_plan(card)
    hers, his = subscribed(plan, alice), subscribed(plan, bob)
    use(hers, october(2), 100)
    use(his, october(2), 50)
    found = estimate(organization=alice, at=october(9))
    parts = {
        item.subscription: [(line.quantity, line.amount) for line in item.lines]
        for item in found.subscriptions
    }
    assert parts == {
        hers: [(1, 31), (67, D("66.67")), (33, D("16.67"))],
        his: [(1, 31), (33, D("33.33")), (17, D("8.33"))],
    }
    (shared,) = found.shared
    assert (shared.card, [line.amount for line in shared.lines]) == (card, [100, 25])
    assert found.totals == {"USD": 31 + 31 + 125}
    # bob sees his own part, and nothing of alice's
    his_view = estimate(organization=bob, at=october(9))
    assert ([item.subscription for item in his_view.subscriptions], his_view.shared) == ([his], [])
    assert his_view.totals == {"USD": D("72.66")}
    (customer,) = estimate_sales(organization=plan.organization, at=october(9)).customers
    assert (customer.customer, customer.total, customer.requests) == (alice, 187, 150)


def test_an_estimate_is_what_the_invoice_will_be(family):
    alice, bob = family
    plan = make_priced_plan(card_with(price=STEP, base_fee="31", maximum="150"))
    for customer in (alice, bob, bob):
        use(subscribed(plan, customer), october(2), 77)
    expected = estimate(organization=alice, at=october(9)).totals
    assert expected == {"USD": close_one(plan.organization, period=OCTOBER).total} == {"USD": 150}
