"""Quota leases: slices of a window, given out so that their sum never exceeds the plan's limit.

`QuotaWindow` is the authority: one row for each subscription (or each key of it, as the plan says) and period.
Every lease locks its subscription's row, so leases of one subscription come one after the other and those of
others do not wait. What a node does not give back stays spent.

When the remaining calls are set by hand (`nodes/remaining.py`), the window's epoch grows and units given out
before are void. Nothing of the new epoch is given out until every node that may hold void units runs the entry
that tells it; of one that stays silent for SETTLE, all that it may hold counts as spent.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.db import transaction
from django.utils.timezone import now

from access.models import ApiKey, Subscription
from access.periods import window
from nodes.allowance import NO_LIMIT, allowance_of, note_unleased, room_of
from nodes.calls_before import calls_before
from nodes.models import Entry, Lease, Node, QuotaWindow
from nodes.queries import limit_of, nodes_up

# no slice is larger, so that a node that dies takes little with it (units)
LARGEST_SLICE = 10_000
# a slice takes at most this share of what is left, for each node that is up
SHARE = 4
# how long nodes have to say that they hold no void units, before these are counted as spent
SETTLE = timedelta(seconds=3)
# how often it is noted that a node was refused (nodes/wanted.py)
WANTED_AGAIN = timedelta(seconds=2)


@dataclass(frozen=True, slots=True)
class Grant:
    """`granted` units to spend from `starts_at` until `ends_at` (Unix seconds); 0 = the window is spent.

    `limit` is what holds for this window, `left` what is not given out yet, `slice` the most a node may get
    next. Units of an older `epoch` are void. `settling` = ask again at once: nodes are giving up void units.
    """

    granted: int
    starts_at: int
    ends_at: int
    limit: int
    left: int
    slice: int
    epoch: int = 0
    settling: bool = False


def lease(
    *,
    node: Node,
    subscription_id: str,
    want: int,
    key_id: str = "",
    offline_spent: int = 0,
    request: str = "",
    at: datetime | None = None,
) -> Grant | None:
    """Give a node a slice of a quota; None = no such subscription or key, or no quota.

    `key_id` names the key where each has a quota of its own. `want` is how many units the node could use,
    `offline_spent` how many it admitted beyond its leases while it could not ask; those count first. A repeat
    of the node's last `request` gets the same units, not more.
    """
    at = at or now()
    with transaction.atomic():
        subscription = locked_subscription(subscription_id)
        if subscription is None:
            return None
        allowance = allowance_of(subscription)
        if subscription.plan.quota_limit is None and allowance is None:
            return None
        if key_id and not _has_key(subscription, key_id):
            return None
        row = window_of(subscription, key_id or None, at)
        note_unleased(allowance, row)
        unsettled = _unsettled(row, at)
        held, _ = Lease.objects.get_or_create(
            node=node, window=row, defaults={"organization_id": row.organization_id, "epoch": row.epoch}
        )
        limit = NO_LIMIT if subscription.plan.quota_limit is None else limit_of(subscription, row)
        up = max(1, nodes_up().count())
        if request and request == held.last_request:
            granted = held.last_granted if held.epoch == row.epoch else 0
        else:
            if offline_spent > 0:
                row.leased += offline_spent
                row.save(update_fields=["leased"])
            room = min(limit - row.leased, room_of(allowance, row)) - (unsettled or 0)
            granted = 0 if unsettled is None else min(max(1, want), _slice(room, up))
            _give(row, held, granted, offline_spent, request)
        left = max(0, min(limit - row.leased, room_of(allowance, row)) - (unsettled or 0))
        if not granted and not left and unsettled is not None:
            _note_wanted(row, at)
        return Grant(
            granted=granted,
            starts_at=int(row.starts_at.timestamp()),
            ends_at=int(row.ends_at.timestamp()),
            limit=limit,
            left=left,
            slice=_slice(left, up),
            epoch=row.epoch,
            settling=unsettled is None,
        )


def locked_subscription(subscription_id: str) -> Subscription | None:
    """Return the subscription with plan and organization, its row locked until the transaction ends."""
    rows = Subscription.objects.filter(pk=subscription_id)
    # not in one query: if the plan changes while it waits for the lock, PostgreSQL finds no row to join
    if rows.select_for_update(no_key=True).first() is None:
        return None
    return rows.select_related("plan", "organization", "allowance").get()


def _has_key(subscription: Subscription, key_id: str) -> bool:
    return ApiKey.objects.filter(pk=key_id, application=subscription.application_id).exists()


def _unsettled(row: QuotaWindow, at: datetime) -> int | None:
    """Return how many void units nodes may still spend; None = wait for them to say that there are none."""
    if not row.epoch or row.adjusted_at is None:
        return 0
    void = Lease.objects.filter(
        window__subscription=row.subscription_id,
        window__key=row.key_id,
        window__ends_at__gt=at,
        epoch__lt=row.epoch,
        units__gt=0,
    )
    rows = list(void.values_list("pk", "units", "node__generation"))
    if not rows:
        return 0
    # the entry as it is now: it may have moved on, and then a node may run all that was older without it
    told = Entry.objects.values_list("generation", flat=True).get(
        kind="subscription", key=row.subscription_id
    )
    units, given_up = 0, []
    for pk, held, generation in rows:
        if generation >= told:
            given_up.append(pk)
        else:
            units += held
    if given_up:
        Lease.objects.filter(pk__in=given_up).update(units=0)
    return None if units and at < row.adjusted_at + SETTLE else units


def _slice(left: int, up: int) -> int:
    """Large at first, single units near the end, so that no node sits on what another could use."""
    return min(max(1, left // (SHARE * up)), LARGEST_SLICE) if left > 0 else 0


def _give(row: QuotaWindow, held: Lease, granted: int, offline_spent: int, request: str) -> None:
    row.leased += granted
    row.save(update_fields=["leased"])
    if granted and held.epoch != row.epoch:
        held.epoch, held.units = row.epoch, 0
    held.units += granted + max(0, offline_spent)
    held.last_request, held.last_granted = request, granted
    held.save(update_fields=["units", "epoch", "last_request", "last_granted", "updated_at"])


def _note_wanted(row: QuotaWindow, at: datetime) -> None:
    if row.wanted_at is None or row.wanted_at < at - WANTED_AGAIN:
        row.wanted_at = at
        row.save(update_fields=["wanted_at"])


def window_of(subscription: Subscription, key_id: str | None, at: datetime) -> QuotaWindow:
    """Return the running window, made if there is none. The caller holds the subscription's lock.

    Where the developer's time zone was changed, windows overlap; the count goes on, or moving the clock would
    be a way to a fresh quota. Epochs only grow, from window to window too.
    """
    period = subscription.plan.quota_period
    local = window(period=period, timezone=subscription.organization.timezone, at=at)
    # in UTC: a local midnight that does not exist equals no moment of another zone (PEP 495)
    start, end = (moment.astimezone(UTC) for moment in local)
    running = list(QuotaWindow.objects.running(subscription.pk, period, at, key_id))
    row = next((row for row in running if row.starts_at == start), None)
    if row is not None and len(running) == 1:
        return row
    row = row or QuotaWindow(
        organization_id=subscription.organization_id,
        subscription=subscription,
        key_id=key_id,
        period=period,
        starts_at=start,
        ends_at=end,
    )
    if running:
        newest = max(running, key=lambda each: (each.epoch, each.leased))
        row.leased, row.extra, row.adjusted_at = newest.leased, newest.extra, newest.adjusted_at
        row.epoch, row.leased_before = newest.epoch, newest.leased_before
    else:
        former = QuotaWindow.objects.filter(subscription=subscription, key=key_id, epoch__gt=0)
        last = former.order_by("-epoch").first()
        row.epoch = last.epoch if last else 0
        row.leased = calls_before(subscription=subscription, key_id=key_id, start=start, at=at)
    row.save()
    return row


def give_back(
    *,
    node: Node,
    subscription_id: str,
    starts_at: int,
    units: int,
    key_id: str = "",
    epoch: int = 0,
    request: str = "",
) -> int:
    """Take unspent units back into the window that starts at `starts_at` (Unix seconds).

    Returns how many were taken: never more than the node holds of that window, and none of an older epoch. A
    repeat of the node's last `request` takes nothing more.
    """
    with transaction.atomic():
        if locked_subscription(subscription_id) is None:
            return 0
        held = (
            Lease.objects.select_related("window")
            .filter(
                node=node,
                window__subscription=subscription_id,
                window__key=key_id or None,
                window__starts_at=datetime.fromtimestamp(starts_at, tz=UTC),
            )
            .order_by("-updated_at")
            .first()
        )
        if held is None or not held.epoch == held.window.epoch == epoch:
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
