"""An application's place on a plan, from the request to the end."""

from collections.abc import Collection
from datetime import datetime

from django.db import transaction
from django.utils.timezone import now

from access.applications import create_application
from access.keys import create_key
from access.models import (
    ApiKey,
    Application,
    CustomerSuspension,
    PlanVisibility,
    Subscription,
    SubscriptionState,
    UsagePlan,
)
from access.notices import tell_asker
from access.overlap import LIVING, refuse_second_subscription
from access.periods import When, billing_month_end
from access.signals import subscriptions_changed
from accounts.audit import record
from accounts.errors import Refused
from accounts.models import Organization, User
from accounts.rows import locked, taken_is_refused
from apis.models import VersionState

FIRST_KEY = "First key"
# what is planned for a subscription
COMING = ("next_plan", "next_plan_at", "next_plan_waits", "cancel_at")


@transaction.atomic
def subscribe(*, application: Application, plan: UsagePlan, actor: User | None) -> Subscription:
    """Put the application on the plan: active at once, or pending if the plan requires approval."""
    application, plan = locked(application), locked(plan)
    check_plan_is_open(plan)
    refuse_suspended_customer(application.organization, plan.organization)
    refuse_second_subscription(application, plan)
    pending = plan.requires_approval
    subscription = Subscription(
        organization=application.organization,
        provider=plan.organization,
        application=application,
        plan=plan,
        state=SubscriptionState.PENDING if pending else SubscriptionState.ACTIVE,
        created_by=actor,
    )
    with taken_is_refused(f"{application} is on {plan} already.", field="plan"):
        subscription.save(force_insert=True)
    verb = "Asked for" if pending else "Made"
    announce(subscription, actor, "subscription.created", f"{verb} the subscription of {subscription}.", {})
    return subscription


@transaction.atomic
def sign_up_for_plan(
    *, organization: Organization, application_name: str, plan: UsagePlan, actor: User | None
) -> tuple[Subscription, ApiKey, str]:
    """Make application, subscription and first key in one transaction; the key's text is shown once."""
    try:
        application = create_application(organization=organization, name=application_name, actor=actor)
    except Refused as refused:
        raise Refused(refused.message, field="application_name", code=refused.code) from refused
    subscription = subscribe(application=application, plan=plan, actor=actor)
    key, text = create_key(application=application, name=FIRST_KEY, actor=actor)
    return subscription, key, text


@transaction.atomic
def approve(*, subscription: Subscription, actor: User | None) -> Subscription:
    """pending -> active; who asked is told."""
    subscription = _move(
        subscription, actor, {SubscriptionState.PENDING}, SubscriptionState.ACTIVE, "approved"
    )
    plan, application = subscription.plan, subscription.application
    text = f"{subscription.provider} approved {plan} for {application}. Its keys open it now."
    subject = f"{plan} is approved for {application}"
    tell_asker(subscription, subscription.created_by, subject=subject, text=text)
    return subscription


def suspend(*, subscription: Subscription, actor: User | None) -> Subscription:
    """active -> suspended"""
    return _move(subscription, actor, {SubscriptionState.ACTIVE}, SubscriptionState.SUSPENDED, "suspended")


def resume(*, subscription: Subscription, actor: User | None) -> Subscription:
    """suspended -> active"""
    return _move(subscription, actor, {SubscriptionState.SUSPENDED}, SubscriptionState.ACTIVE, "resumed")


def cancel(*, subscription: Subscription, actor: User | None, at: str = When.NOW) -> Subscription:
    """pending, active or suspended -> cancelled, for good; sets `ended_at`. A pending one is so declined.

    With `at` = period_end it goes on until the provider's month ends; `change_plan.cancel_change` takes that back.
    """
    if When.parse(at) == When.PERIOD_END:
        return _plan_end(subscription, actor)
    return _move(subscription, actor, LIVING, SubscriptionState.CANCELLED, "cancelled")


