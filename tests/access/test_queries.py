"""What pages ask of this room: the right rows, at a constant number of queries."""

from datetime import timedelta

import pytest
from django.utils.timezone import now

from access.models import PlanVisibility
from access.queries import (
    applications_of,
    living_keys,
    open_plans,
    plans_of,
    subscribers_of,
    subscriptions_of,
    visible_plans,
    waiting_for_approval,
)
from apis.models import VersionState, Visibility
from tests.factories import (
    make_api,
    make_application,
    make_key,
    make_member,
    make_organization,
    make_plan,
    make_staff,
    make_stage,
    make_subscription,
    make_user,
    make_version,
)

pytestmark = pytest.mark.django_db


def test_an_api_shows_its_public_plans_once_each():
    api = make_api()
    stages = [make_stage(make_version(api)) for _ in range(2)]
    plan = make_plan(*stages, position=2)
    first = make_plan(stages[0], position=1)
    for visibility in (PlanVisibility.HIDDEN, PlanVisibility.ARCHIVED):
        make_plan(stages[0], visibility=visibility)
    make_plan()
    assert list(visible_plans(api)) == [first, plan]


def test_a_plan_that_opens_nothing_alive_is_not_shown():
    api = make_api()
    make_plan(make_stage(make_version(api), deployment=None))
    make_plan(make_stage(make_version(api), name="beta"))
    make_plan(make_stage(make_version(api, state=VersionState.RETIRED)))
    assert list(visible_plans(api)) == []


def test_plans_cost_the_same_however_many(django_assert_num_queries):
    stage = make_stage()
    for count in (1, 3):
        while visible_plans(stage.version.api).count() < count:
            make_plan(stage)
        with django_assert_num_queries(2):
            plans = visible_plans(stage.version.api)
            shown = [(str(plan.organization), [str(each) for each in plan.stages.all()]) for plan in plans]
        assert len(shown) == count


def test_who_may_pick_which_plan():
    alice, charlie = make_user("alice"), make_user("charlie")
    acme = make_organization(alice)
    plans = {
        visibility: make_plan(make_stage(make_version(make_api(acme, visibility=visibility))))
        for visibility in Visibility
    }
    public, signed_in = plans[Visibility.PUBLIC], plans[Visibility.SIGNED_IN]
    assert set(open_plans(None)) == {public}
    assert set(open_plans(charlie)) == {public, signed_in}
    assert set(open_plans(alice)) == set(plans.values())
    assert set(open_plans(make_staff())) == set(plans.values())


def test_a_hidden_plan_cannot_be_picked_by_anybody():
    make_plan(visibility=PlanVisibility.HIDDEN)
    assert list(open_plans(make_staff())) == []


def test_charlie_sees_nothing_of_others():
    make_key(make_subscription().application)
    charlies = make_organization(make_user("charlie"))
    for question in (applications_of, subscriptions_of, subscribers_of, living_keys, plans_of):
        assert list(question(charlies)) == []


def test_developer_and_provider_see_the_subscription_from_their_side(django_assert_num_queries):
    held = make_subscription()
    for _ in range(2):
        make_subscription(make_application(held.organization), held.plan)
    for question, organization in ((subscriptions_of, held.organization), (subscribers_of, held.provider)):
        with django_assert_num_queries(1):
            rows = [
                (each.application.name, each.plan.name, each.provider.name, each.organization.name)
                for each in question(organization)
            ]
        assert len(rows) == 3


def test_the_approval_queue_is_oldest_first():
    plan = make_plan()
    late = make_subscription(plan=plan, state="pending")
    early = make_subscription(plan=plan, state="pending", started_at=now() - timedelta(days=1))
    make_subscription(plan=plan)
    assert list(waiting_for_approval(plan.organization)) == [early, late]


def test_living_keys_leave_out_the_dead():
    application = make_application()
    alive, _ = make_key(application)
    disabled, _ = make_key(application, state="disabled")
    past = now() - timedelta(seconds=1)
    make_key(application, state="revoked")
    make_key(application, expires_at=past)
    make_key(application, grace_until=past)
    assert set(living_keys(application.organization)) == {alive, disabled}


def test_applications_come_with_what_lives_in_them(django_assert_num_queries):
    acme = make_organization()
    for _ in range(3):
        application = make_application(acme)
        make_subscription(application)
        make_subscription(application, state="cancelled")
        make_key(application)
        make_key(application, state="revoked")
    with django_assert_num_queries(3):
        applications = list(applications_of(acme))
        held = [
            (len(each.living_subscriptions), each.living_subscriptions[0].plan.name, len(each.living_keys))
            for each in applications
        ]
    assert [(subscriptions, keys) for subscriptions, _, keys in held] == [(1, 1)] * 3


def test_a_providers_plans_come_with_the_number_of_subscribers(django_assert_num_queries):
    plan = make_plan(position=1)
    other = make_plan(*plan.stages.all(), position=2)
    for state in ("active", "pending", "cancelled"):
        make_subscription(plan=plan, state=state)
    make_member(plan.organization)
    with django_assert_num_queries(2):
        assert [
            (each, each.living_count, len(each.stages.all())) for each in plans_of(plan.organization)
        ] == [
            (plan, 2, 1),
            (other, 0, 1),
        ]
