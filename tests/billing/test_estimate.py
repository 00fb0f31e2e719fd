"""The month's cost so far: the same lines as the invoice will have, seen only by those it concerns."""

from decimal import Decimal

import pytest

from access.models import SubscriptionState
from billing.estimate import estimate, estimate_sales
from billing.invoices import close_period
from billing.models import Invoice
from tests.billing.factories import (
    AFTER_OCTOBER,
    GIB,
    OCTOBER,
    make_priced_plan,
    make_rate_card,
    november,
    october,
    subscribed,
    use,
)
from tests.factories import make_organization, make_plan

pytestmark = pytest.mark.django_db
D = Decimal


def test_it_shows_the_month_so_far_line_by_line_and_tier_by_tier(pro):
    subscription = subscribed(pro)
    use(subscription, october(3), 334_000_000, 101 * GIB)
    use(subscription, november(1), 9)
    found = estimate(organization=subscription.organization, at=october(20))
    (item,) = found.subscriptions
    assert [(line.meter, line.tier, line.quantity, line.unit, line.amount) for line in item.lines] == [
        ("", None, D(1), "month", D(10)),
        ("requests", 1, D(333_000_000), "request", D("1165.50")),
        ("requests", 2, D(1_000_000), "request", D("2.80")),
        ("bytes_out", 0, D(100), "GiB", D(0)),
        ("bytes_out", 1, D(1), "GiB", D("0.09")),
    ]
    assert (item.subtotal, found.totals) == (D("1178.39"), {"USD": D("1178.39")})
    assert item.period == OCTOBER
    assert item.usage.calls == 334_000_000


def test_it_says_what_the_invoice_will_say(pro):
    customer = make_organization()
    for calls in (1, 123_456_789, 999_999_999):
        use(subscribed(pro, customer), october(3), calls, calls * 1000)
    before = estimate(organization=customer, at=october(31)).totals
    close_period(provider=pro.organization, period=OCTOBER, at=AFTER_OCTOBER, actor=None)
    assert before == {"USD": Invoice.objects.get().total}


def test_a_new_month_starts_with_the_base_fee_only(pro):
    subscription = subscribed(pro)
    use(subscription, october(3), 1_000_000)
    (item,) = estimate(organization=subscription.organization, at=november(1)).subscriptions
    assert [line.description for line in item.lines] == ["Base fee"]


def test_a_free_plan_costs_nothing_and_shows_its_use():
    subscription = subscribed(make_plan())
    use(subscription, october(3), 42)
    found = estimate(organization=subscription.organization, at=october(4))
    assert [(line.description, line.quantity) for line in found.subscriptions[0].lines] == [
        ("Requests, not charged", D(42))
    ]
    assert found.totals == {"USD": D(0)}


def test_an_organization_without_subscriptions_has_an_empty_estimate():
    found = estimate(organization=make_organization())
    assert (found.subscriptions, found.totals) == ([], {})


def test_what_is_pending_or_ended_before_the_month_is_not_shown(pro):
    customer = make_organization()
    subscribed(pro, customer, state=SubscriptionState.PENDING)
    subscribed(pro, customer, state=SubscriptionState.CANCELLED, ended_at=OCTOBER.start)
    shown = subscribed(pro, customer, state=SubscriptionState.CANCELLED, ended_at=october(2))
    found = estimate(organization=customer, at=october(5))
    assert [item.subscription for item in found.subscriptions] == [shown]


def test_each_providers_month_is_its_own():
    customer = make_organization()
    in_new_york = make_rate_card(make_organization(timezone="America/New_York"))
    for card in (make_rate_card(), in_new_york):
        subscribed(make_priced_plan(card), customer)
    found = estimate(organization=customer, at=november(1, hour=2))
    assert {item.period.label for item in found.subscriptions} == {"October 2026", "November 2026"}


def test_a_provider_sees_its_customers_by_size_and_no_one_elses(pro):
    small, big = make_organization(name="Small"), make_organization(name="Big")
    use(subscribed(pro, small), october(3), 1_000_000)
    use(subscribed(pro, big), october(3), 4_000_000, GIB)
    use(subscribed(make_priced_plan(), big), october(3), 50_000_000)
    sales = estimate_sales(organization=pro.organization, at=october(9))
    assert [(c.customer, c.total, c.requests, c.bytes_out) for c in sales.customers] == [
        (big, D(24), 4_000_000, GIB),
        (small, D("13.5"), 1_000_000, 0),
    ]
    assert sales.totals == {"USD": D("37.5")}
    assert sales.period == OCTOBER


def test_a_developer_can_look_at_one_provider(pro):
    customer = make_organization()
    subscribed(pro, customer)
    subscribed(make_priced_plan(), customer)
    found = estimate(organization=customer, at=october(9), provider=pro.organization)
    assert [item.subscription.plan for item in found.subscriptions] == [pro]


def test_charlie_sees_nothing_of_alices_costs(pro):
    alices, charlies = make_organization(name="Alice's"), make_organization(name="Charlie's")
    use(subscribed(pro, alices), october(3), 1_000_000)
    assert estimate(organization=charlies, at=october(9)).subscriptions == []
    assert estimate_sales(organization=charlies, at=october(9)).customers == []
    # nor does the provider's own page as a developer show what it sells
    assert estimate(organization=pro.organization, at=october(9)).subscriptions == []


@pytest.mark.parametrize("rows", [1, 3])
def test_the_number_of_queries_does_not_grow_with_rows(rows, pro, django_assert_num_queries):
    customer = make_organization()
    for _ in range(rows):
        plan = make_priced_plan(make_rate_card(pro.organization, name=f"Card {_}"))
        use(subscribed(plan, customer), october(3), 1_000_000, GIB)
        use(subscribed(plan), october(3), 1_000_000, GIB)
    with django_assert_num_queries(QUERIES):
        found = estimate(organization=customer, at=october(9))
        assert [item.subscription.application.name for item in found.subscriptions]
        assert len(found.subscriptions) == rows
    with django_assert_num_queries(QUERIES + 1):  # who pays
        assert len(estimate_sales(organization=pro.organization, at=october(9)).customers) == rows + 1


# subscriptions and their changes of plans, payers, currencies, cards of plans and their changes, cards, versions,
# their prices, overrides, three of usage, and regions
QUERIES = 14
