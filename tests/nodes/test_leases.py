import random
import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection

from access.models import UsagePlan
from nodes.leases import Grant, give_back, lease
from nodes.models import Lease, QuotaWindow
from nodes.wanted import IDLE, Wanted, recall, wanted_of
from tests.factories import make_application, make_key, make_organization, make_plan, make_subscription
from tests.nodes.factories import make_node

NOON = datetime(2026, 11, 18, 12, tzinfo=UTC)
pytestmark = pytest.mark.django_db


def make_limited(limit: int = 100, zone: str = "UTC", **fields: Any) -> Any:
    application = make_application(make_organization(timezone=zone))
    return make_subscription(application, make_plan(quota_limit=limit, **fields))


def drain(subscription: Any, node: Any, at: datetime = NOON, want: int = 1_000) -> int:
    """Lease until nothing is left; returns the sum."""
    total = 0
    while True:
        grant = lease(node=node, subscription_id=subscription.pk, want=want, at=at)
        if grant is None or not grant.granted:
            return total
        total += grant.granted


def test_a_lease_is_a_slice_of_the_window() -> None:
    subscription, (node, _) = make_limited(1_000), make_node()
    grant = lease(node=node, subscription_id=subscription.pk, want=40, at=NOON)
    assert grant == Grant(
        granted=40,
        starts_at=int(datetime(2026, 11, 1, tzinfo=UTC).timestamp()),
        ends_at=int(datetime(2026, 12, 1, tzinfo=UTC).timestamp()),
        limit=1_000,
        left=960,
        slice=240,
    )
    assert QuotaWindow.objects.get().leased == Lease.objects.get().units == 40


def test_there_is_no_lease_without_a_quota_or_a_subscription() -> None:
    node, _ = make_node()
    unlimited = make_subscription(plan=make_plan())
    assert lease(node=node, subscription_id=unlimited.pk, want=1) is None
    assert lease(node=node, subscription_id="nobody0001", want=1) is None


def test_slices_shrink_near_the_end_and_with_the_number_of_nodes() -> None:
    subscription, (node, _) = make_limited(100), make_node()
    sizes = []
    while grant := lease(node=node, subscription_id=subscription.pk, want=1_000, at=NOON):
        if not grant.granted:
            break
        sizes.append(grant.granted)
    assert sizes[0] == 25
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[-1] == 1
    assert sum(sizes) == 100
    make_node()
    fresh = make_limited(100)
    first = lease(node=node, subscription_id=fresh.pk, want=1_000, at=NOON)
    assert first is not None
    assert first.granted == 12


@pytest.mark.parametrize("limit", [0, 1, 2, 7])
def test_a_small_quota_is_given_out_to_the_last_unit(limit: int) -> None:
    assert drain(make_limited(limit), make_node()[0]) == limit


def test_a_new_window_starts_anew() -> None:
    subscription, (node, _) = make_limited(10, quota_period="DAY"), make_node()
    assert drain(subscription, node) == 10
    assert drain(subscription, node, NOON + timedelta(hours=11)) == 0
    assert drain(subscription, node, NOON + timedelta(hours=12)) == 10


def test_the_window_is_that_of_the_developers_time_zone() -> None:
    subscription, (node, _) = make_limited(10, "Asia/Kolkata", quota_period="DAY"), make_node()
    grant = lease(node=node, subscription_id=subscription.pk, want=1, at=NOON)
    assert grant is not None
    assert datetime.fromtimestamp(grant.starts_at, UTC) == datetime(2026, 11, 17, 18, 30, tzinfo=UTC)


def test_moving_the_clock_is_no_way_to_a_fresh_quota() -> None:
    subscription, (node, _) = make_limited(10), make_node()
    total = 0
    for zone in ("UTC", "Asia/Kolkata", "America/New_York", "UTC", "Europe/Berlin"):
        subscription.organization.timezone = zone
        subscription.organization.save()
        grant = lease(node=node, subscription_id=subscription.pk, want=4, at=NOON)
        assert grant is not None
        total += grant.granted
    subscription.organization.timezone = "UTC"
    subscription.organization.save()
    assert total + drain(subscription, node) == 10


