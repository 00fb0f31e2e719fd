"""Who calls when: pure, by a seed. Amounts follow the day, the week and growth.

Sizes are spread as they are in life: a few customers call around the clock, many once a night, some hardly ever.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

# share of the subscriptions, calls a day at the median, how much sizes differ (sigma of the logarithm)
KINDS = {
    "steady": (0.02, 60_000, 1.2),
    "office": (0.13, 2_500, 1.3),
    "nightly": (0.5, 300, 1.4),
    "rare": (0.35, 12, 1.0),
}
# share of the calls that an hour of the day (UTC) has
DAY = [2, 2, 1, 1, 2, 3, 5, 8, 12, 14, 14, 13, 12, 13, 14, 13, 12, 10, 8, 7, 6, 5, 4, 3]
_WEEK = (1.0, 1.05, 1.08, 1.05, 0.95, 0.45, 0.4)
_OFFICE_HOURS = (9, 11, 14, 16)
_HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Caller:
    """How one subscription calls: from `since` on, `daily` calls on a working day at first, `growth` in a year."""

    kind: str
    since: datetime
    daily: float
    growth: float
    hour: int


def make_caller(draw: Random, number: int, of: int, since: datetime, days: int) -> Caller:
    """Return the caller with this number; two in five are there from the start, the others come by and by."""
    kind = _kind((number + 0.5) / of)
    _, median, sigma = KINDS[kind]
    came = max(0, math.floor(draw.uniform(-2 / 3, 1) * (days - 1)))
    return Caller(
        kind=kind,
        since=since + timedelta(days=came),
        daily=median * math.exp(draw.gauss(0, sigma)),
        growth=draw.uniform(-0.3, 1.5),
        hour=draw.randrange(24),
    )


def _kind(place: float) -> str:
    reached = 0.0
    for kind, (share, _, _) in KINDS.items():
        reached += share
        if place < reached:
            return kind
    return "rare"


def hours(caller: Caller, draw: Random, until: datetime) -> Iterator[tuple[datetime, int]]:
    """Yield (start of an hour, calls) from the caller's first day until `until`, hours without calls left out."""
    day, number = caller.since, 0
    while day < until:
        size = (
            caller.daily * _WEEK[day.weekday()] * (1 + caller.growth * number / 365) * draw.uniform(0.8, 1.2)
        )
        for hour, share in _shares(caller, draw, day):
            calls = round(size * share)
            if calls and day + hour * _HOUR < until:
                yield day + hour * _HOUR, calls
        day, number = day + 24 * _HOUR, number + 1


def _shares(caller: Caller, draw: Random, day: datetime) -> list[tuple[int, float]]:
    """Return (hour, its share of the day's calls)."""
    if caller.kind == "steady":
        return [(hour, part / sum(DAY) * draw.uniform(0.9, 1.1)) for hour, part in enumerate(DAY)]
    if caller.kind == "office":
        return [(hour, 1 / 4) for hour in _OFFICE_HOURS] if day.weekday() < 5 else []
    if caller.kind == "rare" and draw.random() > 0.3:
        return []
    return [(caller.hour, 1.0)]


def minutes(at: datetime, calls: int, draw: Random) -> Iterator[tuple[datetime, int]]:
    """Cut an hour's calls into some of its minutes; their sum is the same."""
    pieces = min(calls, 6)
    each, rest = divmod(calls, pieces)
    for index, minute in enumerate(sorted(draw.sample(range(60), pieces))):
        yield at + timedelta(minutes=minute), each + (index < rest)
