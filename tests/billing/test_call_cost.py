"""What one call costs, at the tier that its month had come to."""

from datetime import timedelta
from decimal import Decimal

import pytest

from billing.call_cost import cost_of_call
from tests.billing.factories import (
    card_with,
    each_at,
    make_priced_plan,
    october,
    packages_at,
    pay_for,
    subscribed,
    use,
)
from tests.factories import make_organization, make_plan

pytestmark = pytest.mark.django_db
TIERS = {
    "model": "graduated",
    "tiers": [{"up_to": "100", "unit_price": "0.01"}, {"up_to": None, "unit_price": "0.001"}],
    "free_units": 10,
}
AT = october(10)


def cost(subscription, *, at=AT, bytes_out=0):
    return cost_of_call(subscription=subscription, api_id="a", at=at, bytes_in=0, bytes_out=bytes_out)


def test_the_tier_is_that_of_the_months_count_at_the_call():
    subscription = subscribed(make_priced_plan(card_with(price=TIERS)))
    use(subscription, october(1), 5)
    first = cost(subscription)
    assert (first.included, first.total, first.lines[0].tier) == (True, 0, "first 10 free")
    use(subscription, october(9), 50)
    second = cost(subscription)
    assert (second.included, second.total, second.currency) == (False, Decimal("0.01"), "USD")
    assert second.lines[0].tier == "first 100"
    use(subscription, AT - timedelta(minutes=1), 100)
    use(subscription, AT + timedelta(minutes=1), 1_000_000)
    assert cost(subscription).total == Decimal("0.001")
    assert cost(subscription, at=october(9)).total == Decimal("0.01")


def test_a_call_is_priced_by_what_its_payer_used_elsewhere():
    plan, parent = make_priced_plan(card_with(price=TIERS)), make_organization()
    mine, others = subscribed(plan), subscribed(plan)
    for each in (mine, others):
        pay_for(each.organization, parent, since=october(1, hour=0) - timedelta(days=40))
    use(mine, october(1), 11)
    use(others, october(2), 500)
    assert cost(mine).total == Decimal("0.001")


def test_data_out_is_priced_by_its_bytes():
    subscription = subscribed(make_priced_plan(card_with(meter="bytes_out", price=each_at("0.5"))))
    found = cost(subscription, bytes_out=2**29)
    assert (found.total, found.lines[0].unit) == (Decimal("0.25"), "GiB")


def test_of_a_package_it_is_the_calls_part():
    subscription = subscribed(make_priced_plan(card_with(price=packages_at("2.00", 1000))))
    assert cost(subscription).total == Decimal("0.002")


def test_what_has_no_price_says_why():
    assert cost(subscribed(make_plan())).free_because == "The plan has no prices."
    assert cost(subscribed(make_priced_plan(card_with()))).free_because == "The plan has no price for calls."
    trial = card_with(price=each_at("1"), trial_days=90)
    assert cost(subscribed(make_priced_plan(trial))).free_because == "The subscription was on trial."