def test_a_changed_limit_counts_at_once_and_touches_no_counter() -> None:
    subscription, (node, _) = make_limited(10), make_node()
    assert drain(subscription, node) == 10
    UsagePlan.objects.update(quota_limit=15)
    assert QuotaWindow.objects.get().leased == 10
    assert drain(subscription, node) == 5
    UsagePlan.objects.update(quota_limit=5)
    grant = lease(node=node, subscription_id=subscription.pk, want=1, at=NOON)
    assert grant is not None
    assert (grant.granted, grant.left, grant.limit) == (0, 0, 5)
    assert QuotaWindow.objects.get().leased == 15


def test_what_was_spent_offline_counts_before_the_slice() -> None:
    subscription, (node, _) = make_limited(10), make_node()
    grant = lease(node=node, subscription_id=subscription.pk, want=10, offline_spent=9, at=NOON)
    assert grant is not None
    assert (grant.granted, grant.left) == (1, 0)
    more = lease(node=node, subscription_id=subscription.pk, want=10, offline_spent=30, at=NOON)
    assert more is not None
    assert (more.granted, more.left) == (0, 0)
    assert QuotaWindow.objects.get().leased == 40


def test_a_repeated_request_gets_the_same_units_not_more() -> None:
    subscription, (node, _) = make_limited(100), make_node()
    asked: dict[str, Any] = {"want": 5, "offline_spent": 3, "request": "one", "at": NOON}
    first = lease(node=node, subscription_id=subscription.pk, **asked)
    assert lease(node=node, subscription_id=subscription.pk, **asked) == first
    assert QuotaWindow.objects.get().leased == 8
    lease(node=node, subscription_id=subscription.pk, **asked | {"request": "two", "offline_spent": 0})
    assert QuotaWindow.objects.get().leased == 13


def test_returned_units_are_given_out_again_once() -> None:
    subscription, (node, _) = make_limited(10), make_node()
    grant = lease(node=node, subscription_id=subscription.pk, want=2, at=NOON)
    assert grant is not None
    back: dict[str, Any] = {"subscription_id": subscription.pk, "starts_at": grant.starts_at, "request": "r"}
    for _ in range(2):
        assert give_back(node=node, units=1, **back) == 1
    assert QuotaWindow.objects.get().leased == 1
    assert drain(subscription, node) == 9


def test_a_node_can_give_back_only_what_it_holds() -> None:
    subscription, (one, _), (other, _) = make_limited(100), make_node(), make_node()
    grant = lease(node=one, subscription_id=subscription.pk, want=2, at=NOON)
    assert grant is not None
    back = {"subscription_id": subscription.pk, "starts_at": grant.starts_at}
    assert give_back(node=other, units=2, **back) == 0
    assert give_back(node=one, units=50, **back) == 2
    assert give_back(node=one, units=-5, **back) == 0
    assert give_back(node=one, subscription_id="nobody0001", starts_at=0, units=1) == 0
    assert QuotaWindow.objects.get().leased == 0


@pytest.mark.parametrize(
    ("zone", "inside", "start", "end"),
    [
        # the clock goes forward at 2:00 on 28 March 2027 and back at 3:00 on 25 October 2026
        ("Europe/Berlin", (2027, 3, 28, 12), (2027, 3, 27, 23), (2027, 3, 28, 22)),
        ("Europe/Berlin", (2026, 10, 25, 12), (2026, 10, 24, 22), (2026, 10, 25, 23)),
        # midnight itself does not exist on 6 September 2026
        ("America/Santiago", (2026, 9, 6, 12), (2026, 9, 6, 4), (2026, 9, 7, 3)),
    ],
)
def test_on_days_when_the_clock_changes_gates_are_told_the_windows_true_end(
    zone: str, inside: tuple[int, ...], start: tuple[int, ...], end: tuple[int, ...]
) -> None:
    subscription, (node, _) = make_limited(10, zone, quota_period="DAY"), make_node()
    at, starts, ends = (datetime(*moment, tzinfo=UTC) for moment in (inside, start, end))  # type: ignore[misc]
    assert drain(subscription, node, at) == 10
    grant = lease(node=node, subscription_id=subscription.pk, want=1, at=ends - timedelta(seconds=1))
    assert grant is not None
    assert (grant.granted, grant.starts_at, grant.ends_at) == (0, starts.timestamp(), ends.timestamp())
    assert drain(subscription, node, ends) == 10


