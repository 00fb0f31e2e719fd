"""Rate bars: the last whole minute against the plan's throttle, from the gate's own counts."""

from datetime import UTC, datetime, timedelta

import pytest
from django.urls import reverse

from access.models import SubscriptionState
from metering.rates import last_minute, rates_in
from portal.quotas import rate_use
from tests.metering.factories import make_row, use
from tests.portal.factories import make_shop, signed_in

pytestmark = pytest.mark.django_db


def test_the_last_minute_is_over_and_counted():
    at = datetime(2026, 11, 27, 12, 30, 9, tzinfo=UTC)
    assert last_minute(at) == datetime(2026, 11, 27, 12, 28, tzinfo=UTC)
    assert last_minute(at + timedelta(seconds=1)) == datetime(2026, 11, 27, 12, 29, tzinfo=UTC)


def test_a_bar_counts_what_was_let_in_and_what_the_rate_refused(django_assert_num_queries):
    shop = make_shop()
    shop.plan.throttle_rate, shop.plan.throttle_burst = 2, 40
    shop.plan.save()
    stage, minute = shop.plan.stages.get(), last_minute()
    mine = {"subscription": shop.subscription.pk, "key": shop.key.pk}
    use(
        make_row(stage, minute=minute, calls=88, **mine),
        make_row(stage, minute=minute, calls=8, status_class=5, verdict="INTEGRATION_TIMEOUT", **mine),
        make_row(stage, minute=minute, calls=7, status_class=4, verdict="THROTTLED", **mine),
        make_row(stage, minute=minute, calls=5, status_class=4, verdict="QUOTA_EXCEEDED", **mine),
        make_row(stage, minute=minute - timedelta(minutes=1), calls=50, **mine),
    )
    shop.subscription.plan = shop.plan
    with django_assert_num_queries(1):
        (bar,) = rate_use([shop.subscription])
    assert (bar.used, bar.limit, bar.throttled, bar.minute) == (96, 120, 7, minute)
    other = rates_in(subscription_ids=["abcdefghij"], minute=minute)["abcdefghij"]
    assert (other.let_in, other.throttled) == (0, 0)
    browser = signed_in(shop.alice)
    for name in ("console", "usage"):
        page = browser.get(reverse(name)).content.decode()
        assert "96 of 120 calls a minute" in page
        assert "7 refused as THROTTLED" in page


def test_plans_without_a_rate_and_subscriptions_that_rest_have_no_bar(django_assert_num_queries):
    shop = make_shop()
    shop.subscription.plan.throttle_rate = None
    with django_assert_num_queries(0):
        assert rate_use([shop.subscription]) == []
    shop.subscription.plan.throttle_rate = 2
    shop.subscription.state = SubscriptionState.SUSPENDED
    assert rate_use([shop.subscription]) == []
