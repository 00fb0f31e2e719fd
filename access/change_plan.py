"""Moving a subscription to another plan: now or at the end of the month, keeping its id, keys and counters.

Prices, throttle and quota are the new plan's from a whole minute on; `PlanChange` keeps the history. What was counted
goes on, unless the new plan says otherwise (`counters_on_change`).
"""

from datetime import datetime

from django.db import transaction
from django.utils.timezone import now

from access.models import (
    CountersOnChange,
    PlanChange,
    QuotaPeriod,
    Subscription,
    SubscriptionState,
    UsagePlan,
)
from access.notices import asker_of, tell_asker
from access.overlap import refuse_second_subscription
from access.periods import When, billing_month_end, window
from access.signals import plan_of_subscription_changed
from access.subscribe import COMING, announce, check_plan_is_open, drop_coming
from accounts.errors import Refused
from accounts.models import User
from accounts.rows import locked, taken_is_refused


@transaction.atomic
def change_plan(
    *, subscription: Subscription, plan: UsagePlan, actor: User | None, at: str = When.NOW
) -> Subscription:
    """Move an active subscription to another plan of the same provider.

    `at` is now or period_end: when the provider's month ends. A plan that requires approval makes the change wait for
    the provider (`approve_change`). A change that was planned before is replaced. Refused names `plan` or `at`.
    """
    subscription, plan = _locked(subscription, plan)
    at = When.parse(at)
    _check(subscription, plan)
    if subscription.cancel_at is not None and at == When.PERIOD_END:
        raise Refused(
            f"{subscription} ends on {subscription.cancel_at:%Y-%m-%d %H:%M} UTC. Undo that first.",
            code="wrong_state",
        )
    if at == When.NOW and not plan.requires_approval:
        return _apply(subscription, plan, now(), actor)
    subscription.next_plan = plan
    subscription.next_plan_at = None if at == When.NOW else billing_month_end(subscription.provider, now())
    subscription.next_plan_waits = plan.requires_approval
    subscription.save(update_fields=COMING)
    asked = "Asked for" if plan.requires_approval else "Planned"
    _announce(subscription, actor, "change_planned", f"{asked} the change of {subscription} to {plan}.")
    return subscription


@transaction.atomic
def approve_change(*, subscription: Subscription, actor: User | None) -> Subscription:
    """Let a change that waits happen (the provider): at once, or when its month ends. Who asked is told."""
    subscription, plan = _locked_with_next(subscription)
    if not subscription.next_plan_waits:
        raise Refused(f"No change of {subscription} waits for approval.", code="wrong_state")
    asker, due, old = asker_of(subscription), subscription.next_plan_at, subscription.plan
    if due is None or due <= now():
        _check(subscription, plan)
        subscription = _apply(subscription, plan, now(), actor)
        when = "It is on the new plan now."
    else:
        subscription.next_plan_waits = False
        subscription.save(update_fields=COMING)
        _announce(subscription, actor, "change_approved", f"Approved the change of {subscription} to {plan}.")
        when = f"It changes on {due:%Y-%m-%d %H:%M} UTC."
    text = f"{subscription.provider} approved the change of {subscription.application} from {old} to {plan}. {when}"
    subject = f"The change to {plan} is approved for {subscription.application}"
    tell_asker(subscription, asker, subject=subject, text=text)
    return subscription


@transaction.atomic
def cancel_change(*, subscription: Subscription, actor: User | None) -> Subscription:
    """Take back what is planned or waits: a change of plan, or the end. The provider so declines a change."""
    subscription = locked(subscription)
    if subscription.next_plan_id is None and subscription.cancel_at is None:
        raise Refused(f"Nothing is planned for {subscription}.", code="wrong_state")
    what = f"the change to {subscription.next_plan}" if subscription.next_plan else "the end"
    drop_coming(subscription)
    subscription.save(update_fields=COMING)
    _announce(subscription, actor, "change_undone", f"Took back {what} of {subscription}.")
    return subscription