@transaction.atomic
def end_planned(*, subscription: Subscription, at: datetime) -> bool:
    """Cancel one whose planned end has come by `at`; False = none has, somebody was faster."""
    subscription = locked(subscription)
    end = subscription.cancel_at
    if subscription.state not in LIVING or end is None or end > at:
        return False
    _move(subscription, None, LIVING, SubscriptionState.CANCELLED, "cancelled", moment=end)
    return True


@transaction.atomic
def _plan_end(subscription: Subscription, actor: User | None) -> Subscription:
    subscription = locked(subscription)
    if subscription.state not in (SubscriptionState.ACTIVE, SubscriptionState.SUSPENDED):
        label = subscription.get_state_display().lower()
        raise Refused(
            f"{subscription} is {label}; cancel it now, or not at all.", field="at", code="wrong_state"
        )
    if subscription.cancel_at is not None:
        raise Refused(
            f"{subscription} ends on {subscription.cancel_at:%Y-%m-%d %H:%M} UTC already.", code="wrong_state"
        )
    drop_coming(subscription)
    subscription.cancel_at = billing_month_end(subscription.provider, now())
    subscription.save(update_fields=COMING)
    summary = f"Planned the end of the subscription of {subscription}."
    changes = {"cancel_at": [None, subscription.cancel_at.isoformat()]}
    announce(subscription, actor, "subscription.end_planned", summary, changes)
    return subscription


def drop_coming(subscription: Subscription) -> None:
    """Forget what was planned; the caller saves."""
    subscription.next_plan, subscription.next_plan_at, subscription.next_plan_waits = None, None, False
    subscription.cancel_at = None


@transaction.atomic
def _move(
    subscription: Subscription,
    actor: User | None,
    allowed: Collection[SubscriptionState],
    to: SubscriptionState,
    verb: str,
    *,
    moment: datetime | None = None,
) -> Subscription:
    subscription = locked(subscription)
    if subscription.state not in allowed:
        label = subscription.get_state_display().lower()
        raise Refused(f"{subscription} is {label}; it cannot be {verb}.", code="wrong_state")
    changes: dict[str, list[str | None]] = {"state": [subscription.state, to.value]}
    if to == SubscriptionState.ACTIVE:
        refuse_suspended_customer(subscription.organization, subscription.provider)
    if to == SubscriptionState.CANCELLED:
        # one that never was active lasted no time, so nothing is owed for it
        waited = subscription.state == SubscriptionState.PENDING
        subscription.ended_at = subscription.started_at if waited else moment or now()
        drop_coming(subscription)
    elif subscription.state == SubscriptionState.PENDING:
        subscription.started_at = now()
    subscription.state = to
    subscription.save(update_fields=["state", "started_at", "ended_at", *COMING])
    summary = f"{verb.capitalize()} the subscription of {subscription}."
    announce(subscription, actor, f"subscription.{verb}", summary, changes)
    return subscription


def refuse_suspended_customer(customer: Organization, provider: Organization) -> None:
    """Raise Refused while the provider has suspended the customer."""
    running = CustomerSuspension.objects.filter(organization=provider, customer=customer, lifted_at=None)
    if running.exists():
        raise Refused(
            f"{provider} has suspended {customer}. Ask {provider} to let it in again first.",
            field="plan",
            code="suspended",
        )


def check_plan_is_open(plan: UsagePlan) -> None:
    """Raise Refused if nobody may come to the plan any more."""
    if plan.visibility == PlanVisibility.ARCHIVED:
        raise Refused(f"{plan} takes no new subscriptions; choose another plan.", field="plan")
    if not plan.stages.exclude(version__state=VersionState.RETIRED).exists():
        raise Refused(f"{plan} opens no API that can be called; choose another plan.", field="plan")


def announce(
    subscription: Subscription,
    actor: User | None,
    action: str,
    summary: str,
    changes: dict[str, list[str | None]],
) -> None:
    """Write the audit line into both trails, the developer's and the provider's, and tell who listens."""
    for organization in {subscription.organization, subscription.provider}:
        record(
            organization=organization,
            actor=actor,
            action=action,
            target=subscription,
            summary=summary,
            changes=changes,
        )
    subscriptions_changed.send(Subscription, subscription_ids=[subscription.pk])
