"""Which nodes should give back units that they do not use, because others were refused for want of them."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import F, QuerySet
from django.utils.timezone import now

from nodes.allowance import allowance_of, room_of
from nodes.models import Lease, Node, QuotaWindow
from nodes.queries import limit_of

# how long nodes are asked for what they do not use, after a node was refused
WANTED = timedelta(seconds=30)
# a lease of which nothing was spent for so long is idle (seconds)
IDLE = 5.0
# of how many leases a node is asked for the unspent units at once
MOST_WANTED = 100


@dataclass(frozen=True, slots=True)
class Wanted:
    """A lease whose unspent units others need; of one that was used in the last `idle` seconds, nothing."""

    subscription: str
    key: str
    idle: float


def wanted_of(node: Node, *, at: datetime | None = None) -> list[Wanted]:
    """Return of which leases the node should give back what it does not use, because others were refused.

    Of a window that gave out more than its limit (the limit was lowered), nodes give back all they hold.
    """
    at = at or now()
    held: QuerySet[Lease] = Lease.objects.filter(
        node=node,
        units__gt=0,
        epoch=F("window__epoch"),
        window__ends_at__gt=at,
        window__wanted_at__gt=at - WANTED,
    ).select_related("window__subscription__plan", "window__subscription__allowance")
    found = []
    for each in held.order_by("-window__wanted_at")[:MOST_WANTED]:
        row = each.window
        overdrawn = is_overdrawn(row)
        found.append(Wanted(row.subscription_id, row.key_id or "", 0 if overdrawn else IDLE))
    return found


def is_overdrawn(row: QuotaWindow) -> bool:
    """Say whether more is given out than may be spent now: the quota or the allowance was lowered."""
    subscription = row.subscription
    over_quota = subscription.plan.quota_limit is not None and row.leased > limit_of(subscription, row)
    return over_quota or room_of(allowance_of(subscription), row) < 0


def recall(plan_ids: Collection[str], *, at: datetime | None = None) -> None:
    """Have nodes give back what they hold of windows that are over their plan's limit, which was lowered."""
    at = at or now()
    QuotaWindow.objects.filter(
        leased__gt=F("subscription__plan__quota_limit") + F("extra"),
        subscription__plan__in=plan_ids,
        ends_at__gt=at,
    ).update(wanted_at=at)
