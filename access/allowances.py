"""Bounding subscriptions by what their calls cost: so many further calls, or none until a moment."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.db import transaction

from access.models import CallAllowance, Subscription
from access.signals import subscriptions_changed
from accounts.audit import record

WRITTEN = ("further", "counted", "window_starts_at", "unleased", "stopped_until", "reason")


@dataclass(frozen=True, slots=True)
class Bound:
    """What one subscription may do from now on; see `CallAllowance` for the numbers."""

    subscription: Subscription
    further: int | None
    counted: int
    window_starts_at: datetime
    stopped_until: datetime | None = None
    reason: str = ""


@dataclass(slots=True)
class Moved:
    """Which subscriptions (by id) were stopped just now, and which were let go on."""

    stopped: list[str] = field(default_factory=list)
    resumed: list[str] = field(default_factory=list)


@transaction.atomic
def bound(*, bounds: Sequence[Bound], free: Collection[str] = ()) -> Moved:
    """Write the bounds of many subscriptions; those in `free` (ids) have none any more.

    Whoever is stopped or let go on gets an audit line, and nodes learn of it within a second. Queries: a constant
    number, and those of nodes' entries where one changed.
    """
    ids = sorted({each.subscription.pk for each in bounds} | set(free))
    rows = CallAllowance.objects.select_for_update().filter(subscription__in=ids).order_by("subscription")
    kept = {row.subscription_id: row for row in rows}
    moved, made, changed, entries = Moved(), [], [], set()
    for each in bounds:
        row = kept.get(each.subscription.pk)
        if row is None:
            row = CallAllowance(
                subscription=each.subscription, organization_id=each.subscription.organization_id
            )
            before = None
            made.append(row)
        else:
            before = row.entry_part
            if _differs(row, each):
                changed.append(row)
        if _is_another(row, each):
            # a window that began under the allowance has leases for all of its calls
            row.unleased = 0
        was, row.stopped_until = row.stopped_until, each.stopped_until
        row.further, row.counted, row.reason = each.further, each.counted, each.reason
        row.window_starts_at = each.window_starts_at
        if before != row.entry_part:
            entries.add(row.subscription_id)
        _note(moved, row.subscription_id, was, each.stopped_until)
    gone = [row for pk, row in kept.items() if pk in set(free)]
    for row in gone:
        entries.add(row.subscription_id)
        _note(moved, row.subscription_id, row.stopped_until, None)
    CallAllowance.objects.bulk_create(made)
    CallAllowance.objects.bulk_update(changed, WRITTEN)
    CallAllowance.objects.filter(pk__in=[row.pk for row in gone]).delete()
    _announce(moved, entries, {each.subscription.pk: each.reason for each in bounds})
    return moved


def _differs(row: CallAllowance, each: Bound) -> bool:
    names = ("further", "counted", "window_starts_at", "stopped_until", "reason")
    return any(getattr(row, name) != getattr(each, name) for name in names)


def _is_another(row: CallAllowance, each: Bound) -> bool:
    return row.pk is not None and row.window_starts_at != each.window_starts_at


def _note(moved: Moved, subscription_id: str, was: datetime | None, now: datetime | None) -> None:
    if now is not None and was != now:
        moved.stopped.append(subscription_id)
    elif now is None and was is not None:
        moved.resumed.append(subscription_id)


def _announce(moved: Moved, entries: set[str], reasons: dict[str, str]) -> None:
    acts = dict.fromkeys(moved.stopped, "stopped") | dict.fromkeys(moved.resumed, "let go on")
    for each in Subscription.objects.select_related("organization", "application", "plan").filter(
        pk__in=acts
    ):
        act = acts[each.pk]
        record(
            organization=each.organization,
            actor=None,
            action="subscription.stopped" if act == "stopped" else "subscription.let_go_on",
            target=each,
            summary=f"{act.capitalize()}: the calls of {each}. {reasons.get(each.pk, '')}".strip(),
        )
    if entries:
        subscriptions_changed.send(Subscription, subscription_ids=sorted(entries))
