"""Setting the remaining calls: exactly so many follow, whatever nodes hold."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from access.models import UsagePlan
from access.subscribe import cancel, suspend
from accounts.errors import Refused
from nodes.leases import SETTLE, give_back, lease
from nodes.models import Entry, Lease, Node, QuotaWindow
from nodes.queries import limits_now, quota_state
from nodes.remaining import set_remaining
from tests.factories import audit_actions, make_application, make_key, make_plan, make_subscription
from tests.nodes.factories import make_node

NOON = datetime(2026, 11, 18, 12, tzinfo=UTC)
SOON = NOON + timedelta(seconds=1)
pytestmark = pytest.mark.django_db


def make_limited(limit: int = 100, **fields: Any) -> Any:
    return make_subscription(make_application(), make_plan(quota_limit=limit, **fields))


def ask(subscription: Any, node: Node, *, want: int = 10, at: datetime = NOON, **more: Any) -> Any:
    grant = lease(node=node, subscription_id=subscription.pk, want=want, at=at, **more)
    assert grant is not None
    return grant


def drain(subscription: Any, node: Node, at: datetime, **more: Any) -> int:
    total = 0
    while (grant := ask(subscription, node, want=1_000, at=at, **more)).granted:
        total += grant.granted
    return total


def takes_over(*nodes: Node) -> None:
    """The nodes say that they run the newest entry."""
    newest = Entry.objects.order_by("-generation").first()
    assert newest is not None
    Node.objects.filter(pk__in=[node.pk for node in nodes]).update(generation=newest.generation)


@pytest.mark.parametrize("remaining", [0, 5, 100, 5_000])
def test_exactly_so_many_units_are_given_out_after_it(remaining: int) -> None:
    subscription, (one, _), (other, _) = make_limited(100), make_node(), make_node()
    ask(subscription, one)
    ask(subscription, other)
    set_remaining(subscription=subscription, remaining=remaining, actor=None, at=NOON)
    takes_over(one, other)
    assert drain(subscription, one, SOON) + drain(subscription, other, SOON) == remaining


def test_nothing_is_given_out_until_every_node_gave_up_its_void_units() -> None:
    subscription, (one, _), (other, _) = make_limited(100), make_node(), make_node()
    ask(subscription, one)
    ask(subscription, other)
    set_remaining(subscription=subscription, remaining=50, actor=None, at=NOON)
    takes_over(one)
    waiting = ask(subscription, one, at=SOON)
    assert (waiting.granted, waiting.settling, waiting.epoch) == (0, True, 1)
    takes_over(other)
    grant = ask(subscription, one, at=SOON)
    assert (grant.granted > 0, grant.settling, grant.epoch) == (True, False, 1)


def test_who_runs_only_what_came_before_the_entrys_newest_state_has_not_given_up_yet() -> None:
    subscription, (node, _) = make_limited(100), make_node()
    ask(subscription, node)
    set_remaining(subscription=subscription, remaining=50, actor=None, at=NOON)
    takes_over(node)
    # the entry moves on: a node that comes back late may get all older entries before it
    suspend(subscription=subscription, actor=None)
    assert ask(subscription, node, at=SOON).settling is True
    takes_over(node)
    assert ask(subscription, node, at=SOON).settling is False


def test_all_that_a_silent_node_may_hold_counts_as_spent_until_it_speaks() -> None:
    subscription, (one, _), (silent, _) = make_limited(100), make_node(), make_node()
    held = ask(subscription, silent).granted
    set_remaining(subscription=subscription, remaining=50, actor=None, at=NOON)
    takes_over(one)
    later = NOON + SETTLE
    assert drain(subscription, one, later) == 50 - held
    takes_over(silent)
    assert drain(subscription, one, later) == held


def test_a_node_that_held_nothing_is_not_waited_for() -> None:
    subscription, (one, _), _ = make_limited(100), make_node(), make_node()
    set_remaining(subscription=subscription, remaining=3, actor=None, at=NOON)
    assert drain(subscription, one, SOON) == 3


def test_void_units_cannot_be_given_back() -> None:
    subscription, (node, _) = make_limited(100), make_node()
    grant = ask(subscription, node)
    set_remaining(subscription=subscription, remaining=50, actor=None, at=NOON)
    back: dict[str, Any] = {"subscription_id": subscription.pk, "starts_at": grant.starts_at, "units": 5}
    assert give_back(node=node, epoch=0, **back) == 0
    assert give_back(node=node, epoch=1, **back) == 0
    takes_over(node)
    assert drain(subscription, node, SOON) == 50
    assert give_back(node=node, epoch=1, **back) == 5
    assert drain(subscription, node, SOON) == 5


def test_an_ask_repeated_after_it_gets_no_void_units() -> None:
    subscription, (node, _) = make_limited(100), make_node()
    ask(subscription, node, request="lost")
    set_remaining(subscription=subscription, remaining=50, actor=None, at=NOON)
    takes_over(node)
    assert ask(subscription, node, request="lost", at=SOON).granted == 0
    assert drain(subscription, node, SOON) == 50


def test_twice_in_a_row_the_last_word_holds() -> None:
    subscription, (node, _) = make_limited(100), make_node()
    ask(subscription, node)
    for remaining in (80, 20):
        set_remaining(subscription=subscription, remaining=remaining, actor=None, at=NOON)
    takes_over(node)
    assert drain(subscription, node, SOON) == 20


def test_an_edit_of_the_limit_afterwards_moves_what_is_left_by_the_difference() -> None:
    subscription, (node, _) = make_limited(100), make_node()
    set_remaining(subscription=subscription, remaining=20, actor=None, at=NOON)
    UsagePlan.objects.update(quota_limit=130)
    assert drain(subscription, node, SOON) == 50


def test_the_next_period_has_the_plans_limit_and_a_newer_epoch() -> None:
    subscription, (node, _) = make_limited(10, quota_period="DAY"), make_node()
    ask(subscription, node)
    set_remaining(subscription=subscription, remaining=500, actor=None, at=NOON)
    tomorrow = NOON + timedelta(days=1)
    assert drain(subscription, node, tomorrow) == 10
    assert ask(subscription, node, at=tomorrow).epoch == 1


def test_each_key_with_a_quota_of_its_own_is_set_alone() -> None:
    subscription, (node, _) = make_limited(10, quota_scope="key"), make_node()
    keys = [make_key(subscription.application)[0] for _ in range(2)]
    set_remaining(subscription=subscription, remaining=3, key=keys[0], actor=None, at=NOON)
    assert [drain(subscription, node, SOON, key_id=key.pk) for key in keys] == [3, 10]
    assert Entry.objects.get(kind="subscription").data["quota_epochs"] == {keys[0].pk: 1}


def test_rotations_of_a_key_are_set_as_one() -> None:
    subscription = make_limited(10, quota_scope="key")
    first, _ = make_key(subscription.application)
    second, _ = make_key(subscription.application, origin=first)
    set_remaining(subscription=subscription, remaining=3, key=second, actor=None, at=NOON)
    assert QuotaWindow.objects.get().key == first
    state = quota_state(subscription.pk, key_id=first.pk, at=SOON)
    assert state is not None
    assert state.limit == 3


def test_what_makes_no_sense_is_refused_by_name() -> None:
    shared, keyed, free = make_limited(), make_limited(quota_scope="key"), make_subscription()
    key, stranger = make_key(shared.application)[0], make_key()[0]
    for fields, field in [
        ({"subscription": shared, "remaining": -1}, "remaining"),
        ({"subscription": shared, "remaining": True}, "remaining"),
        ({"subscription": shared, "remaining": 10**16}, "remaining"),
        ({"subscription": free, "remaining": 1}, "remaining"),
        ({"subscription": shared, "remaining": 1, "key": key}, "key"),
        ({"subscription": keyed, "remaining": 1}, "key"),
        ({"subscription": keyed, "remaining": 1, "key": stranger}, "key"),
    ]:
        with pytest.raises(Refused) as refused:
            set_remaining(**fields, actor=None)
        assert refused.value.field == field
    cancel(subscription=shared, actor=None)
    with pytest.raises(Refused, match="cancelled"):
        set_remaining(subscription=shared, remaining=1, actor=None)
    assert not QuotaWindow.objects.exists()


def test_both_sides_read_of_it_in_their_trails() -> None:
    subscription = make_limited()
    set_remaining(subscription=subscription, remaining=7, actor=None, at=NOON)
    assert audit_actions() == ["subscription.remaining_set"] * 2
    assert not Lease.objects.exists()


def test_the_limits_that_hold_now_have_the_offset_and_what_was_set_by_hand_in_them(
    django_assert_num_queries: Any,
) -> None:
    plain, first, adjusted = make_limited(), make_limited(quota_offset=30), make_limited()
    for each in (plain, first, adjusted):
        each.started_at = NOON - timedelta(days=1)
        each.save()
    set_remaining(subscription=adjusted, remaining=7, actor=None, at=NOON)
    with django_assert_num_queries(1):
        found = limits_now([plain, first, adjusted], at=SOON)
    assert found == {plain.pk: 100, first.pk: 70, adjusted.pk: 7}
