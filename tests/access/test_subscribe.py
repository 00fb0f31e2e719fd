"""Subscriptions, from the request to the end."""

import pytest

from access.keys import parse_key
from access.models import ApiKey, Application, PlanVisibility, Subscription, UsagePlan
from access.subscribe import approve, cancel, resume, sign_up_for_plan, subscribe, suspend
from accounts.errors import Refused
from apis.models import VersionState
from tests.factories import (
    audit_actions,
    make_application,
    make_organization,
    make_plan,
    make_stage,
    make_subscription,
    make_user,
    make_version,
)

pytestmark = pytest.mark.django_db


def test_a_subscription_is_active_at_once(heard):
    alice = make_user("alice")
    application, plan = make_application(), make_plan()
    made = subscribe(application=application, plan=plan, actor=alice)
    assert (made.state, made.organization, made.provider, made.created_by) == (
        "active",
        application.organization,
        plan.organization,
        alice,
    )
    assert heard == [("subscriptions", [made.pk])]


def test_both_organizations_find_it_in_their_trails():
    made = subscribe(application=make_application(), plan=make_plan(), actor=None)
    assert made.organization.audit_events.get().action == "subscription.created"
    assert made.provider.audit_events.get().action == "subscription.created"


def test_who_subscribes_to_her_own_plan_finds_it_once():
    plan = make_plan()
    made = subscribe(application=make_application(plan.organization), plan=plan, actor=None)
    assert made.organization.audit_events.count() == 1


def test_a_plan_that_requires_approval_makes_it_wait():
    plan = make_plan(requires_approval=True)
    waiting = subscribe(application=make_application(), plan=plan, actor=None)
    assert waiting.state == "pending"
    assert approve(subscription=waiting, actor=None).state == "active"


@pytest.mark.parametrize("visibility", [PlanVisibility.PUBLIC, PlanVisibility.HIDDEN])
def test_public_and_hidden_plans_take_subscriptions(visibility):
    plan = make_plan(visibility=visibility)
    assert subscribe(application=make_application(), plan=plan, actor=None).pk


def test_an_archived_plan_takes_none():
    with pytest.raises(Refused, match="no new subscriptions") as refused:
        subscribe(application=make_application(), plan=make_plan(visibility="archived"), actor=None)
    assert refused.value.field == "plan"


def test_a_plan_that_opens_nothing_takes_none():
    retired = make_plan(make_stage(make_version(state=VersionState.RETIRED)))
    empty = UsagePlan.objects.create(organization=make_organization(), name="Empty")
    for plan in (retired, empty):
        with pytest.raises(Refused, match="opens no API"):
            subscribe(application=make_application(), plan=plan, actor=None)


@pytest.mark.parametrize("state", ["pending", "active", "suspended"])
def test_two_living_subscriptions_to_one_stage_are_refused_with_the_way_out(state, heard):
    stage = make_stage()
    held = make_subscription(plan=make_plan(stage, name="Free"), state=state)
    with pytest.raises(Refused, match=r"by the plan Free already\. Cancel that subscription") as refused:
        subscribe(application=held.application, plan=make_plan(stage), actor=None)
    assert (refused.value.field, refused.value.code) == ("plan", "overlap")
    assert heard == []


def test_the_same_plan_twice_is_refused():
    held = make_subscription()
    with pytest.raises(Refused, match="already") as refused:
        subscribe(application=held.application, plan=held.plan, actor=None)
    assert refused.value.code == "taken"


def test_another_stage_or_another_application_is_fine():
    held = make_subscription()
    assert subscribe(application=held.application, plan=make_plan(), actor=None).pk
    assert subscribe(application=make_application(held.organization), plan=held.plan, actor=None).pk


def test_after_cancelling_she_may_subscribe_again():
    held = make_subscription()
    ended = cancel(subscription=held, actor=None)
    assert ended.state == "cancelled"
    assert ended.ended_at >= ended.started_at
    again = subscribe(application=held.application, plan=held.plan, actor=None)
    assert again.pk != held.pk
    assert Subscription.objects.count() == 2


def test_every_move_is_announced_and_written_down_once(heard):
    held = make_subscription(state="pending")
    provider_actions = [
        verb(subscription=held, actor=None).state for verb in (approve, suspend, resume, cancel)
    ]
    assert provider_actions == ["active", "suspended", "active", "cancelled"]
    assert heard == [("subscriptions", [held.pk])] * 4
    moves = ["approved", "suspended", "resumed", "cancelled"]
    written = held.provider.audit_events.order_by("id").values_list("action", flat=True)
    assert list(written) == [f"subscription.{move}" for move in moves]


@pytest.mark.parametrize(
    ("verb", "states"),
    [
        (approve, ["active", "suspended", "cancelled"]),
        (suspend, ["pending", "suspended", "cancelled"]),
        (resume, ["pending", "active", "cancelled"]),
        (cancel, ["cancelled"]),
    ],
)
def test_a_move_from_the_wrong_state_is_refused(verb, states, heard):
    for state in states:
        with pytest.raises(Refused, match="cannot be") as refused:
            verb(subscription=make_subscription(state=state), actor=None)
        assert refused.value.code == "wrong_state"
    assert heard == []


def test_signing_up_makes_application_subscription_and_key(heard):
    alice = make_user("alice")
    plan = make_plan()
    subscription, key, text = sign_up_for_plan(
        organization=make_organization(alice), application_name="Shop", plan=plan, actor=alice
    )
    assert (subscription.plan, subscription.state) == (plan, "active")
    assert key.application == subscription.application
    assert key.application.name == "Shop"
    assert parse_key(text).hash == key.hash
    assert heard == [("subscriptions", [subscription.pk]), ("keys", [key.pk])]
    expected = ["application.created", "subscription.created", "subscription.created", "key.created"]
    assert audit_actions() == expected


@pytest.mark.parametrize("visibility", ["archived"])
def test_a_refused_sign_up_leaves_nothing_behind(visibility, heard):
    acme = make_organization()
    with pytest.raises(Refused):
        sign_up_for_plan(
            organization=acme, application_name="Shop", plan=make_plan(visibility=visibility), actor=None
        )
    assert not Application.objects.exists()
    assert not ApiKey.objects.exists()
    assert (heard, audit_actions()) == ([], [])


def test_a_taken_application_name_is_refused_at_its_field():
    shop = make_application(name="Shop")
    with pytest.raises(Refused) as refused:
        sign_up_for_plan(
            organization=shop.organization, application_name="Shop", plan=make_plan(), actor=None
        )
    assert (refused.value.field, refused.value.code) == ("application_name", "taken")


def test_a_declined_request_lasted_no_time_and_an_approved_one_begins_when_it_is_approved():
    plan = make_plan(make_stage(), requires_approval=True)
    declined = subscribe(application=make_application(), plan=plan, actor=None)
    declined = cancel(subscription=declined, actor=None)
    assert declined.ended_at == declined.started_at
    approved = subscribe(application=make_application(), plan=plan, actor=None)
    asked = approved.started_at
    approved = approve(subscription=approved, actor=None)
    assert approved.started_at > asked
    assert approved.ended_at is None
