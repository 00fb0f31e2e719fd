"""The month's end, if use goes on as it did."""

from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from access.models import SubscriptionState
from billing.estimate import estimate
from billing.forecast import forecast
from tests.billing.factories import (
    card_with,
    each_at,
    make_priced_plan,
    make_rate_card,
    october,
    subscribed,
    use,
)
from tests.factories import make_organization, make_plan, owner_of
from tests.portal.factories import signed_in

pytestmark = pytest.mark.django_db
D = Decimal


def at_the_end(subscription, at):
    """The forecast, which needs no query beyond those of the estimate."""
    found = estimate(organization=subscription.organization, at=at)
    with CaptureQueriesContext(connection) as queries:
        ahead = forecast(found)
    assert len(queries) == 0
    return ahead


def test_further_use_goes_on_from_the_tier_that_is_reached():
    subscription = subscribed(make_priced_plan(make_rate_card(base_fee="10"), name="Pro"))
    # half of October's 31 days: 16 October, 12:00
    use(subscription, october(3), 333_000_000)
    # 1,165.50 so far; as many again cost 2.80 a million
    assert at_the_end(subscription, october(16)) == {"USD": D("10") + D("1165.50") + D("932.40")}


def test_fees_stay_and_free_plans_have_no_forecast_of_money():
    subscription = subscribed(make_priced_plan(make_rate_card(base_fee="10"), name="Pro"))
    assert at_the_end(subscription, october(16)) == {"USD": D("10")}
    free = subscribed(make_plan())
    use(free, october(3), 1_000)
    assert at_the_end(free, october(16)) is None


def test_nothing_is_said_in_the_first_day():
    subscription = subscribed(make_priced_plan(make_rate_card(), name="Pro"))
    use(subscription, october(1, 0), 1_000_000)
    assert at_the_end(subscription, october(1, 23)) is None
    assert at_the_end(subscription, october(2, 1)) is not None


def test_what_was_cancelled_adds_nothing_more():
    subscription = subscribed(make_priced_plan(make_rate_card(), name="Pro"))
    use(subscription, october(3), 1_000_000)
    subscription.state, subscription.ended_at = SubscriptionState.CANCELLED, october(10)
    subscription.save()
    other = subscribed(make_priced_plan(make_rate_card(), name="Max"), subscription.organization)
    use(other, october(3), 2_000_000)
    found = at_the_end(subscription, october(16))
    assert found == {"USD": D("3.50") + 2 * D("7.00")}


def test_use_that_is_shared_is_looked_ahead_as_one():
    customer = make_organization()
    plan = make_priced_plan(make_rate_card(), name="Pro")
    for calls in (233_000_000, 100_000_000):
        use(subscribed(plan, customer), october(3), calls)
    found = forecast(estimate(organization=customer, at=october(16)))
    assert found == {"USD": D("1165.50") + D("932.40")}


def test_what_stands_beside_shared_use_is_in_it():
    customer = make_organization()
    plan = make_priced_plan(make_rate_card(base_fee="10"), name="Pro")
    for calls in (233_000_000, 100_000_000):
        use(subscribed(plan, customer), october(3), calls)
    found = forecast(estimate(organization=customer, at=october(16)))
    assert found == {"USD": 2 * D("10") + D("1165.50") + D("932.40")}


def test_bounds_hold():
    bounded = make_priced_plan(make_rate_card(maximum="5"), name="Bounded")
    subscription = subscribed(bounded)
    use(subscription, october(3), 1_000_000)
    assert at_the_end(subscription, october(16)) == {"USD": D("5")}
    least = subscribed(make_priced_plan(card_with(price=each_at("0.01"), minimum="50"), name="Least"))
    use(least, october(3), 10)
    assert at_the_end(least, october(16)) == {"USD": D("50")}


def test_the_costs_page_shows_it():
    subscription = subscribed(make_priced_plan(make_rate_card(), name="Pro"))
    page = signed_in(owner_of(subscription.organization)).get(reverse("costs")).content.decode()
    assert "By the month&#x27;s end" in page or "By the month's end" in page
