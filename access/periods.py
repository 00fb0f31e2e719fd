"""Periods: which quota window a moment falls into, and when a billing month ends.

Windows follow the calendar of the developer's time zone: days begin at local midnight, weeks on Monday, months
on the 1st. So a day is 23 or 25 hours long when the clock changes.
"""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.db.models import TextChoices

from access.models import QuotaPeriod
from accounts.errors import Refused
from accounts.models import Organization


class When(TextChoices):
    """When a change of a subscription shall happen."""

    NOW = "now", "At once"
    PERIOD_END = "period_end", "When the month ends"

    @classmethod
    def parse(cls, text: str) -> "When":
        """Refused (field `at`) for what is neither."""
        if text not in cls.values:
            raise Refused(f"Use one of {', '.join(cls.values)}.", field="at")
        return cls(text)


def window(*, period: str, timezone: str, at: datetime) -> tuple[datetime, datetime]:
    """Return start (inclusive) and end (exclusive) of the DAY, WEEK or MONTH in which `at` lies.

    `timezone` is an IANA name; `at` must be aware. The answer carries that time zone. Raises ValueError for an
    unknown period and `zoneinfo.ZoneInfoNotFoundError` for an unknown zone.
    """
    zone = ZoneInfo(timezone)
    today = at.astimezone(zone).date()
    if period == QuotaPeriod.DAY:
        first, following = today, today + timedelta(days=1)
    elif period == QuotaPeriod.WEEK:
        first = today - timedelta(days=today.weekday())
        following = first + timedelta(days=7)
    elif period == QuotaPeriod.MONTH:
        first = today.replace(day=1)
        following = (first + timedelta(days=32)).replace(day=1)
    else:
        raise ValueError(f"unknown period {period!r}; use DAY, WEEK or MONTH")
    # midnight twice (fold) means the first; midnight that does not exist means the moment the clock jumps
    return (
        datetime.combine(first, time(), tzinfo=zone),
        datetime.combine(following, time(), tzinfo=zone),
    )


def billing_month_end(provider: Organization, at: datetime) -> datetime:
    """Return when the month in which `at` lies ends by the provider's clock: in UTC, always after `at`."""
    return window(period=QuotaPeriod.MONTH, timezone=provider.timezone, at=at)[1].astimezone(UTC)
