"""Quotas of a subscription that changes its plan: what was counted goes on, or starts anew.

It goes on in the running window; where that gave out more than the new limit, nodes give back what they hold. A
plan with another period has windows of its own, which begin with the calls that were counted in them so far
(`nodes/calls_before.py`). Units of a window that no longer counts are void, as when the remaining calls are set by
hand.
"""

from datetime import datetime

from django.db.models import Max
from django.utils.timezone import now

from access.models import CountersOnChange, PlanChange, QuotaScope, Subscription, UsagePlan
from nodes.allowance import allowance_of
from nodes.leases import window_of
from nodes.models import QuotaWindow
from nodes.wanted import is_overdrawn


def move_quota(*, subscription: Subscription, change: PlanChange, at: datetime | None = None) -> None:
    """Bring the quota windows in line with the new plan, which `subscription` has already.

    The caller holds the subscription's lock and writes its entry afterwards, which tells nodes of void units.
    """
    at = at or now()
    plan = subscription.plan
    if plan.quota_limit is None and allowance_of(subscription) is None:
        return
    reset = change.counters == CountersOnChange.RESET
    void = reset or change.old_plan.quota_period != plan.quota_period
    for key_id in _counted_keys(subscription, plan, at):
        row = window_of(subscription, key_id, at)
        if reset:
            row.leased_before += row.leased
            row.leased, row.extra = 0, 0
        if void:
            row.epoch, row.adjusted_at = _newest_epoch(subscription, key_id) + 1, at
        row.save()
        if is_overdrawn(row):
            row.wanted_at = at
            row.save(update_fields=["wanted_at"])


def _counted_keys(subscription: Subscription, plan: UsagePlan, at: datetime) -> list[str | None]:
    """The keys whose windows run; those of others begin when they are used. None = all keys share one."""
    if plan.quota_scope != QuotaScope.KEY:
        return [None]
    running = QuotaWindow.objects.filter(
        subscription=subscription, key__isnull=False, starts_at__lte=at, ends_at__gt=at
    )
    return list(running.order_by("key").values_list("key", flat=True).distinct())


def _newest_epoch(subscription: Subscription, key_id: str | None) -> int:
    rows = QuotaWindow.objects.filter(subscription=subscription, key=key_id)
    return rows.aggregate(newest=Max("epoch"))["newest"] or 0
