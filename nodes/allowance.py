"""Calls bounded by what they cost (`access.CallAllowance`): nodes spend them from leases, as they spend quotas.

Billing says how many calls may follow those that were metered; how many of these nodes were given already, the quota
windows know. So for a card that charges calls only, what is given out never costs more than the bound.
"""

from typing import Any

from django.db.models import F, Sum

from access.models import CallAllowance, Subscription
from gateway import entries as shapes
from nodes.change import unix
from nodes.models import QuotaWindow

# of a window without a quota; a number that JSON and Lua keep exactly
NO_LIMIT = 900_000_000_000_000


def allowance_of(subscription: Subscription) -> CallAllowance | None:
    """Return the subscription's allowance, if it has one."""
    return getattr(subscription, "allowance", None)


def entry_fields(subscription: Subscription) -> dict[str, Any]:
    """Return what the subscription's entry tells of its allowance. Load plan and allowance with it."""
    allowance = allowance_of(subscription)
    if allowance is None:
        return {}
    plan = subscription.plan
    quota = shapes.Quota(NO_LIMIT, plan.quota_period, plan.quota_offline_allowance)
    return {"quota": quota, "stopped_until": unix(allowance.stopped_until), "stopped": allowance.reason}


def room_of(allowance: CallAllowance | None, row: QuotaWindow) -> int:
    """Return how many more units of the running window may be given out; below 0 = too many are.

    Exact for who holds the subscription's lock and has saved the window.
    """
    if allowance is None or allowance.further is None:
        return NO_LIMIT
    leased = _leased(row)
    if allowance.window_starts_at != row.starts_at:
        # billing has not looked since the window began, so nothing of it is metered for sure
        return allowance.further - leased
    unleased = allowance.unleased
    if unleased is None:
        unleased = max(0, allowance.counted - leased)
    metered = max(0, allowance.counted - unleased)
    return allowance.further - max(0, leased - metered)


def note_unleased(allowance: CallAllowance | None, row: QuotaWindow) -> None:
    """Before the first lease under an allowance: how many of the window's metered calls were made without one.

    The caller holds the subscription's lock.
    """
    if allowance is not None and allowance.unleased is None and allowance.window_starts_at == row.starts_at:
        allowance.unleased = max(0, allowance.counted - _leased(row))
        allowance.save(update_fields=["unleased"])


def _leased(row: QuotaWindow) -> int:
    """Return how many units of the window nodes were given, over all keys and also before it started anew."""
    if row.key_id is None:
        return row.leased + row.leased_before
    running = QuotaWindow.objects.filter(
        subscription=row.subscription_id, period=row.period, starts_at=row.starts_at
    )
    return running.aggregate(units=Sum(F("leased") + F("leased_before")))["units"] or 0
