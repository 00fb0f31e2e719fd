"""Partitions of the records by their time: made ahead, and dropped when their time is over.

Minutes lie in partitions of a day, hours of a month, days of a year (UTC), the request log in those of a day. Each
table also has one for the rest, `…_rest`: what comes for a time without a partition (late, or before the first run)
lands there, so no batch ever waits for a partition or fails for want of one. Each run moves the rest to where it
belongs.

A record stays for so many days after the end of its calendar month, because bills of a month may be worked out anew
while late counts are taken (`LATE` of metering/dimensions.py), and are cut at minutes. Lines of the request log go
with their day.
"""

import logging
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.conf import settings
from django.db import OperationalError, connection, transaction
from django.utils.timezone import now

from metering.models import RequestLine, UsageDay, UsageHour, UsageMinute, UsageRecord

logger = logging.getLogger(__name__)

# Of records half of each page stays free for the next version of its rows: those of the running period are written
# again and again, and finding room beside the old version halves the cost of it.
FILL = 50
# how long calls of the intake may wait for a run, at most; a run that gets no lock tries again next time
_LOCK_TIMEOUT = "2s"


def _day(moment: datetime, steps: int = 0) -> datetime:
    return moment.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=steps)


def _month(moment: datetime, steps: int = 0) -> datetime:
    years, month = divmod(moment.month - 1 + steps, 12)
    return _day(moment).replace(year=moment.year + years, month=month + 1, day=1)


def _year(moment: datetime, steps: int = 0) -> datetime:
    return _month(moment).replace(year=moment.year + steps, month=1)


@dataclass(frozen=True, slots=True)
class Kind:
    """How one table is cut: `start(moment, steps)` gives the start of a partition, so many later."""

    model: type[UsageRecord | RequestLine]
    start: Callable[..., datetime]
    name: str
    ahead: int
    setting: str
    # records are kept by whole months, and written more than once
    records: bool = True

    @property
    def table(self) -> str:
        return self.model._meta.db_table

    @property
    def rest(self) -> str:
        return f"{self.table}_rest"

    def partition(self, start: datetime) -> str:
        return f"{self.table}_{start:{self.name}}"

    def keep(self) -> timedelta | None:
        """Return how long rows are kept; None = for ever."""
        days: int = getattr(settings, self.setting)
        return timedelta(days=days) if days or not self.records else None


KINDS = (
    Kind(UsageMinute, _day, "%Y%m%d", 7, "USAGE_KEEP_MINUTES_DAYS"),
    Kind(UsageHour, _month, "%Y%m", 2, "USAGE_KEEP_HOURS_DAYS"),
    Kind(UsageDay, _year, "%Y", 1, "USAGE_KEEP_DAYS_DAYS"),
    Kind(RequestLine, _day, "%Y%m%d", 2, "REQUEST_LOG_KEEP_DAYS", records=False),
)


def maintain(*, at: datetime | None = None) -> tuple[list[str], list[str]]:
    """Make partitions ahead, move the rest into its own, drop old ones; returns names of made and dropped.

    What cannot get its lock within two seconds is left to the next run.
    """
    at = (at or now()).astimezone(UTC)
    made: list[str] = []
    dropped: list[str] = []
    for kind in KINDS:
        oldest = _oldest(kind, at)
        made += [name for start in _wanted(kind, at, oldest) if (name := _try(_make, kind, start))]
        if oldest is not None:
            dropped += [name for name in _old(kind, oldest) if _try(_drop, kind, name)]
            _try(_clear_rest, kind, oldest)
    return made, dropped


def cover(model: type[UsageRecord | RequestLine], *, start: datetime, end: datetime) -> None:
    """Make the partitions of [start, end) that are missing, for whoever is about to write old records."""
    kind = next(each for each in KINDS if each.model is model)
    moment = kind.start(start.astimezone(UTC))
    while moment < end:
        _try(_make, kind, moment)
        moment = kind.start(moment, 1)


