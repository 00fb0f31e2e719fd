"""How much of their quotas subscriptions have used in the windows that run now."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.utils.timezone import now

from access.models import CountersOnChange, PlanChange, QuotaScope, Subscription, SubscriptionState
from access.periods import window
from metering.queries import quantities
from nodes.queries import limits_now


@dataclass(frozen=True, slots=True)
class QuotaUse:
    """`used` of `limit` calls until `ends_at`."""

    subscription: Subscription
    used: int
    limit: int
    ends_at: datetime


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
