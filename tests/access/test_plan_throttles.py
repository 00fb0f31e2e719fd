"""Throttles of plans for single operations."""

from typing import Any

import pytest

from access import plan_throttles
from access.limits import notes_on
from access.models import PlanThrottle, UsagePlan
from access.plan_throttles import remove_plan_throttle, set_plan_throttle
from access.plans import change_plan, create_plan
from accounts.errors import Refused
from tests.factories import audit_actions, make_operation, make_organization, make_plan, make_stage

pytestmark = pytest.mark.django_db


def set_throttle(plan: UsagePlan, **fields: Any) -> PlanThrottle:
    given = {"stage": plan.stages.first(), "operation": None, "rate": 1, "burst": 2, "actor": None}
    return set_plan_throttle(plan=plan, **(given | fields))


def test_setting_one_twice_replaces_it(heard: list[Any]) -> None:
    plan = make_plan()
    first = set_throttle(plan)
    assert set_throttle(plan, rate=5, burst=5).pk == first.pk
    set_throttle(plan, rate=5, burst=5)
    assert (PlanThrottle.objects.get().rate, PlanThrottle.objects.get().burst) == (5.0, 5)
    assert heard == [("plans", [plan.pk])] * 2
    assert audit_actions() == ["plan.throttle_set"] * 2


def test_an_operation_stands_beside_all_operations() -> None:
    plan = make_plan()
    operation = make_operation(plan.stages.get().version)
    set_throttle(plan)
    set_throttle(plan, operation=operation, rate=0, burst=0)
    assert plan.operation_throttles.count() == 2


def test_a_removed_one_is_told(heard: list[Any]) -> None:
    plan = make_plan()
    remove_plan_throttle(throttle=set_throttle(plan), actor=None)
    assert not PlanThrottle.objects.exists()
    assert heard == [("plans", [plan.pk])] * 2
    assert audit_actions() == ["plan.throttle_set", "plan.throttle_removed"]


def test_what_makes_no_sense_is_refused_by_name(heard: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    plan = make_plan()
    for fields, field in [
        ({"rate": None}, "rate"),
        ({"burst": None}, "burst"),
        ({"rate": None, "burst": None}, "rate"),
        ({"rate": 0}, "burst"),
        ({"rate": float("nan")}, "rate"),
        ({"stage": make_stage()}, "stage"),
        ({"operation": make_operation()}, "operation"),
    ]:
        with pytest.raises(Refused) as refused:
            set_throttle(plan, **fields)
        assert refused.value.field == field
    monkeypatch.setattr(plan_throttles, "MOST_THROTTLES", 0)
    with pytest.raises(Refused) as refused:
        set_throttle(plan)
    assert refused.value.code == "too_many"
    assert heard == []


def test_a_stage_that_leaves_the_plan_takes_its_throttles_along() -> None:
    plan = make_plan()
    set_throttle(plan)
    change_plan(plan=plan, actor=None, stages=[])
    assert not PlanThrottle.objects.exists()


def test_a_narrower_limit_above_a_broader_one_is_let_in_and_noted() -> None:
    stage = make_stage(throttle_rate=10, throttle_burst=10)
    plan = make_plan(stage, throttle_rate=20, throttle_burst=20)
    operation = make_operation(stage.version, method="GET", path="/dear")
    set_throttle(plan, operation=operation, rate=15, burst=1)
    set_throttle(plan, rate=5, burst=1)
    notes = notes_on(UsagePlan.objects.get(pk=plan.pk))
    assert len(notes) == 2
    assert "20 calls a second are above the 10 of its stage" in notes[0]
    assert notes[1] == "The 15 calls a second for GET /dear are above the stage's 10, which hold."
    assert notes_on(make_plan()) == []


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"quota_offset": 5}, "quota_limit"),
        ({"quota_limit": 5, "quota_offset": 6}, "quota_offset"),
        ({"quota_limit": 5, "quota_offset": -1}, "quota_offset"),
        ({"quota_limit": 5, "quota_scope": "caller"}, "quota_scope"),
    ],
)
def test_a_senseless_quota_is_refused_by_name(fields: dict[str, Any], field: str) -> None:
    with pytest.raises(Refused) as refused:
        create_plan(organization=make_organization(), name="Free", actor=None, **fields)
    assert refused.value.field == field


def test_an_offset_may_be_as_large_as_the_quota_itself() -> None:
    plan = create_plan(organization=make_organization(), name="F", actor=None, quota_limit=5, quota_offset=5)
    assert (plan.quota_offset, plan.quota_scope) == (5, "subscription")
