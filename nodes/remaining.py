"""Setting by hand how many calls of a quota are left in the running period."""

from datetime import datetime

from django.db import transaction
from django.utils.timezone import now

from access.models import ApiKey, QuotaScope, Subscription, SubscriptionState
from accounts.audit import record
from accounts.errors import Refused
from accounts.models import User
from nodes import compile as compiler, entries
from nodes.leases import locked_subscription, window_of
from nodes.models import QuotaWindow
from nodes.queries import limit_of

# calls; far above any quota that makes sense, so a larger number is a slip
MOST = 10**15


@transaction.atomic
def set_remaining(
    *,
    subscription: Subscription,
    remaining: int,
    actor: User | None,
    key: ApiKey | None = None,
    at: datetime | None = None,
) -> QuotaWindow:
    """Let exactly `remaining` further calls in during the running period, over all nodes.

    Units that nodes hold unspent become void: the window's epoch grows, and the subscription's entry tells it.
    A node takes it over within a second; calls that it admits before that came before the change. `key` says
    which key where each has a quota of its own; rotations of a key count as one.
    """
    at = at or now()
    fresh = locked_subscription(subscription.pk)
    assert fresh is not None, "subscriptions are never deleted"
    _check(fresh, key, remaining)
    origin = (key.origin_id or key.pk) if key else None
    row = window_of(fresh, origin, at)
    left = limit_of(fresh, row) - row.leased
    row.extra += remaining - left
    row.epoch += 1
    row.adjusted_at, row.wanted_at = at, None
    row.save()
    entries.lock()
    entries.write_many(changes=compiler.subscriptions({row.subscription_id}))
    _record(fresh, key, actor, max(0, left), remaining)
    return row


def _check(subscription: Subscription, key: ApiKey | None, remaining: int) -> None:
    plan = subscription.plan
    if subscription.state == SubscriptionState.CANCELLED:
        raise Refused(f"The subscription of {subscription} is cancelled.", code="wrong_state")
    if plan.quota_limit is None:
        raise Refused(f"{plan} has no quota, so nothing is left of one.", field="remaining", code="no_quota")
    if isinstance(remaining, bool) or not isinstance(remaining, int) or not 0 <= remaining <= MOST:
        raise Refused(f"Give a whole number of calls from 0 to {MOST:,}.", field="remaining")
    if plan.quota_scope == QuotaScope.KEY:
        if key is None:
            raise Refused(f"In {plan} each key has a quota of its own; name the key.", field="key")
        if key.application_id != subscription.application_id:
            raise Refused("This key is not of the subscription's application.", field="key")
    elif key is not None:
        raise Refused(f"In {plan} all keys share one quota; leave the key out.", field="key")


def _record(
    subscription: Subscription, key: ApiKey | None, actor: User | None, before: int, remaining: int
) -> None:
    of = f"{key} in {subscription}" if key else str(subscription)
    for organization in {subscription.organization, subscription.provider}:
        record(
            organization=organization,
            actor=actor,
            action="subscription.remaining_set",
            target=subscription,
            summary=f"Set the calls left in this period of {of} to {remaining:,}.",
            changes={"remaining": [before, remaining]},
        )
