"""Cuts a span into days, hours and minutes, so that a long one is read from few rows. Pure."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from metering.models import UsageDay, UsageHour, UsageMinute

Table = type[UsageMinute | UsageHour | UsageDay]
Piece = tuple[Table, datetime, datetime]

SECONDS: dict[Table, int] = {UsageMinute: 60, UsageHour: 3_600, UsageDay: 86_400}


def floor(moment: datetime, seconds: int) -> datetime:
    """Return the start of the period of so many seconds (UTC) in which the moment lies."""
    whole = int(moment.timestamp()) // seconds * seconds
    return datetime.fromtimestamp(whole, tz=UTC)


def ceiling(moment: datetime, seconds: int) -> datetime:
    """Return the first start of such a period that is not before the moment."""
    start = floor(moment, seconds)
    return start if start == moment else start + timedelta(seconds=seconds)


@lru_cache(maxsize=1_024)  # at a month's end, most spans are the whole month
def cut(start: datetime, end: datetime) -> tuple[Piece, ...]:
    """Return at most five pieces (table, from, until) that cover all minutes that begin in [start, end).

    Minutes up to the first full hour, hours up to the first midnight (UTC), days, hours, minutes.
    """
    return tuple(_cut((UsageDay, UsageHour, UsageMinute), start, end))


def _cut(tables: tuple[Table, ...], start: datetime, end: datetime) -> Iterator[Piece]:
    if start >= end:
        return
    table, finer = tables[0], tables[1:]
    if not finer:
        yield table, start, end
        return
    first, last = ceiling(start, SECONDS[table]), floor(end, SECONDS[table])
    if first >= last:
        yield from _cut(finer, start, end)
        return
    yield from _cut(finer, start, first)
    yield table, first, last
    yield from _cut(finer, last, end)
