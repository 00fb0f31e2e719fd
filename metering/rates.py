"""How fast subscriptions called in a minute: what their plans' throttles are compared with."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Q, Sum
from django.utils.timezone import now

from metering.models import UsageMinute
from metering.queries import BILLABLE_VERDICTS

# nodes deliver what they counted within 5 seconds; a minute is read when twice that is over
SETTLED_AFTER = timedelta(seconds=10)


@dataclass(frozen=True, slots=True)
class MinuteRate:
    """Calls of one minute: those let in to the backend, and those refused as THROTTLED, whatever the limit."""

    let_in: int = 0
    throttled: int = 0


def last_minute(at: datetime | None = None) -> datetime:
    """Return the start of the last minute that is over and counted."""
    moment = (at or now()) - SETTLED_AFTER
    return moment.replace(second=0, microsecond=0) - timedelta(minutes=1)


def rates_in(*, subscription_ids: Collection[str], minute: datetime) -> dict[str, MinuteRate]:
    """Return what each subscription called in the minute that begins then, by id; zeros without calls. One query."""
    rows = (
        UsageMinute.objects.filter(subscription_id__in=subscription_ids, at=minute)
        .values_list("subscription_id")
        .annotate(
            let_in=Sum("calls", filter=Q(verdict__in=BILLABLE_VERDICTS), default=0),
            throttled=Sum("calls", filter=Q(verdict="THROTTLED"), default=0),
        )
    )
    found = {pk: MinuteRate(let_in, throttled) for pk, let_in, throttled in rows}
    return {pk: found.get(pk, MinuteRate()) for pk in subscription_ids}
