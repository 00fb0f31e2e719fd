"""Quota leases: slices of a window, given out so that their sum never exceeds the plan's limit.

`QuotaWindow.leased` is the authority. Every lease locks its subscription's row, so leases of one subscription
come one after the other and those of others do not wait. What a node does not give back stays spent.
"""

from dataclasses import dataclass
from datetime import UTC, datetime

from django.db import transaction
from django.utils.timezone import now

from access.models import Subscription
from access.periods import window
from nodes.models import Lease, Node, QuotaWindow
from nodes.queries import nodes_up

# no slice is larger, so that a node that dies takes little with it (units)
LARGEST_SLICE = 10_000
# a slice takes at most this share of what is left, for each node that is up
SHARE = 4


@dataclass(frozen=True, slots=True)
class Grant:
    """`granted` units to spend from `starts_at` until `ends_at` (Unix seconds); 0 = the window is spent.

    `limit` is the plan's, `left` what is not given out yet, `slice` the most a node may get next.
    """

    granted: int
    starts_at: int
    ends_at: int
    limit: int
    left: int
    slice: int


def lease(
    *,
    node: Node,
    subscription_id: str,
    want: int,
    offline_spent: int = 0,
    request: str = "",
    at: datetime | None = None,
) -> Grant | None:
    """Give a node a slice of a subscription's quota; None = no such subscription, or no quota.

    `want` is how many units the node could use, `offline_spent` how many it admitted beyond its leases while
    it could not ask; those count first. A repeat of the node's last `request` gets the same units, not more.
    """
    at = at or now()
    with transaction.atomic():
        subscription = _locked(subscription_id)
        if subscription is None or subscription.plan.quota_limit is None:
            return None
        row = _window_of(subscription, at)
        held, _ = Lease.objects.get_or_create(
            node=node, window=row, defaults={"organization_id": row.organization_id}
        )
        limit = subscription.plan.quota_limit
        up = max(1, nodes_up().count())
        if request and request == held.last_request:
            granted = held.last_granted
        else:
            row.leased += max(0, offline_spent)
            granted = min(max(1, want), _slice(limit - row.leased, up))
            _give(row, held, granted, offline_spent, request)
        left = max(0, limit - row.leased)
        return Grant(
            granted=granted,
            starts_at=int(row.starts_at.timestamp()),
            ends_at=int(row.ends_at.timestamp()),
            limit=limit,
            left=left,
            slice=_slice(left, up),
        )


def _locked(subscription_id: str) -> Subscription | None:
    rows = Subscription.objects.select_for_update(of=("self",), no_key=True)
    return rows.select_related("plan", "organization").filter(pk=subscription_id).first()


def _slice(left: int, up: int) -> int:
    """Large at first, single units near the end, so that no node sits on what another could use."""
    return min(max(1, left // (SHARE * up)), LARGEST_SLICE) if left > 0 else 0


def _give(row: QuotaWindow, held: Lease, granted: int, offline_spent: int, request: str) -> None:
    row.leased += granted
    row.save(update_fields=["leased"])
    held.units += granted + max(0, offline_spent)
    held.last_request, held.last_granted = request, granted
    held.save(update_fields=["units", "last_request", "last_granted", "updated_at"])


def _window_of(subscription: Subscription, at: datetime) -> QuotaWindow:
    """Return the running window, made if there is none. The caller holds the subscription's lock.

    Where the developer's time zone was changed, windows overlap; the count goes on, or moving the clock would
    be a way to a fresh quota.
    """
    period = subscription.plan.quota_period
    start, end = window(period=period, timezone=subscription.organization.timezone, at=at)
    running = list(QuotaWindow.objects.running(subscription.pk, period, at))
    leased = max((row.leased for row in running), default=0)
    for row in running:
        if row.starts_at == start:
            row.leased = leased
            return row
    return QuotaWindow.objects.create(
        organization_id=subscription.organization_id,
        subscription=subscription,
        period=period,
        starts_at=start,
        ends_at=end,
        leased=leased,
    )


def give_back(*, node: Node, subscription_id: str, starts_at: int, units: int, request: str = "") -> int:
    """Take unspent units back into the window that starts at `starts_at` (Unix seconds).

    Returns how many were taken: never more than the node holds of that window. A repeat of the node's last
    `request` takes nothing more.
    """
    with transaction.atomic():
        if _locked(subscription_id) is None:
            return 0
        held = (
            Lease.objects.select_related("window")
            .filter(
                node=node,
                window__subscription=subscription_id,
                window__starts_at=datetime.fromtimestamp(starts_at, tz=UTC),
            )
            .order_by("-updated_at")
            .first()
        )
        if held is None:
            return 0
        if request and request == held.last_return:
            return held.last_returned
        returned = max(0, min(units, held.units, held.window.leased))
        held.units -= returned
        held.last_return, held.last_returned = request, returned
        held.save(update_fields=["units", "last_return", "last_returned", "updated_at"])
        held.window.leased -= returned
        held.window.save(update_fields=["leased"])
        return returned
