"""Calls bounded by what they cost: leases never give out more than billing says may follow."""

from datetime import UTC, datetime

import pytest

from access.allowances import Bound, bound
from access.models import CallAllowance
from nodes import entries
from nodes.leases import give_back, lease
from nodes.models import Entry, QuotaWindow
from nodes.wanted import Wanted, wanted_of
from tests.factories import audit_actions, make_key, make_plan, make_subscription
from tests.nodes.factories import make_node
from tests.nodes.test_leases import NOON, drain

pytestmark = pytest.mark.django_db
MONTH = datetime(2026, 11, 1, tzinfo=UTC)
DECEMBER = datetime(2026, 12, 1, tzinfo=UTC)


def allow(subscription, further, counted=0, **fields):
    return bound(bounds=[Bound(subscription, further, counted, MONTH, **fields)])


def entry_of(subscription):
    return Entry.objects.get(kind="subscription", key=subscription.pk).data


@pytest.fixture
def free():
    """A subscription whose plan has no quota."""
    return make_subscription(plan=make_plan())


def test_a_plan_without_a_quota_gives_out_exactly_what_may_follow(free):
    allow(free, 700)
    nodes = [make_node()[0] for _ in range(2)]
    assert drain(free, nodes[0], want=40) + drain(free, nodes[1]) == 700
    assert lease(node=nodes[0], subscription_id=free.pk, want=1, at=NOON).granted == 0


def test_calls_that_were_metered_meanwhile_take_nothing_twice(free):
    node, _ = make_node()
    allow(free, 100, counted=5_000)  # made before, without leases
    assert lease(node=node, subscription_id=free.pk, want=10, at=NOON).granted == 10
    # ten calls of the lease are metered, and money for ninety more is left
    allow(free, 90, counted=5_010)
    assert drain(free, node) == 90
    # none of those ninety is metered yet: they are not given out again
    allow(free, 90, counted=5_010)
    assert drain(free, node) == 0
    allow(free, 0, counted=5_100)
    assert drain(free, node) == 0
    # the cap is raised
    allow(free, 25, counted=5_100)
    assert drain(free, node) == 25


def test_units_that_come_back_can_be_given_out_again(free):
    node, _ = make_node()
    allow(free, 10)
    drain(free, node)
    give_back(node=node, subscription_id=free.pk, starts_at=int(MONTH.timestamp()), units=4)
    assert drain(free, node) == 4


def test_the_quota_holds_beside_it():
    node, _ = make_node()
    limited = make_subscription(plan=make_plan(quota_limit=30))
    allow(limited, 1_000)
    assert drain(limited, node) == 30
    tight = make_subscription(plan=make_plan(quota_limit=1_000))
    allow(tight, 20)
    assert drain(tight, node) == 20


def test_keys_with_quotas_of_their_own_share_it():
    node, _ = make_node()
    subscription = make_subscription(plan=make_plan(quota_limit=1_000, quota_scope="key"))
    keys = [make_key(subscription.application)[0] for _ in range(2)]
    allow(subscription, 50)
    total = 0
    for turn in range(200):
        key = keys[turn % 2].pk
        total += lease(node=node, subscription_id=subscription.pk, key_id=key, want=7, at=NOON).granted
    assert total == 50


def test_calls_that_a_node_admitted_while_cut_off_count(free):
    node, _ = make_node()
    allow(free, 100)
    first = lease(node=node, subscription_id=free.pk, want=5, offline_spent=60, at=NOON)
    assert first.granted + drain(free, node) == 40


def test_a_window_that_billing_has_not_seen_counts_from_its_beginning(free):
    node, _ = make_node()
    allow(free, 100, counted=4_000)
    assert drain(free, node, at=datetime(2026, 12, 3, tzinfo=UTC)) == 100
    bound(bounds=[Bound(free, 60, 40, DECEMBER)])  # forty of them are metered
    assert CallAllowance.objects.get().unleased == 0
    assert drain(free, node, at=datetime(2026, 12, 3, tzinfo=UTC)) == 0
    bound(bounds=[Bound(free, 60, 100, DECEMBER)])
    assert drain(free, node, at=datetime(2026, 12, 3, tzinfo=UTC)) == 60


def test_a_lowered_bound_has_nodes_give_back_what_they_hold(free):
    node, _ = make_node()
    allow(free, 1_000)
    held = lease(node=node, subscription_id=free.pk, want=200, at=NOON).granted
    allow(free, 10)
    assert lease(node=node, subscription_id=free.pk, want=1, at=NOON).granted == 0
    assert wanted_of(node, at=NOON) == [Wanted(free.pk, "", 0)]
    give_back(node=node, subscription_id=free.pk, starts_at=int(MONTH.timestamp()), units=held)
    assert drain(free, node) == 10


def test_no_bound_leaves_calls_alone(free):
    node, _ = make_node()
    allow(free, None)
    assert lease(node=node, subscription_id=free.pk, want=5_000, at=NOON).granted == 5_000
    assert QuotaWindow.objects.get().leased == 5_000


def test_the_entry_tells_of_it_and_of_the_stop(free):
    assert allow(free, 5).stopped == []
    quota = entry_of(free)["quota"]
    assert (quota["period"], quota["offline_allowance"]) == ("MONTH", 1_000)
    moved = allow(free, 0, stopped_until=DECEMBER, reason="The spend cap is reached.")
    assert moved.stopped == [free.pk]
    told = entry_of(free)
    assert (told["stopped_until"], told["stopped"]) == (DECEMBER.timestamp(), "The spend cap is reached.")
    assert allow(free, 0, stopped_until=DECEMBER, reason="The spend cap is reached.").stopped == []
    assert allow(free, 9).resumed == [free.pk]
    assert "stopped_until" not in entry_of(free)
    bound(bounds=[], free=[free.pk])
    assert "quota" not in entry_of(free)
    assert not CallAllowance.objects.exists()
    assert audit_actions() == ["subscription.stopped", "subscription.let_go_on"]


def test_a_number_that_moves_writes_no_entry(free):
    allow(free, 50)
    before = Entry.objects.get(kind="subscription", key=free.pk).generation
    allow(free, 40, counted=10)
    assert Entry.objects.get(kind="subscription", key=free.pk).generation == before
    assert entries.snapshot(after=before, limit=10).entries == []