def partitions(kind: Kind) -> dict[str, datetime]:
    """Return name -> start of the partitions of a table, oldest first, without the rest."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT child.relname, pg_get_expr(child.relpartbound, child.oid) FROM pg_inherits "
            "JOIN pg_class child ON child.oid = inhrelid WHERE inhparent = %s::regclass",
            [kind.table],
        )
        bounds = {name: re.search(r"FROM \('([^']+)'\)", bound) for name, bound in cursor.fetchall()}
    starts = {
        name: datetime.fromisoformat(bound[1]).astimezone(UTC) for name, bound in bounds.items() if bound
    }
    return dict(sorted(starts.items(), key=lambda item: item[1]))


def kept_from(model: type[UsageRecord], *, at: datetime) -> datetime | None:
    """Return from when on a table has all its records; None = it keeps them for ever."""
    return next(_oldest(kind, at.astimezone(UTC)) for kind in KINDS if kind.model is model)


def _oldest(kind: Kind, at: datetime) -> datetime | None:
    """Return the start of the oldest partition that is kept; None = all are.

    A calendar month of the bill begins up to 14 hours before UTC's, so the day before a month is kept with it.
    """
    keep = kind.keep()
    if keep is None:
        return None
    return kind.start(_month(at - keep) - timedelta(days=1)) if kind.records else kind.start(at - keep)


def _wanted(kind: Kind, at: datetime, oldest: datetime | None) -> Iterator[datetime]:
    """Yield the starts of partitions that are to be made: ahead, and for what lies in the rest."""
    there = set(partitions(kind).values())
    ahead = {kind.start(at, steps) for steps in range(kind.ahead + 1)}
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT DISTINCT date_trunc('minute', at) FROM {kind.rest}")  # noqa: S608 -- the name comes from the model
        rest = {kind.start(moment.astimezone(UTC)) for (moment,) in cursor.fetchall()}
    yield from (s for s in sorted((ahead | rest) - there) if oldest is None or s >= oldest)


def _old(kind: Kind, oldest: datetime) -> list[str]:
    return [name for name, start in partitions(kind).items() if start < oldest]


def _try(step: Callable[..., str | None], kind: Kind, value: datetime | str) -> str | None:
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"SET LOCAL lock_timeout = '{_LOCK_TIMEOUT}'")
            return step(kind, value)
    except OperationalError as error:
        logger.warning("%s %s of %s: left to the next run (%s)", step.__name__, value, kind.table, error)
        return None


def _make(kind: Kind, start: datetime) -> str | None:
    """Make one partition with what the rest has of it, while nobody else writes the table; reading goes on."""
    name, end = kind.partition(start), kind.start(start, 1)
    bounds = f"FROM ('{start.isoformat()}') TO ('{end.isoformat()}')"
    with connection.cursor() as cursor:
        cursor.execute(f"LOCK TABLE ONLY {kind.table} IN SHARE ROW EXCLUSIVE MODE")
        cursor.execute("SELECT to_regclass(%s)", [name])
        if cursor.fetchone()[0] is not None:  # another worker was quicker
            return None
        cursor.execute(
            f"CREATE TABLE {name} (LIKE {kind.table} INCLUDING DEFAULTS INCLUDING CONSTRAINTS) "
            f"WITH (fillfactor = {FILL if kind.records else 100})"
        )
        cursor.execute(
            f"WITH moved AS (DELETE FROM {kind.rest} WHERE at >= %s AND at < %s RETURNING *) "  # noqa: S608
            f"INSERT INTO {name} SELECT * FROM moved",
            [start, end],
        )
        cursor.execute(f"ALTER TABLE {kind.table} ATTACH PARTITION {name} FOR VALUES {bounds}")
    return name


def _drop(kind: Kind, name: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TABLE IF EXISTS {name}")
    logger.info("%s dropped: its time is over", name)
    return name


def _clear_rest(kind: Kind, oldest: datetime) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"DELETE FROM {kind.rest} WHERE at < %s", [oldest])  # noqa: S608
