"""What pages and other rooms ask about nodes."""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import NamedTuple

from django.db.models import Count, Max, Q, QuerySet
from django.utils.timezone import now

from access.models import Subscription
from access.periods import window
from apis.models import Stage
from nodes.compile_stage import canonical_key
from nodes.models import Entry, Node, QuotaWindow

# a node says something every few seconds; one that was silent for longer is down
SEEN_WITHIN = timedelta(seconds=15)


class Live(NamedTuple):
    """ "Live on `live` of `up`" nodes."""

    live: int
    up: int


class QuotaState(NamedTuple):
    """How much of a quota window is given out to nodes. `limit` is what holds for this window; None = no quota."""

    limit: int | None
    leased: int
    starts_at: datetime
    ends_at: datetime


def nodes_up() -> QuerySet[Node]:
    """Return the enabled nodes that were seen within the last 15 seconds."""
    return Node.objects.filter(enabled=True, last_seen_at__gte=now() - SEEN_WITHIN)


def live_on(generation: int) -> Live:
    """Say how many of the nodes that are up run this generation or a newer one."""
    counts = nodes_up().aggregate(live=Count("pk", filter=Q(generation__gte=generation)), up=Count("pk"))
    return Live(counts["live"], counts["up"])


def stage_live(stage: Stage) -> Live:
    """Say on how many of the nodes that are up the stage's newest state is live, with its addresses."""
    names = Q(kind="stage", key=stage.pk) | Q(kind="mapping", data__stage=stage.pk)
    names |= Q(kind="mapping", key=canonical_key(stage))
    generation = Entry.objects.filter(names).aggregate(newest=Max("generation"))["newest"]
    if generation is None:
        return Live(0, nodes_up().count())
    return live_on(generation)


def stage_problem(stage: Stage) -> str:
    """Return why nodes do not have the stage's newest state as it should be; '' = they have."""
    found = Entry.objects.filter(kind="stage", key=stage.pk).values_list("problem", flat=True).first()
    return found or ""


def limit_of(subscription: Subscription, row: QuotaWindow) -> int:
    """Return how many calls the window admits in all: the plan's limit, less its offset in the first period."""
    plan = subscription.plan
    first = row.starts_at <= subscription.started_at < row.ends_at
    return (plan.quota_limit or 0) - (plan.quota_offset if first else 0) + row.extra


def refusals_of(kind: str, key: str) -> list[tuple[str, str]]:
    """Return (node's name, reason) of the nodes that are up and could not take an entry's newest state."""
    named = f" {kind} {key}"
    found = []
    for node in nodes_up():
        problems = node.status.get("problems")
        found += [
            (node.name, str(each.get("text", "")))
            for each in (problems if isinstance(problems, list) else [])
            if isinstance(each, dict) and str(each.get("name", "")).endswith(named)
        ]
    return found


def quota_state(
    subscription_id: str, *, key_id: str | None = None, at: datetime | None = None
) -> QuotaState | None:
    """Return the running quota window of a subscription, or of one of its keys; None = no such subscription.

    `key_id` is the first of the key's rotations. The limit has the plan's offset and what was set by hand in it.
    """
    at = at or now()
    subscription = (
        Subscription.objects.select_related("plan", "organization").filter(pk=subscription_id).first()
    )
    if subscription is None:
        return None
    return quota_state_of(subscription, key_id=key_id, at=at)


def quota_state_of(subscription: Subscription, *, key_id: str | None, at: datetime) -> QuotaState:
    """As `quota_state`, in one query, for a subscription with its plan and organization loaded."""
    plan = subscription.plan
    start, end = window(period=plan.quota_period, timezone=subscription.organization.timezone, at=at)
    running = QuotaWindow.objects.running(subscription.pk, plan.quota_period, at, key_id)
    row = running.order_by("-epoch", "-leased").first() or QuotaWindow(starts_at=start, ends_at=end)
    limit = None if plan.quota_limit is None else limit_of(subscription, row)
    return QuotaState(limit, row.leased, start, end)


def limits_now(subscriptions: Collection[Subscription], *, at: datetime) -> dict[str, int]:
    """Return the limits that hold in the running windows over all keys, by subscription id. One query.

    For subscriptions whose plan has a quota; load plan and organization beforehand.
    """
    rows: dict[tuple[str, str], QuotaWindow] = {}
    running = QuotaWindow.objects.filter(
        subscription__in=subscriptions, key=None, starts_at__lte=at, ends_at__gt=at
    )
    for row in running.order_by("epoch", "leased"):
        rows[row.subscription_id, row.period] = row
    found = {}
    for each in subscriptions:
        period = each.plan.quota_period
        start, end = window(period=period, timezone=each.organization.timezone, at=at)
        row = rows.get((each.pk, period)) or QuotaWindow(starts_at=start, ends_at=end)
        found[each.pk] = limit_of(each, row)
    return found
