"""Changing plans and billing groups by programs."""

from collections.abc import Callable
from typing import Any

import pytest

from access.models import Subscription, UsagePlan
from accounts.models import Role
from tests.factories import make_application, make_member, make_plan, make_stage, make_subscription, make_user
from tests.rest.conftest import Program


@pytest.fixture
def sold(alice: Program) -> tuple[Subscription, UsagePlan]:
    """Alice's subscription to somebody's plan, and another plan for the same stage."""
    stage = make_stage()
    application = make_application(alice.organization)
    return make_subscription(application, make_plan(stage)), make_plan(stage)


Sold = tuple[Subscription, UsagePlan]


def test_a_developer_changes_plan_and_undoes(alice: Program, sold: Sold) -> None:
    subscription, plan = sold
    path = f"subscriptions/{subscription.pk}"
    planned = alice.done(f"{path}/change-plan", {"plan": plan.pk, "at": "period_end"})
    assert (planned["plan"], planned["next_plan"], planned["next_plan_waits"]) == (
        subscription.plan_id,
        plan.pk,
        False,
    )
    assert planned["next_plan_at"].endswith("Z")
    assert alice.done(f"{path}/cancel-change")["next_plan"] is None
    assert alice.done(f"{path}/change-plan", {"plan": plan.pk})["plan"] == plan.pk
    assert alice.done(f"{path}/cancel", {"at": "period_end"})["cancel_at"] == planned["next_plan_at"]
    assert alice.done(f"{path}/cancel")["state"] == "cancelled"


def test_a_change_that_a_rule_forbids_names_the_field(alice: Program, sold: Sold) -> None:
    subscription, _ = sold
    foreign = make_plan()
    response = alice.post(f"subscriptions/{subscription.pk}/change-plan", {"plan": foreign.pk})
    assert (response.status_code, response.json()["errors"][0]["field"]) == (422, "plan")
    response = alice.post(f"subscriptions/{subscription.pk}/change-plan", {"plan": foreign.pk, "at": "soon"})
    assert (response.status_code, response.json()["errors"][0]["field"]) == (422, "at")


def test_hidden_plans_are_not_there(alice: Program, sold: Sold) -> None:
    subscription, plan = sold
    plan.visibility = "hidden"
    plan.save()
    response = alice.post(f"subscriptions/{subscription.pk}/change-plan", {"plan": plan.pk})
    assert response.json()["errors"][0]["code"] == "does_not_exist"


def test_the_provider_approves_but_does_not_change(
    alice: Program, sold: Sold, program: Callable[..., Program]
) -> None:
    subscription, plan = sold
    plan.requires_approval = True
    plan.save()
    path = f"subscriptions/{subscription.pk}"
    assert alice.done(f"{path}/change-plan", {"plan": plan.pk})["next_plan_waits"] is True
    assert alice.post(f"{path}/approve-change").status_code == 403
    provider = program(subscription.provider)
    assert provider.post(f"{path}/change-plan", {"plan": plan.pk}).status_code == 403
    assert provider.done(f"{path}/approve-change")["plan"] == plan.pk


def test_a_provider_refuses_with_a_reason(
    alice: Program, program: Callable[..., Program], sold: Sold
) -> None:
    subscription, plan = sold
    plan.requires_approval = True
    plan.save()
    path = f"subscriptions/{subscription.pk}"
    alice.done(f"{path}/change-plan", {"plan": plan.pk})
    assert alice.post(f"{path}/refuse", {"reason": "Mine"}).status_code == 403
    provider = program(subscription.provider)
    assert provider.post(f"{path}/refuse", {}).json()["errors"][0]["field"] == "reason"
    assert provider.done(f"{path}/refuse", {"reason": "Too early"})["next_plan"] is None


def test_strangers_find_no_subscription(charlie: Program, sold: Sold) -> None:
    subscription, plan = sold
    for action, body in (
        ("change-plan", {"plan": plan.pk}),
        ("cancel-change", None),
        ("approve-change", None),
        ("refuse", {"reason": "Ours"}),
    ):
        assert charlie.post(f"subscriptions/{subscription.pk}/{action}", body).status_code == 404


def of(program: Program) -> str:
    assert program.organization is not None
    return program.organization.pk


def test_a_billing_group_is_asked_for_accepted_and_left(alice: Program, charlie: Program) -> None:
    child, parent = of(alice), of(charlie)
    asked = alice.done(f"organizations/{child}/billing-parent", {"parent": parent})
    assert (asked["billing_parent"], asked["asked_billing_parent"]) == (None, parent)
    assert charlie.get(f"organizations/{parent}").json()["asking_billing_children"] == [child]
    taken = charlie.done(f"organizations/{parent}/accept-billing-child", {"child": child})
    assert (taken["billing_children"], taken["asking_billing_children"]) == ([child], [])
    # the parent still sees nothing of the child
    assert charlie.get(f"organizations/{child}").status_code == 404
    assert (
        charlie.done(f"organizations/{parent}/refuse-billing-child", {"child": child})["billing_children"]
        == []
    )
    alice.done(f"organizations/{child}/billing-parent", {"parent": parent})
    assert alice.done(f"organizations/{child}/leave-billing-parent")["asked_billing_parent"] is None


def test_staff_need_not_ask(staff: Program, alice: Program, charlie: Program) -> None:
    joined = staff.done(f"organizations/{of(alice)}/billing-parent", {"parent": of(charlie)})
    assert joined["billing_parent"] == of(charlie)


@pytest.mark.parametrize(
    ("action", "body"),
    [
        ("billing-parent", {"parent": "0000000000"}),
        ("accept-billing-child", {"child": "0000000000"}),
        ("refuse-billing-child", {"child": "0000000000"}),
    ],
)
def test_an_organization_that_is_not_there_is_said_at_the_field(
    alice: Program, action: str, body: dict[str, Any]
) -> None:
    response = alice.post(f"organizations/{of(alice)}/{action}", body)
    assert (response.status_code, response.json()["errors"][0]["field"]) == (422, next(iter(body)))


def test_only_owners_bind_their_organization(
    alice: Program, charlie: Program, program: Callable[..., Program]
) -> None:
    assert alice.organization is not None
    bob = make_member(alice.organization, make_user("bob"), Role.ADMIN).user
    admin = program(alice.organization, bob)
    for action, body in (
        ("billing-parent", {"parent": of(charlie)}),
        ("leave-billing-parent", None),
        ("accept-billing-child", {"child": of(charlie)}),
        ("refuse-billing-child", {"child": of(charlie)}),
    ):
        assert admin.post(f"organizations/{of(alice)}/{action}", body).status_code == 403
