"""How much of their quotas subscriptions have used in the windows that run now, and of their rates a minute ago."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.utils.timezone import now

from access.models import CountersOnChange, PlanChange, QuotaScope, Subscription, SubscriptionState
from access.periods import window
from metering.queries import quantities
from metering.rates import last_minute, rates_in
from nodes.queries import limits_now


@dataclass(frozen=True, slots=True)
class QuotaUse:
    """`used` of `limit` calls until `ends_at`."""

    subscription: Subscription
    used: int
    limit: int
    ends_at: datetime

    @property
    def share(self) -> float:
        """Of the limit, 1 = all; a quota of nothing is used up."""
        return self.used / self.limit if self.limit else 1.0


@dataclass(frozen=True, slots=True)
class RateUse:
    """`used` of `limit` calls in the minute that began at `minute`; a burst can take it above the limit."""

    subscription: Subscription
    used: int
    limit: int
    throttled: int
    minute: datetime


def rate_use(subscriptions: Iterable[Subscription]) -> list[RateUse]:
    """The last whole minute of those that are active and have a rate. One query, none where nobody has one.

    The counts are the gate's own, call by call: a minute lets in 60 times the rate, and the burst once more at
    the most. Load `plan` and `application` beforehand.
    """
    limited = [
        each for each in subscriptions if each.state == SubscriptionState.ACTIVE and each.plan.throttle_rate
    ]
    if not limited:
        return []
    minute = last_minute()
    counts = rates_in(subscription_ids=[each.pk for each in limited], minute=minute)
    found = []
    for each in limited:
        rate, count = each.plan.throttle_rate or 0, counts[each.pk]
        # a rate below one a minute lets in one call in more than a minute
        limit = max(1, round(60 * rate))
        found.append(RateUse(each, count.let_in, limit, count.throttled, minute))
    return found


def quota_use(subscriptions: Iterable[Subscription]) -> list[QuotaUse]:
    """The use of those that are active and have a quota over all their keys.

    One query for each kind of window (day, week, month), one for what was set by hand and one for quotas that started
    anew with a change of plan; from there on is counted what they used. Load `plan`,
    `organization` and `application` beforehand.
    """
    groups: dict[tuple[datetime, datetime], list[Subscription]] = defaultdict(list)
    at = now()
    counted = [each for each in subscriptions if _counts_all_keys(each)]
    limits, anew = limits_now(counted, at=at), _started_anew(counted)
    for each in counted:
        zone = each.organization.timezone  # as the leases have it
        start, end = window(period=each.plan.quota_period, timezone=zone, at=at)
        groups[max(start, anew.get(each.pk, start)), end].append(each)
    found: list[QuotaUse] = []
    for (start, end), members in groups.items():
        used = quantities(subscription_ids=[each.pk for each in members], start=start, end=end)
        for each in members:
            calls = used[each.pk].calls if each.pk in used else 0
            found.append(QuotaUse(each, calls, limits[each.pk], end))
    return found


def _started_anew(subscriptions: list[Subscription]) -> dict[str, datetime]:
    rows = PlanChange.objects.filter(subscription__in=subscriptions, counters=CountersOnChange.RESET)
    return dict(rows.order_by("at").values_list("subscription", "at"))


def _counts_all_keys(subscription: Subscription) -> bool:
    plan = subscription.plan
    whole = plan.quota_scope == QuotaScope.SUBSCRIPTION
    return subscription.state == SubscriptionState.ACTIVE and plan.quota_limit is not None and whole
