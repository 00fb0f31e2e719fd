"""Usage plans: what is refused, and what a change does."""

import pytest

from access.models import PlanVisibility, UsagePlan
from access.plans import archive_plan, change_plan, create_plan, delete_plan
from access.subscribe import cancel
from accounts.errors import Refused
from tests.factories import (
    audit_actions,
    make_api,
    make_application,
    make_organization,
    make_plan,
    make_stage,
    make_subscription,
    make_version,
)

pytestmark = pytest.mark.django_db


def test_a_plan_keeps_its_limits_and_opens_its_stages(heard):
    stage = make_stage()
    plan = create_plan(
        organization=stage.organization,
        name="Free",
        actor=None,
        stages=[stage],
        throttle_rate=5,
        throttle_burst=10,
        quota_limit=1_000,
    )
    plan.refresh_from_db()
    assert (plan.throttle_rate, plan.throttle_burst, plan.quota_limit, plan.quota_period) == (
        5.0,
        10,
        1_000,
        "MONTH",
    )
    assert list(plan.stages.all()) == [stage]
    assert heard == [("plans", [plan.pk])]
    assert audit_actions() == ["plan.created"]


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"name": " "}, "name"),
        ({"throttle_rate": 5}, "throttle_burst"),
        ({"throttle_burst": 5}, "throttle_rate"),
        ({"throttle_rate": -1, "throttle_burst": 1}, "throttle_rate"),
        ({"throttle_rate": float("nan"), "throttle_burst": 1}, "throttle_rate"),
        ({"throttle_rate": float("inf"), "throttle_burst": 1}, "throttle_rate"),
        ({"throttle_rate": 2_000_000, "throttle_burst": 1}, "throttle_rate"),
        ({"throttle_rate": "fast", "throttle_burst": 1}, "throttle_rate"),
        ({"throttle_rate": 5, "throttle_burst": 0}, "throttle_burst"),
        ({"throttle_rate": 0, "throttle_burst": 5}, "throttle_burst"),
        ({"throttle_rate": 5, "throttle_burst": -5}, "throttle_burst"),
        ({"quota_limit": 0}, "quota_limit"),
        ({"quota_limit": -1}, "quota_limit"),
        ({"quota_limit": 1, "quota_period": "YEAR"}, "quota_period"),
        ({"quota_offline_allowance": -1}, "quota_offline_allowance"),
        ({"visibility": "secret"}, "visibility"),
        ({"request_log": "some"}, "request_log"),
    ],
)
def test_half_set_and_senseless_fields_are_refused_by_name(fields, field, heard):
    given = {"organization": make_organization(), "name": "Free", "actor": None}
    with pytest.raises(Refused) as refused:
        create_plan(**(given | fields))
    assert refused.value.field == field
    assert UsagePlan.objects.count() == 0
    assert heard == []


@pytest.mark.parametrize("limits", [{}, {"throttle_rate": 0, "throttle_burst": 0}, {"quota_limit": 1}])
def test_no_limit_a_block_and_the_smallest_quota_are_fine(limits):
    plan = create_plan(organization=make_organization(), name="Free", actor=None, **limits)
    assert plan.pk


def test_a_change_is_checked_as_a_whole():
    plan = make_plan(throttle_rate=5, throttle_burst=10)
    with pytest.raises(Refused) as refused:
        change_plan(plan=plan, actor=None, throttle_burst=None)
    assert refused.value.field == "throttle_burst"
    changed = change_plan(plan=plan, actor=None, throttle_rate=None, throttle_burst=None)
    assert changed.throttle_rate is None


def test_a_change_is_announced_once_with_what_was_before(heard):
    old, new = make_stage(), make_stage()
    plan = make_plan(old, name="Free")
    new.organization = plan.organization
    new.save()
    change_plan(plan=plan, actor=None, name="Small", stages=[new], position=0)
    assert heard == [("plans", [plan.pk])]
    assert list(plan.stages.all()) == [new]
    event = plan.organization.audit_events.get()
    assert event.changes == {"name": ["Free", "Small"], "stages": [[str(old)], [str(new)]]}


def test_a_change_to_the_same_is_not_announced(heard):
    plan = make_plan(name="Free")
    change_plan(plan=plan, actor=None, name="Free", stages=list(plan.stages.all()))
    assert (heard, audit_actions()) == ([], [])


def test_a_name_is_taken_once_per_organization():
    plan = make_plan(name="Free")
    with pytest.raises(Refused, match="another name") as refused:
        create_plan(organization=plan.organization, name="Free", actor=None)
    assert (refused.value.field, refused.value.code) == ("name", "taken")
    assert create_plan(organization=make_organization(), name="Free", actor=None).pk


def test_nobody_sells_another_organizations_stage():
    strange = make_stage()
    with pytest.raises(Refused, match="own organization") as refused:
        create_plan(organization=make_organization(), name="Free", actor=None, stages=[strange])
    assert refused.value.field == "stages"
    with pytest.raises(Refused, match="own organization"):
        change_plan(plan=make_plan(), actor=None, stages=[strange])


def test_a_stage_is_not_added_where_a_subscriber_reaches_it_already():
    mine = make_stage()
    first = make_plan(mine)
    second = make_plan(make_stage(make_version(make_api(mine.organization))))
    application = make_application()
    make_subscription(application, first)
    held = make_subscription(application, second)
    both = [*second.stages.all(), mine]
    with pytest.raises(Refused, match="already") as refused:
        change_plan(plan=second, actor=None, stages=both)
    assert (refused.value.field, refused.value.code) == ("stages", "overlap")
    cancel(subscription=held, actor=None)
    assert change_plan(plan=second, actor=None, stages=both).stages.count() == 2


def test_a_plan_with_subscriptions_is_archived_not_deleted(heard):
    plan = make_subscription().plan
    with pytest.raises(Refused, match="Archive it") as refused:
        delete_plan(plan=plan, actor=None)
    assert refused.value.code == "in_use"
    assert archive_plan(plan=plan, actor=None).visibility == PlanVisibility.ARCHIVED
    assert heard == [("plans", [plan.pk])]


def test_an_unused_plan_is_deleted_and_announced(heard):
    plan = make_plan()
    delete_plan(plan=plan, actor=None)
    assert UsagePlan.objects.count() == 0
    assert heard == [("plans", [plan.pk])]
    assert audit_actions() == ["plan.deleted"]
