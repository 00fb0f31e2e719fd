"""Quotas of a subscription that changes its plan."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils.timezone import now

from access.change_plan import change_plan
from access.models import CallAllowance, Subscription, UsagePlan
from accounts.rows import locked
from nodes.leases import give_back, lease
from nodes.models import Entry, Node, QuotaWindow
from nodes.queries import limits_now
from nodes.remaining import set_remaining
from nodes.wanted import Wanted, wanted_of
from portal.quotas import quota_use
from tests.factories import make_application, make_key, make_plan, make_stage, make_subscription
from tests.metering.factories import make_row, use
from tests.nodes.factories import make_node

pytestmark = pytest.mark.django_db


def sold(old: dict[str, Any], new: dict[str, Any]) -> tuple[Subscription, UsagePlan]:
    stage = make_stage()
    return make_subscription(make_application(), make_plan(stage, **old)), make_plan(stage, **new)


def drain(subscription: Subscription, node: Node, **more: Any) -> int:
    total = 0
    while True:
        grant = lease(node=node, subscription_id=subscription.pk, want=1_000, **more)
        assert grant is not None
        if not grant.granted:
            return total
        total += grant.granted


def takes_over(*nodes: Node) -> None:
    newest = Entry.objects.order_by("-generation").first()
    assert newest is not None
    Node.objects.filter(pk__in=[node.pk for node in nodes]).update(generation=newest.generation)


def test_the_count_goes_on() -> None:
    subscription, plan = sold({"quota_limit": 100}, {"quota_limit": 250})
    node, _ = make_node()
    assert drain(subscription, node) == 100
    change_plan(subscription=subscription, plan=plan, actor=None)
    assert drain(subscription, node) == 150
    assert QuotaWindow.objects.count() == 1


def test_a_lower_limit_calls_back_what_nodes_hold_and_admits_exactly_it() -> None:
    subscription, plan = sold({"quota_limit": 1_000}, {"quota_limit": 100})
    node, _ = make_node()
    held = lease(node=node, subscription_id=subscription.pk, want=250)
    assert held is not None
    assert held.granted == 250
    change_plan(subscription=subscription, plan=plan, actor=None)
    assert drain(subscription, node) == 0
    assert wanted_of(node) == [Wanted(subscription.pk, "", 0)]
    # it had spent 10 of them
    give_back(node=node, subscription_id=subscription.pk, starts_at=held.starts_at, units=240)
    assert drain(subscription, node) == 90


def test_the_count_starts_anew_where_the_plan_says_so() -> None:
    subscription, plan = sold({"quota_limit": 100}, {"quota_limit": 100, "counters_on_change": "reset"})
    (one, _), (other, _) = make_node(), make_node()
    assert drain(subscription, one) == 100
    change_plan(subscription=subscription, plan=plan, actor=None)
    waiting = lease(node=other, subscription_id=subscription.pk, want=10)
    assert waiting is not None
    assert (waiting.granted, waiting.settling, waiting.epoch) == (0, True, 1)
    takes_over(one, other)
    assert drain(subscription, one) + drain(subscription, other) == 100
    entry = Entry.objects.get(kind="subscription", key=subscription.pk)
    assert entry.data is not None
    assert (entry.data["plan"], entry.data["quota_epochs"]) == (plan.pk, {"": 1})


def test_starting_anew_forgets_what_was_set_by_hand() -> None:
    subscription, plan = sold({"quota_limit": 100}, {"quota_limit": 100, "counters_on_change": "reset"})
    node, _ = make_node()
    set_remaining(subscription=subscription, remaining=5_000, actor=None)
    change_plan(subscription=subscription, plan=plan, actor=None)
    takes_over(node)
    assert drain(subscription, node) == 100


def test_each_key_starts_anew() -> None:
    each = {"quota_limit": 20, "quota_scope": "key"}
    subscription, plan = sold(each, {**each, "counters_on_change": "reset"})
    (node, _), keys = make_node(), [make_key(subscription.application)[0] for _ in range(2)]
    assert drain(subscription, node, key_id=keys[0].pk) == 20
    change_plan(subscription=subscription, plan=plan, actor=None)
    takes_over(node)
    assert [drain(subscription, node, key_id=key.pk) for key in keys] == [20, 20]


def test_a_plan_without_a_quota_needs_none_of_it() -> None:
    subscription, plan = sold({"quota_limit": 20}, {})
    node, _ = make_node()
    change_plan(subscription=subscription, plan=plan, actor=None)
    assert lease(node=node, subscription_id=subscription.pk, want=1) is None
    assert not QuotaWindow.objects.exists()


def count_calls(subscription: Subscription, calls: int, at: datetime, **more: Any) -> None:
    stage = subscription.plan.stages.get()
    use(make_row(stage, subscription=subscription.pk, calls=calls, minute=at, **more))


def test_another_period_begins_with_the_calls_that_were_counted_in_it() -> None:
    subscription, plan = sold(
        {"quota_limit": 1_000, "quota_period": "DAY"}, {"quota_limit": 100, "quota_period": "MONTH"}
    )
    (node, _), at = make_node(), now()
    count_calls(subscription, 30, at.replace(second=0, microsecond=0))
    count_calls(subscription, 500, at.replace(second=0, microsecond=0) - timedelta(days=32))
    assert lease(node=node, subscription_id=subscription.pk, want=200) is not None
    change_plan(subscription=subscription, plan=plan, actor=None)
    takes_over(node)
    assert drain(subscription, node) == 70
    # and what nodes held of the day is void
    assert QuotaWindow.objects.get(period="MONTH").epoch == 1


def test_another_period_starts_from_nothing_where_the_plan_says_so() -> None:
    subscription, plan = sold(
        {"quota_limit": 1_000, "quota_period": "DAY"},
        {"quota_limit": 100, "quota_period": "MONTH", "counters_on_change": "reset"},
    )
    node, _ = make_node()
    count_calls(subscription, 30, now().replace(second=0, microsecond=0))
    change_plan(subscription=subscription, plan=plan, actor=None)
    assert drain(subscription, node) == 100
    subscription.refresh_from_db()
    assert limits_now([subscription], at=now()) == {subscription.pk: 100}


def test_keys_that_get_quotas_of_their_own_begin_with_their_calls() -> None:
    subscription, plan = sold({"quota_limit": 100}, {"quota_limit": 50, "quota_scope": "key"})
    (node, _), (key, _) = make_node(), make_key(subscription.application)
    rotated, _ = make_key(subscription.application, origin=key)
    minute = now().replace(second=0, microsecond=0)
    count_calls(subscription, 10, minute, key=key.pk)
    count_calls(subscription, 15, minute, key=rotated.pk)
    change_plan(subscription=subscription, plan=plan, actor=None)
    assert drain(subscription, node, key_id=key.pk) == 25


def test_the_page_counts_from_where_it_started_anew() -> None:
    subscription, plan = sold({"quota_limit": 100}, {"quota_limit": 70, "counters_on_change": "reset"})
    count_calls(subscription, 40, now().replace(second=0, microsecond=0) - timedelta(minutes=1))
    change_plan(subscription=subscription, plan=plan, actor=None)
    subscription.refresh_from_db()
    use = quota_use([subscription])[0]
    assert (use.used, use.limit) == (0, 70)


@pytest.mark.django_db(transaction=True)
def test_a_lease_that_waits_for_a_change_gets_units_of_the_new_plan() -> None:
    subscription, plan = sold({"quota_limit": 100}, {"quota_limit": 250})
    node, _ = make_node()

    def ask() -> Any:
        try:
            return lease(node=node, subscription_id=subscription.pk, want=1)
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            locked(subscription)
            asked = pool.submit(ask)
            while not _somebody_waits():
                pass
            change_plan(subscription=subscription, plan=plan, actor=None)
        grant = asked.result(10)
    assert grant is not None, "no quota would mean that the gate lets calls in without one"
    assert grant.limit == 250


def _somebody_waits() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
        return bool(cursor.fetchone()[0])


def test_what_money_bounds_is_not_widened_by_starting_anew() -> None:
    subscription, plan = sold({"quota_limit": 100}, {"quota_limit": 100, "counters_on_change": "reset"})
    node, _ = make_node()
    assert drain(subscription, node) == 100
    window = QuotaWindow.objects.get()
    CallAllowance.objects.create(
        organization=subscription.organization,
        subscription=subscription,
        further=30,
        counted=100,
        unleased=0,
        window_starts_at=window.starts_at,
    )
    change_plan(subscription=subscription, plan=plan, actor=None)
    takes_over(node)
    assert drain(subscription, node) == 30


def test_units_of_another_period_are_void_where_only_money_bounds_the_calls() -> None:
    subscription, plan = sold({"quota_period": "DAY"}, {"quota_period": "MONTH"})
    CallAllowance.objects.create(
        organization=subscription.organization, subscription=subscription, further=30, window_starts_at=now()
    )
    node, _ = make_node()
    assert lease(node=node, subscription_id=subscription.pk, want=20) is not None
    change_plan(subscription=subscription, plan=plan, actor=None)
    assert QuotaWindow.objects.get(period="MONTH").epoch == 1
