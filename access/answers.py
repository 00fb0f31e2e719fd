"""A provider's answers to what waits for her: new subscriptions, and changes of plan."""

from django.db import transaction

from access.change_plan import approve_change
from access.models import Subscription, SubscriptionState, UsagePlan
from access.notices import asker_of, tell_asker
from access.subscribe import COMING, announce, approve, drop_coming
from accounts.errors import Refused
from accounts.models import User
from accounts.rows import locked
from accounts.texts import reason_of


def approve_request(*, subscription: Subscription, actor: User | None) -> Subscription:
    """Let in what waits, a new subscription or a change of plan. Refused if nothing waits."""
    verb = approve_change if subscription.next_plan_waits else approve
    return verb(subscription=subscription, actor=actor)


@transaction.atomic
def refuse_request(*, subscription: Subscription, reason: str, actor: User | None) -> Subscription:
    """Decline what waits, and tell who asked why: a new subscription ends, one whose change waited stays as it is.

    Refused(field `reason`) without a reason, or if nothing waits.
    """
    reason = reason_of(reason)
    subscription = locked(subscription)
    asker, plan = asker_of(subscription), subscription.next_plan or subscription.plan
    if subscription.next_plan_waits:
        _decline_change(subscription, plan, reason, actor)
        what = f"the change of {subscription.application} to {plan}. It stays on {subscription.plan}"
    elif subscription.state == SubscriptionState.PENDING:
        _decline_new(subscription, reason, actor)
        what = f"{plan} for {subscription.application}"
    else:
        raise Refused(f"Nothing of {subscription} waits for an answer.", code="wrong_state")
    text = f"{subscription.provider} did not approve {what}.\n\nReason: {reason}"
    subject = f"{plan} is not approved for {subscription.application}"
    tell_asker(subscription, asker, subject=subject, text=text)
    return subscription


def _decline_new(subscription: Subscription, reason: str, actor: User | None) -> None:
    subscription.state = SubscriptionState.CANCELLED
    # it never was active, so nothing is owed for it
    subscription.ended_at = subscription.started_at
    subscription.save(update_fields=["state", "ended_at"])
    changes: dict[str, list[str | None]] = {"state": ["pending", "cancelled"], "reason": [None, reason]}
    summary = f"Refused the subscription of {subscription}: {reason}"
    announce(subscription, actor, "subscription.refused", summary, changes)


def _decline_change(subscription: Subscription, plan: UsagePlan, reason: str, actor: User | None) -> None:
    drop_coming(subscription)
    subscription.save(update_fields=COMING)
    summary = f"Refused the change of {subscription} to {plan}: {reason}"
    announce(subscription, actor, "subscription.change_refused", summary, {"reason": [None, reason]})
