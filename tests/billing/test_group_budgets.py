"""Budgets and caps of a payer over its whole billing group, and over itself alone."""

from decimal import Decimal

import pytest
from django.core import mail
from django.utils.timezone import now

from access.models import CallAllowance
from accounts.errors import Refused
from accounts.webhooks.endpoints import create_endpoint
from accounts.webhooks.models import WebhookEvent
from billing.budgets import change_budget, delete_budget
from billing.models import Budget
from billing.spend_stop import CAP_REACHED, GROUP_CAP_REACHED, late_calls_of
from billing.spending import look_at, watched
from tests.billing.factories import OCTOBER, october, pay_for, subscribed, use
from tests.billing.test_budgets import AT, budget_of, look, make_plan_at, told
from tests.factories import make_application, make_organization, make_user

pytestmark = pytest.mark.django_db
D = Decimal


@pytest.fixture
def family():
    """Alice's company pays for bob's; charlie's is nobody's. All on one plan of 0.01 a call."""
    members = [make_organization(make_user(name), name=f"{name}'s") for name in ("alice", "bob", "charlie")]
    pay_for(members[1], members[0], october(1))
    plan = make_plan_at()
    return [(member, subscribed(plan, member)) for member in members]


def stops():
    rows = CallAllowance.objects.exclude(stopped_until=None)
    return {row.subscription_id: row.reason for row in rows}


def test_the_whole_group_counts_or_ones_own_alone(family):
    (alice, hers), (_, his), (_, others) = family
    own, group = budget_of(alice), budget_of(alice, name="Group", whole_group=True)
    for subscription, calls in ((hers, 100), (his, 450), (others, 900)):
        use(subscription, october(2), calls)
    look(alice)
    spent = dict(Budget.objects.values_list("pk", "spent"))
    assert (spent[own.pk], spent[group.pk]) == (D(1), D("5.5"))
    assert (own.scope, group.scope, told()) == ("organization", "group", [("2026-10", 50)])
    assert WebhookEvent.objects.count() == 0  # nobody listens


@pytest.mark.parametrize("together", [True, False])
def test_a_cap_of_the_group_stops_all_members_and_nobody_else(
    family, together, django_capture_on_commit_callbacks
):
    (alice, hers), (bob, his), (charlie, others) = family
    for each in (alice, bob):
        create_endpoint(organization=each, url="http://127.0.0.1:9/", actor=None)
    cap = budget_of(alice, name="Group", amount="5", whole_group=True, stops=True, percents=[])
    budget_of(charlie, amount="100", stops=True)
    assert watched(caps_only=True) == sorted(each.pk for each in (alice, bob, charlie))
    for subscription, calls in ((hers, 100), (his, 300), (others, 900)):
        use(subscription, october(2), calls)
    ids = [each.pk for each in (alice, bob, charlie)]
    looks = [ids] if together else [[pk] for pk in reversed(ids)]

    def everybody():
        with django_capture_on_commit_callbacks(execute=True):
            for each in looks:
                look_at(organization_ids=each, at=AT)

    everybody()
    # one unit of money left is left to both of them
    further = dict(CallAllowance.objects.values_list("subscription_id", "further"))
    assert (further[hers.pk], further[his.pk], stops()) == (100, 100, {})
    use(his, october(3), 100)
    everybody()
    assert stops() == {hers.pk: GROUP_CAP_REACHED, his.pk: GROUP_CAP_REACHED}
    assert CallAllowance.objects.get(subscription=his).stopped_until == OCTOBER.end
    events = WebhookEvent.objects.filter(type="spend_cap.reached")
    mine = events.filter(organization=alice).order_by("pk")
    assert sorted(pk for each in mine for pk in each.data["stopped"]) == sorted([hers.pk, his.pk])
    assert {(each.data["scope"], each.data["spent"]) for each in mine} == {("group", "5.00")}
    told_bob = events.get(organization=bob).data
    assert (told_bob["stopped"], told_bob["scope"]) == ([his.pk], "group")
    assert {told_bob[name] for name in ("budget", "name", "amount", "spent")} == {None}
    to_bob = [each for each in mail.outbox if each.to == ["bob@example.com"]]
    assert [each.subject for each in to_bob] == [
        "[Gatehouse] A spend cap of alice's is reached: calls are refused"
    ]
    assert "5.00" not in to_bob[0].body
    change_budget(budget=cap, amount="6", actor=None)
    everybody()
    assert stops() == {}
    delete_budget(budget=cap, actor=None)
    assert bob.pk in watched(caps_only=True)  # bound still
    everybody()
    assert CallAllowance.objects.get(subscription=his).further is None


def test_the_tighter_of_ones_own_cap_and_the_payers_holds(family):
    (alice, hers), (bob, his), _ = family
    budget_of(alice, amount="10", whole_group=True, stops=True)
    budget_of(bob, amount="3", stops=True)
    use(his, october(2), 300)
    look(bob)
    assert stops() == {his.pk: CAP_REACHED}
    look(alice)
    assert CallAllowance.objects.get(subscription=hers).further == 700


def test_who_has_left_is_free_and_its_costs_count_no_more(family):
    (alice, _), (bob, his), _ = family
    cap = budget_of(alice, amount="5", whole_group=True, stops=True)
    use(his, october(2), 600)
    look(bob)
    assert stops() == {his.pk: GROUP_CAP_REACHED}
    bob.billing_memberships.update(left_at=october(5))
    bob.billing_parent = None
    bob.save()
    look_at(organization_ids=watched(caps_only=True), at=AT)
    cap.refresh_from_db()
    assert (stops(), cap.spent) == ({}, 0)


def test_what_cannot_be_a_groups_budget_is_refused(family):
    (alice, _), (bob, _), _ = family
    with pytest.raises(Refused, match="counts everything") as refused:
        budget_of(alice, whole_group=True, application=make_application(alice))
    assert refused.value.field == "whole_group"
    with pytest.raises(Refused, match="alice's pays for bob's"):
        budget_of(bob, whole_group=True)


def test_how_exact_a_cap_of_the_group_is(family):
    (alice, hers), _, _ = family
    cap = budget_of(alice, whole_group=True, stops=True)
    assert late_calls_of(cap, [hers], in_group=True) is None


def test_looking_costs_as_many_queries_for_a_large_group_as_for_a_small_one(django_assert_max_num_queries):
    plan = make_plan_at()

    def asked(size):
        payer = make_organization()
        members = [payer, *(make_organization() for _ in range(size))]
        for member in members:
            if member is not payer:
                pay_for(member, payer, now())
            use(subscribed(plan, member), october(2), 10)
        budget_of(payer, amount="90", whole_group=True, stops=True)
        with django_assert_max_num_queries(46) as captured:
            look_at(organization_ids=[each.pk for each in members], at=AT)
        return len(captured.captured_queries)

    asked(1)
    assert asked(9) == asked(1)