@transaction.atomic
def apply_planned(*, subscription: Subscription, at: datetime) -> bool:
    """Do the change that is due at `at`; False = there is none, somebody was faster.

    One that has become impossible (the plan was archived meanwhile) lapses, and the audit trail says why.
    """
    subscription, plan = _locked_with_next(subscription)
    due = subscription.next_plan_at
    if subscription.next_plan_id is None or due is None or subscription.next_plan_waits or due > at:
        return False
    try:
        with transaction.atomic():
            _check(subscription, plan)
            _apply(subscription, plan, due, None)
    except Refused as refused:
        subscription = locked(subscription)
        drop_coming(subscription)
        subscription.save(update_fields=COMING)
        _announce(
            subscription,
            None,
            "change_lapsed",
            f"Gave up the change of {subscription} to {plan}: {refused.message}",
        )
    return True


def _locked(subscription: Subscription, plan: UsagePlan) -> tuple[Subscription, UsagePlan]:
    """Locks in the order of `subscribe`: application, plan, subscription."""
    locked(subscription.application)
    plan = locked(plan)
    return locked(subscription), plan


def _locked_with_next(subscription: Subscription) -> tuple[Subscription, UsagePlan]:
    seen = Subscription.objects.select_related("application", "next_plan", "plan").get(pk=subscription.pk)
    subscription, plan = _locked(seen, seen.next_plan or seen.plan)
    if subscription.next_plan_id not in (None, plan.pk):
        raise Refused(f"What is planned for {subscription} has just changed; try again.", code="wrong_state")
    return subscription, plan


def _check(subscription: Subscription, plan: UsagePlan) -> None:
    if subscription.state not in (SubscriptionState.ACTIVE, SubscriptionState.SUSPENDED):
        label = subscription.get_state_display().lower()
        raise Refused(f"{subscription} is {label}; its plan cannot be changed.", code="wrong_state")
    if plan.organization_id != subscription.provider_id:
        raise Refused(
            f"{plan} is not a plan of {subscription.provider}. Subscribe to it instead.", field="plan"
        )
    if plan.pk == subscription.plan_id:
        raise Refused(f"{subscription.application} is on {plan} already.", field="plan", code="taken")
    check_plan_is_open(plan)
    refuse_second_subscription(subscription.application, plan, instead_of=subscription)


def _apply(subscription: Subscription, plan: UsagePlan, moment: datetime, actor: User | None) -> Subscription:
    """Write the change; `moment` is cut to its minute, the first that counts for the new plan."""
    old, at = subscription.plan, moment.replace(second=0, microsecond=0)
    if subscription.plan_changes.filter(at__gte=at).exists():
        raise Refused(
            f"{subscription} was changed a moment ago; try again in a minute.", field="at", code="too_soon"
        )
    counters = _counters(subscription, plan, at)
    change = PlanChange.objects.create(
        organization_id=subscription.organization_id,
        subscription=subscription,
        at=at,
        old_plan=old,
        new_plan=plan,
        counters=counters,
    )
    planned_end = subscription.cancel_at
    drop_coming(subscription)
    subscription.plan, subscription.cancel_at = plan, planned_end
    with taken_is_refused(f"{subscription.application} is on {plan} already.", field="plan"):
        subscription.save(update_fields=["plan", *COMING])
    plan_of_subscription_changed.send(PlanChange, change=change)
    summary = f"Changed the plan of {subscription.application} from {old} to {plan}."
    changes: dict[str, list[str | None]] = {"plan": [str(old), str(plan)], "counters": [None, counters]}
    announce(subscription, actor, "subscription.plan_changed", summary, changes)
    return subscription


def _counters(subscription: Subscription, plan: UsagePlan, at: datetime) -> str:
    """A plan that was left in the same period gives no second fresh quota, or changing to and fro would."""
    if plan.counters_on_change != CountersOnChange.RESET:
        return CountersOnChange.KEEP
    zone = subscription.organization.timezone
    since = min(
        window(period=plan.quota_period, timezone=zone, at=at)[0],
        window(period=QuotaPeriod.MONTH, timezone=subscription.provider.timezone, at=at)[0],
    )
    back = subscription.plan_changes.filter(old_plan=plan, at__gte=since).exists()
    return CountersOnChange.KEEP if back else CountersOnChange.RESET


def _announce(subscription: Subscription, actor: User | None, action: str, summary: str) -> None:
    announce(subscription, actor, f"subscription.{action}", summary, {})
