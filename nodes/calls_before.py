"""What a quota window that begins in its middle has behind it: calls under another plan, which had no such window."""

from datetime import datetime, timedelta

from django.db.models import Q

from access.models import ApiKey, CountersOnChange, PlanChange, Subscription
from metering.queries import Scope, Span, summary

MINUTE = timedelta(minutes=1)


def calls_before(*, subscription: Subscription, key_id: str | None, start: datetime, at: datetime) -> int:
    """Return how many calls were counted since `start`, of all keys or of one with its rotations.

    0 where the subscription has had its plan since then, or its counters started anew. Counts are up to 5 s old.
    """
    changes = list(PlanChange.objects.filter(subscription=subscription, at__gte=start).order_by("-at"))
    # the rest of the minute in which they started anew is not told apart, so it does not count
    resets = [change.at + MINUTE for change in changes if change.counters == CountersOnChange.RESET]
    span = Span(resets[0] if resets else start, at)
    if not changes or span.start >= span.end:
        return 0
    keys = [""]
    if key_id:
        keys = list(ApiKey.objects.filter(Q(pk=key_id) | Q(origin=key_id)).values_list("pk", flat=True))
    developer = subscription.organization_id
    scopes = [Scope(developer=developer, subscription=subscription.pk, key=key) for key in keys]
    return sum(summary(scope=scope, span=span).accepted for scope in scopes)
