from datetime import timedelta
from decimal import Decimal

import pytest

from metering.billable import billable
from metering.cache_hours import count_cache_hours
from tests.factories import make_deployment, make_plan, make_stage, make_subscription, make_version
from tests.metering.factories import NOON

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)
CACHE = {"cache": {"ttl": 60, "keys": []}}
EARLIER = {"started_at": NOON - timedelta(days=9)}


def stage_with(policy, operation_policy=None):
    version = make_version()
    compiled = {"operations": [{"id": "op00000001", "policy": {}}], "trie": {}}
    deployment = make_deployment(version, compiled=compiled)
    operations = {"op00000001": operation_policy} if operation_policy else {}
    return make_stage(version, deployment=deployment, policy=policy, operation_policies=operations)


def hours(subscription):
    found = billable(subscription_ids=[subscription.pk], start=NOON, end=NOON + 24 * HOUR)
    return found[subscription.pk]


def test_each_hour_of_a_cache_counts_once_for_each_subscription_and_stage():
    one, other, plain = stage_with(CACHE), stage_with({}, CACHE), stage_with({})
    off = stage_with(CACHE, {"cache": {"ttl": 0, "keys": []}})
    both = make_subscription(plan=make_plan(one, other, plain, off), **EARLIER)
    without = make_subscription(plan=make_plan(plain, off), **EARLIER)
    ended = make_subscription(plan=make_plan(one), state="cancelled", ended_at=NOON - HOUR, **EARLIER)
    coming = make_subscription(plan=make_plan(one), started_at=NOON + timedelta(days=2))
    for minutes in (0, 20, 40, 60):
        count_cache_hours(at=NOON + timedelta(minutes=minutes))
    assert hours(both) == {
        (one.version.api_id, "cache_hours"): Decimal(2),
        (other.version.api_id, "cache_hours"): Decimal(2),
    }
    assert hours(without) == hours(ended) == hours(coming) == {}


def test_an_hour_in_which_a_subscription_ended_counts_and_the_next_does_not():
    stage = stage_with(CACHE)
    subscription = make_subscription(plan=make_plan(stage), **EARLIER)
    subscription.state, subscription.ended_at = "cancelled", NOON + timedelta(minutes=5)
    subscription.save()
    assert [count_cache_hours(at=NOON + each * HOUR) for each in (0, 1)] == [1, 0]
    assert hours(subscription) == {(stage.version.api_id, "cache_hours"): Decimal(1)}
