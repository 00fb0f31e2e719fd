"""Billing periods: calendar months in the provider's time zone, held as UTC instants."""

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from accounts.errors import Refused


@dataclass(frozen=True, slots=True)
class Period:
    """From `start` (inclusive) to `end` (exclusive), both UTC; `timezone` is the IANA name it was cut by."""

    start: datetime
    end: datetime
    timezone: str = "UTC"

    @property
    def label(self) -> str:
        """`November 2026`, as the provider's calendar says."""
        return _names(self.start, self.timezone)[0]

    @property
    def key(self) -> str:
        """`2026-11`."""
        return _names(self.start, self.timezone)[1]

    @property
    def hours(self) -> int:
        """Real hours in it: a month in which clocks change has one more or one less."""
        return int((self.end - self.start).total_seconds() // 3600)

    def previous(self) -> "Period":
        """The month before."""
        local = self.start.astimezone(ZoneInfo(self.timezone))
        months = local.year * 12 + local.month - 2
        return month(months // 12, months % 12 + 1, self.timezone)

    def following(self) -> "Period":
        """The month after."""
        return month_of(self.end, self.timezone)

    def __contains__(self, moment: datetime) -> bool:
        return self.start <= moment < self.end


def month(year: int, number: int, timezone: str) -> Period:
    """The calendar month `number` (1-12) of `year` in that zone. Refused for an unknown zone."""
    zone = _zone(timezone)
    start = datetime(year, number, 1, tzinfo=zone)
    end = datetime(year + number // 12, number % 12 + 1, 1, tzinfo=zone)
    return Period(start.astimezone(UTC), end.astimezone(UTC), timezone)


def month_of(moment: datetime, timezone: str) -> Period:
    """The calendar month that `moment` (aware) falls in, in that zone."""
    local = moment.astimezone(_zone(timezone))
    return month(local.year, local.month, timezone)


def parse_month(text: str, timezone: str) -> Period:
    """`2026-11` -> that month. Refused(field `month`) for anything else."""
    try:
        moment = datetime.strptime(text.strip(), "%Y-%m").replace(tzinfo=UTC)
    except ValueError:
        raise Refused(f"{text!r} is not a month. Write it as 2026-11.", field="month") from None
    return month(moment.year, moment.month, timezone)


@lru_cache  # every invoice of a month's end asks for one month's
def _names(start: datetime, timezone: str) -> tuple[str, str]:
    local = start.astimezone(ZoneInfo(timezone))
    return f"{local:%B %Y}", f"{local:%Y-%m}"


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise Refused(
            f"{name!r} is not a time zone. Use an IANA name, such as Europe/Berlin.", field="timezone"
        ) from None
