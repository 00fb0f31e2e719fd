"""Holding spend caps: how many more calls the money left buys, and the stop when it buys none.

How exact that is:

- A cap over one subscription whose card charges calls alone is exact. The money left is turned into a number of calls
  (`affordable.py`), which nodes spend from leases like a quota: no call beyond it is let in, on however many nodes.
- Everything else (what calls carry, several subscriptions under one cap or in one count, prices that change) is known
  once it is metered. What is let in beyond
  the cap is at most what is called within SLOWEST seconds: usage is up to 5 seconds behind, caps are looked at every
  SPEND_INTERVAL seconds, and nodes know within a second. `most_late_calls` says it in calls.
- Calls of the seconds before a cap was set are metered after it; they count, but nothing held them back.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

from django.conf import settings

from access.allowances import Bound, Moved, bound
from access.models import CallAllowance, PlanStage, Subscription, SubscriptionState, UsagePlan
from access.periods import window
from billing.affordable import most_calls
from billing.alerts import BudgetState
from billing.estimate import SubscriptionEstimate
from billing.models import Budget, Meter, TiersOver
from billing.next_calls import CALL_METERS
from billing.queries import rate_card_of
from billing.stop_notices import tell_of_stops
from metering.queries import quantities

USAGE_BEHIND = 5  # seconds until a call is metered, at most
PROPAGATION = 1  # seconds until nodes know
# what only calls use; a cache's hours and what providers report goes on without any
_BY_CALLS = {*CALL_METERS, Meter.BYTES_OUT, Meter.BYTES_IN}
CAP_REACHED = "The monthly spend cap of this subscription is reached."
GROUP_CAP_REACHED = "The monthly spend cap of the organization that pays for this subscription is reached."


@dataclass(frozen=True, slots=True)
class Limit:
    """Money that some subscriptions of one payer may still cost, all together, in the currency of their cards.

    `reason` is told to refused callers. `state` is the budget it comes from, None where it is another kind.
    """

    subscription_ids: frozenset[str]
    left: Decimal
    reason: str = CAP_REACHED
    state: BudgetState | None = None


@dataclass(frozen=True, slots=True)
class Source:
    """Where limits come from beside budgets, such as prepaid credit.

    `customers()` gives the ids of the organizations to look at; `limits(customer ids, their month so far, at)` what
    may still be spent, in a constant number of queries.
    """

    customers: Callable[[], Iterable[str]]
    limits: Callable[[Collection[str], Sequence[SubscriptionEstimate], datetime], Iterable[Limit]]


# rooms of billing that bound spending add theirs here
SOURCES: list[Source] = []


@dataclass(frozen=True, slots=True)
class Counted:
    """Calls that were metered in the running quota window of a subscription."""

    calls: int
    window_starts_at: datetime


def most_late_calls(plan: UsagePlan) -> int | None:
    """Return how many calls can be let in at most between the call that reaches a cap and the stop.

    None = the plan has no throttle, so nothing bounds them but time. Not for caps that are exact.
    """
    if plan.throttle_rate is None or plan.throttle_burst is None:
        return None
    return int(plan.throttle_rate * slowest()) + plan.throttle_burst


def late_calls_of(
    budget: Budget, subscriptions: Sequence[Subscription], *, in_group: bool = False
) -> int | None:
    """Return how many calls can be let in at most after the one that reaches a cap; 0 = exact, None = no bound.

    `subscriptions` are the living ones of its organization, with their plans' prices loaded; `in_group` = another
    organization pays for it, or it for others, so that their calls move its tiers (and count for a cap of the group).
    """
    if budget.whole_group and in_group:
        return None
    priced = [(each, card) for each in subscriptions if (card := rate_card_of(each)) is not None]
    covered = [(each, card) for each, card in priced if budget.covers(each)]
    shared = {card.pk for _, card in covered if card.tiers_over == TiersOver.CUSTOMER}
    # whose calls move what the covered ones cost
    moving = [(each, card) for each, card in priced if budget.covers(each) or card.pk in shared]
    meters = {price.meter for _, card in covered for price in card.prices.all()}
    if (in_group and shared) or meters - _BY_CALLS:
        return None
    if len(moving) <= 1 and meters <= {Meter.REQUESTS}:
        return 0
    late = [most_late_calls(each.plan) for each, _ in moving]
    return None if None in late else sum(each or 0 for each in late)


def slowest() -> int:
    """Return the seconds from a call that reaches a cap to the stop, at most."""
    return int(USAGE_BEHIND + settings.SPEND_INTERVAL + PROPAGATION)


def count_windows(customer_ids: Collection[str], at: datetime) -> dict[str, Counted]:
    """Return what was metered in the running quota windows, by subscription. A query for each kind of window."""
    rows = Subscription.objects.exclude(state__in=(SubscriptionState.CANCELLED, SubscriptionState.PENDING))
    groups: dict[tuple[datetime, datetime], list[str]] = defaultdict(list)
    for each in rows.filter(organization__in=customer_ids).select_related("plan", "organization"):
        start, end = window(period=each.plan.quota_period, timezone=each.organization.timezone, at=at)
        groups[start.astimezone(UTC), end.astimezone(UTC)].append(each.pk)
    found: dict[str, Counted] = {}
    for (start, end), members in groups.items():
        used = quantities(subscription_ids=members, start=start, end=end)
        found |= {pk: Counted(used[pk].calls, start) for pk in members}
    return found


def limits_of(states: Sequence[BudgetState], items: Sequence[SubscriptionEstimate]) -> list[Limit]:
    """Return the limits that budgets with a stop set."""
    return [
        Limit(
            frozenset(
                item.subscription.pk
                for item in items
                if item.card is not None  # what is free costs nothing, and goes on
                and item.currency == state.budget.currency
                and item.period.key == state.period
                and state.budget.covers(item.subscription, item.payer_id)
            ),
            state.budget.amount - state.spent,
            reason=GROUP_CAP_REACHED if state.budget.whole_group else CAP_REACHED,
            state=state,
        )
        for state in states
        if state.budget.stops
    ]


def hold(
    items: Sequence[SubscriptionEstimate],
    limits: Sequence[Limit],
    counts: dict[str, Counted],
    at: datetime,
) -> Moved:
    """Bound the subscriptions by their tightest limits, free those that have none, and tell who was stopped."""
    tightest: dict[str, Limit] = {}
    for limit in sorted(limits, key=lambda limit: limit.left, reverse=True):
        tightest |= dict.fromkeys(limit.subscription_ids, limit)
    held = [each for each in items if each.subscription.pk in tightest and each.subscription.pk in counts]
    regions = _regions_of({each.subscription.plan_id for each in held})
    bounds = [_bound(each, tightest, counts, regions[each.subscription.plan_id]) for each in held]
    unbound = set(counts) - {each.subscription.pk for each in bounds}
    loose, free = _loosen(unbound, counts)
    moved = bound(bounds=[*bounds, *loose], free=free)
    tell_of_stops(
        moved,
        {each.subscription.pk: each.subscription for each in items},
        {pk: limit.state for pk, limit in tightest.items()},
    )
    return moved


def _regions_of(plan_ids: Collection[str]) -> dict[str, set[str]]:
    """Return where each plan's calls can go: the regions of its APIs, '' = an API of none. One query."""
    found: dict[str, set[str]] = {pk: set() for pk in plan_ids}
    rows = PlanStage.objects.filter(plan__in=plan_ids)
    for plan_id, region in rows.values_list("plan_id", "stage__version__api__region"):
        found[plan_id].add(region)
    return found


def _bound(
    item: SubscriptionEstimate,
    limits: Mapping[str, Limit],
    counts: Mapping[str, Counted],
    regions: Collection[str],
) -> Bound:
    limit, counted = limits[item.subscription.pk], counts[item.subscription.pk]
    further = 0 if limit.left <= 0 else most_calls(item.next_calls, limit.left, regions or ("",))
    return Bound(
        item.subscription,
        further,
        counted.calls,
        counted.window_starts_at,
        stopped_until=item.period.end if further == 0 else None,
        reason=limit.reason if further == 0 else "",
    )


def _loosen(unbound: Collection[str], counts: dict[str, Counted]) -> tuple[list[Bound], list[str]]:
    """Return what to write for subscriptions that have a bound and need none any more.

    Within a quota window it stays without a number: nodes hold units of it, which a new bound must know of.
    """
    loose, free = [], []
    rows = CallAllowance.objects.filter(subscription__in=unbound).select_related("subscription")
    for row in rows:
        counted = counts[row.subscription_id]
        if row.window_starts_at == counted.window_starts_at:
            loose.append(Bound(row.subscription, None, counted.calls, counted.window_starts_at))
        else:
            free.append(row.subscription_id)
    return loose, free
