"""Changing plans: now and at the end of the month, with approval, and taken back."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils.timezone import now

from access.change_plan import apply_planned, approve_change, cancel_change, change_plan
from access.due import apply_due
from access.models import PlanChange, PlanVisibility, Subscription, UsagePlan
from access.plans import archive_plan, delete_plan
from access.subscribe import cancel, suspend
from accounts.errors import Refused
from tests.factories import (
    audit_actions,
    make_key,
    make_organization,
    make_plan,
    make_stage,
    make_subscription,
    make_user,
)

pytestmark = pytest.mark.django_db


def sold(**fields: Any) -> tuple[Subscription, UsagePlan]:
    """A subscription, and another plan of its provider for the same stage."""
    stage = make_stage()
    return make_subscription(plan=make_plan(stage)), make_plan(stage, **fields)


def refusal(call: Any) -> Refused:
    with pytest.raises(Refused) as refused:
        call()
    return refused.value


def test_a_change_keeps_the_subscription_and_its_keys(heard: list[Any]) -> None:
    (subscription, plan), alice = sold(), make_user("alice")
    key, _ = make_key(subscription.application)
    old = subscription.plan
    changed = change_plan(subscription=subscription, plan=plan, actor=alice)
    assert (changed.pk, changed.plan, changed.started_at) == (subscription.pk, plan, subscription.started_at)
    key.refresh_from_db()
    assert key.state == "active"
    assert heard == [("subscriptions", [subscription.pk])]
    step = PlanChange.objects.get()
    assert (step.old_plan, step.new_plan, step.counters) == (old, plan, "keep")
    assert (step.at.second, step.at.microsecond) == (0, 0)
    assert timedelta(0) <= now() - step.at < timedelta(minutes=1, seconds=30)


def test_both_organizations_find_it_in_their_trails() -> None:
    subscription, plan = sold()
    change_plan(subscription=subscription, plan=plan, actor=None)
    for organization in (subscription.organization, subscription.provider):
        assert organization.audit_events.get().action == "subscription.plan_changed"


def test_a_second_change_within_the_minute_is_refused() -> None:
    subscription, plan = sold()
    old = subscription.plan
    change_plan(subscription=subscription, plan=plan, actor=None)
    assert refusal(lambda: change_plan(subscription=subscription, plan=old, actor=None)).code == "too_soon"
    PlanChange.objects.update(at=now() - timedelta(minutes=2))
    assert change_plan(subscription=subscription, plan=old, actor=None).plan == old


@pytest.mark.parametrize(
    ("make", "field"),
    [
        (lambda _: make_plan(), "plan"),
        (lambda subscription: subscription.plan, "plan"),
        (
            lambda subscription: make_plan(
                *subscription.plan.stages.all(), visibility=PlanVisibility.ARCHIVED
            ),
            "plan",
        ),
    ],
    ids=["another provider's", "the same", "archived"],
)
def test_plans_that_cannot_be_changed_to(make: Any, field: str) -> None:
    subscription, _ = sold()
    wanted = make(subscription)
    assert refusal(lambda: change_plan(subscription=subscription, plan=wanted, actor=None)).field == field


def test_no_stage_is_reached_twice() -> None:
    subscription, _ = sold()
    provider, other = subscription.provider, make_stage()
    other.version.api.organization = provider
    taken = make_plan(other, organization=provider)
    make_subscription(subscription.application, taken)
    wider = make_plan(*subscription.plan.stages.all(), other, organization=provider)
    refused = refusal(lambda: change_plan(subscription=subscription, plan=wider, actor=None))
    assert (refused.field, refused.code) == ("plan", "overlap")


@pytest.mark.parametrize("state", ["pending", "cancelled"])
def test_only_what_runs_is_changed(state: str) -> None:
    subscription, plan = sold()
    Subscription.objects.update(state=state)
    assert (
        refusal(lambda: change_plan(subscription=subscription, plan=plan, actor=None)).code == "wrong_state"
    )


def test_a_suspended_subscription_stays_suspended() -> None:
    subscription, plan = sold()
    suspend(subscription=subscription, actor=None)
    assert change_plan(subscription=subscription, plan=plan, actor=None).state == "suspended"


def test_at_the_end_of_the_providers_month() -> None:
    provider = make_organization(timezone="Asia/Tokyo")
    stage = make_stage()
    subscription = make_subscription(plan=make_plan(stage, organization=provider))
    plan = make_plan(stage, organization=provider)
    planned = change_plan(subscription=subscription, plan=plan, at="period_end", actor=None)
    assert planned.next_plan_at is not None
    assert (planned.plan == subscription.plan, planned.next_plan) == (True, plan)
    assert (planned.next_plan_at.hour, planned.next_plan_at.minute) == (15, 0)  # midnight in Tokyo
    assert apply_due(at=planned.next_plan_at - timedelta(seconds=1)) == 0
    assert apply_due(at=planned.next_plan_at + timedelta(hours=1)) == 1
    subscription.refresh_from_db()
    assert (subscription.plan, subscription.next_plan, subscription.next_plan_at) == (plan, None, None)
    assert PlanChange.objects.get().at == planned.next_plan_at
    assert apply_due(at=planned.next_plan_at + timedelta(hours=1)) == 0
    assert apply_planned(subscription=subscription, at=planned.next_plan_at) is False
    assert audit_actions() == ["subscription.change_planned"] * 2 + ["subscription.plan_changed"] * 2


def test_a_planned_change_is_replaced_and_taken_back() -> None:
    subscription, plan = sold()
    other = make_plan(*plan.stages.all())
    change_plan(subscription=subscription, plan=plan, at="period_end", actor=None)
    assert change_plan(subscription=subscription, plan=other, at="period_end", actor=None).next_plan == other
    assert cancel_change(subscription=subscription, actor=None).next_plan is None
    assert refusal(lambda: cancel_change(subscription=subscription, actor=None)).code == "wrong_state"
    assert apply_due(at=now() + timedelta(days=40)) == 0


def test_a_planned_change_that_became_impossible_lapses() -> None:
    subscription, plan = sold()
    change_plan(subscription=subscription, plan=plan, at="period_end", actor=None)
    archive_plan(plan=plan, actor=None)
    apply_due(at=now() + timedelta(days=40))
    subscription.refresh_from_db()
    assert (subscription.plan == plan, subscription.next_plan) == (False, None)
    assert audit_actions()[-1] == "subscription.change_lapsed"


def test_a_plan_that_requires_approval_makes_the_change_wait() -> None:
    subscription, plan = sold(requires_approval=True)
    waiting = change_plan(subscription=subscription, plan=plan, actor=None)
    assert (waiting.plan == plan, waiting.next_plan, waiting.next_plan_waits) == (False, plan, True)
    assert apply_due(at=now() + timedelta(days=40)) == 0
    approved = approve_change(subscription=subscription, actor=None)
    assert (approved.plan, approved.next_plan, approved.next_plan_waits) == (plan, None, False)
    assert refusal(lambda: approve_change(subscription=subscription, actor=None)).code == "wrong_state"


def test_an_approved_change_at_the_months_end_waits_for_it() -> None:
    subscription, plan = sold(requires_approval=True)
    change_plan(subscription=subscription, plan=plan, at="period_end", actor=None)
    approved = approve_change(subscription=subscription, actor=None)
    assert (approved.next_plan, approved.next_plan_waits) == (plan, False)
    assert apply_due(at=now() + timedelta(days=40)) == 1


def test_an_approval_after_the_months_end_changes_at_once() -> None:
    subscription, plan = sold(requires_approval=True)
    change_plan(subscription=subscription, plan=plan, at="period_end", actor=None)
    Subscription.objects.update(next_plan_at=now() - timedelta(days=1))
    assert approve_change(subscription=subscription, actor=None).plan == plan
    assert now() - PlanChange.objects.get().at < timedelta(minutes=2)


def test_the_end_of_a_subscription_is_planned_and_comes() -> None:
    subscription, _ = sold()
    end = cancel(subscription=subscription, at="period_end", actor=None).cancel_at
    assert end is not None
    subscription.refresh_from_db()
    assert subscription.state == "active"
    assert apply_due(at=end + timedelta(minutes=3)) == 1
    subscription.refresh_from_db()
    assert (subscription.state, subscription.ended_at, subscription.cancel_at) == ("cancelled", end, None)
    assert apply_due(at=end + timedelta(minutes=3)) == 0


def test_a_planned_end_is_taken_back() -> None:
    subscription, plan = sold()
    cancel(subscription=subscription, at="period_end", actor=None)
    assert (
        refusal(lambda: cancel(subscription=subscription, at="period_end", actor=None)).code == "wrong_state"
    )
    later = refusal(lambda: change_plan(subscription=subscription, plan=plan, at="period_end", actor=None))
    assert later.code == "wrong_state"
    assert change_plan(subscription=subscription, plan=plan, actor=None).cancel_at is not None
    assert cancel_change(subscription=subscription, actor=None).cancel_at is None


def test_a_planned_end_replaces_a_planned_change() -> None:
    subscription, plan = sold()
    change_plan(subscription=subscription, plan=plan, at="period_end", actor=None)
    assert cancel(subscription=subscription, at="period_end", actor=None).next_plan is None


def test_cancelling_forgets_what_was_planned() -> None:
    subscription, plan = sold()
    change_plan(subscription=subscription, plan=plan, at="period_end", actor=None)
    ended = cancel(subscription=subscription, actor=None)
    assert (ended.state, ended.next_plan, ended.next_plan_at) == ("cancelled", None, None)


def test_a_moment_that_is_neither_is_refused() -> None:
    subscription, plan = sold()
    refused = refusal(lambda: change_plan(subscription=subscription, plan=plan, at="tomorrow", actor=None))
    assert refused.field == "at"


def test_counters_start_anew_once_in_a_period() -> None:
    subscription, plan = sold(counters_on_change="reset")
    old = subscription.plan
    old.counters_on_change = "reset"
    old.save()
    for wanted in (plan, old, plan):
        PlanChange.objects.filter(at__gte=now() - timedelta(minutes=1)).update(
            at=now() - timedelta(minutes=2)
        )
        PlanChange.objects.filter(new_plan=old).update(at=now() - timedelta(minutes=1, seconds=30))
        change_plan(subscription=subscription, plan=wanted, actor=None)
    told = list(PlanChange.objects.order_by("id").values_list("counters", flat=True))
    assert told == ["reset", "keep", "keep"]


def test_a_plan_that_a_change_names_is_not_deleted() -> None:
    subscription, plan = sold()
    change_plan(subscription=subscription, plan=plan, at="period_end", actor=None)
    assert refusal(lambda: delete_plan(plan=plan, actor=None)).code == "in_use"


def test_one_that_fails_does_not_keep_the_others_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    (first, _), (second, _) = sold(), sold()
    for each in (first, second):
        cancel(subscription=each, at="period_end", actor=None)
    from access import due

    real = due.end_planned

    def fails_once(*, subscription: Subscription, at: datetime) -> bool:
        if subscription == first:
            raise RuntimeError("no")
        return real(subscription=subscription, at=at)

    monkeypatch.setattr(due, "end_planned", fails_once)
    assert apply_due(at=datetime(2100, 1, 1, tzinfo=UTC)) == 1
    second.refresh_from_db()
    assert second.state == "cancelled"