def test_a_week_begins_on_monday() -> None:
    subscription, (node, _) = make_limited(10, quota_period="WEEK"), make_node()
    sunday = datetime(2026, 11, 22, 23, 59, tzinfo=UTC)
    assert drain(subscription, node, sunday) == 10
    assert drain(subscription, node, sunday + timedelta(minutes=1)) == 10


def test_the_offset_is_taken_off_the_first_period_only() -> None:
    subscription, (node, _) = make_limited(10, quota_period="DAY", quota_offset=7), make_node()
    subscription.started_at = NOON - timedelta(hours=1)
    subscription.save()
    assert drain(subscription, node) == 3
    assert drain(subscription, node, NOON + timedelta(days=1)) == 10


def test_each_key_has_a_quota_of_its_own_where_the_plan_says_so() -> None:
    subscription, (node, _) = make_limited(10, quota_scope="key"), make_node()
    keys = [make_key(subscription.application)[0].pk for _ in range(2)]
    for key_id in keys:
        grant = lease(node=node, subscription_id=subscription.pk, key_id=key_id, want=10, at=NOON)
        assert grant is not None
        assert (grant.granted, grant.limit) == (2, 10)
    back: dict[str, Any] = {"subscription_id": subscription.pk, "starts_at": grant.starts_at}
    assert give_back(node=node, units=2, **back) == 0
    assert give_back(node=node, units=2, key_id=keys[0], **back) == 2
    assert sorted(QuotaWindow.objects.values_list("leased", flat=True)) == [0, 2]


def test_a_key_of_another_application_gets_no_lease() -> None:
    subscription, (node, _) = make_limited(quota_scope="key"), make_node()
    assert lease(node=node, subscription_id=subscription.pk, key_id=make_key()[0].pk, want=1) is None


def test_when_a_node_is_refused_the_others_are_asked_for_what_they_do_not_use() -> None:
    subscription, (one, _), (other, _) = make_limited(10), make_node(), make_node()
    lease(node=other, subscription_id=subscription.pk, want=1, at=NOON)
    assert wanted_of(other, at=NOON) == []
    drain(subscription, one)
    assert wanted_of(other, at=NOON) == [Wanted(subscription.pk, "", IDLE)]
    assert wanted_of(make_node()[0], at=NOON) == []
    assert wanted_of(other, at=NOON + timedelta(minutes=1)) == []


def test_when_a_limit_is_lowered_nodes_give_back_all_they_hold() -> None:
    subscription, (node, _) = make_limited(100), make_node()
    grant = lease(node=node, subscription_id=subscription.pk, want=25, at=NOON)
    assert grant is not None
    UsagePlan.objects.update(quota_limit=20)
    recall([subscription.plan_id], at=NOON)
    assert wanted_of(node, at=NOON) == [Wanted(subscription.pk, "", 0)]
    back = {"subscription_id": subscription.pk, "starts_at": grant.starts_at}
    give_back(node=node, units=15, **back)
    assert drain(subscription, node) == 10


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("limit", [1, 97, 500])
def test_fifty_clients_on_three_nodes_get_exactly_the_limit(limit: int) -> None:
    subscription = make_limited(limit)
    nodes = [make_node()[0] for _ in range(3)]
    granted: list[int] = []
    errors: list[Exception] = []
    begin = threading.Barrier(50)

    def client(number: int) -> None:
        choose = random.Random(number)
        try:
            begin.wait()
            while True:
                grant = lease(
                    node=nodes[number % 3],
                    subscription_id=subscription.pk,
                    want=choose.randint(1, 9),
                    at=NOON,
                )
                if grant is None or not grant.granted:
                    return
                granted.append(grant.granted)
        except Exception as error:  # noqa: BLE001 -- the main thread asserts on it
            errors.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=client, args=(number,)) for number in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert sum(granted) == limit
    assert QuotaWindow.objects.get().leased == limit
    assert sum(Lease.objects.values_list("units", flat=True)) == limit
