"""Makes records anew: minutes from batches, hours from minutes, days from hours.

A day at a time, in one transaction under a lock that keeps workers from adding up meanwhile; batches go on coming
in and wait. Doing it again gives the same records.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.utils.timezone import now

from accounts.errors import Refused
from metering import locks, partitions, records
from metering.chain.marks import mark_span
from metering.dimensions import Directory
from metering.latency import BUCKETS
from metering.models import UsageBatch, UsageDay, UsageHour, UsageMinute, UsageRecord
from metering.pieces import ceiling, floor

_BATCHES = 100
_DAY = timedelta(days=1)


def rebuild(*, start: datetime, end: datetime, from_batches: bool = False) -> int:
    """Rebuild whole UTC days that touch [start, end); returns how many.

    Hours and days are made from the minutes; with `from_batches` the minutes are made first, from the batches as
    nodes sent them. Refused where minutes or batches of the time are no longer kept.
    """
    day, end = floor(start, 86_400), ceiling(end, 86_400)
    _check(day, from_batches)
    count = 0
    while day < end:
        with transaction.atomic():
            locks.hold_alone()
            if from_batches:
                _minutes(day, day + _DAY)
            mark_span(day, day + _DAY)
            roll_up(UsageMinute, UsageHour, "hour", start=day, end=day + _DAY)
            mark_span(day, day + _DAY)
            roll_up(UsageHour, UsageDay, "day", start=day, end=day + _DAY)
        day += _DAY
        count += 1
    return count


def _check(day: datetime, from_batches: bool) -> None:
    minutes = partitions.kept_from(UsageMinute, at=now())
    if minutes is not None and day < minutes:
        raise Refused(f"Minutes before {minutes:%Y-%m-%d} are no longer kept.", field="start", code="gone")
    if not from_batches:
        return
    first = UsageBatch.objects.order_by("received_at").values_list("received_at", flat=True).first()
    if first is None or day < first:
        kept = f"are kept from {first:%Y-%m-%d %H:%M} on" if first else "are not kept"
        raise Refused(f"Batches {kept}; begin with the day after.", field="start", code="gone")


def roll_up(
    source: type[UsageRecord],
    target: type[UsageRecord],
    unit: str,
    *,
    start: datetime,
    end: datetime,
    provider_id: str | None = None,
) -> None:
    """Replace records of [start, end), whole days, by the sums of a finer table's; of one provider if it is given.

    In the caller's transaction, which keeps workers from adding up meanwhile.
    """
    names = [*UsageRecord.DIMENSIONS, *records.DERIVED]
    moment = f"date_trunc('{unit}', at, 'UTC')"
    read = [moment if name == "at" else name for name in names]
    sums = [f"sum({name})" for name in records.SUMS]
    counts = ", ".join(f"sum(latency_counts[{n}])::bigint" for n in range(1, BUCKETS + 1))
    columns = ", ".join([*names, *records.SUMS, "latency_counts"])
    wanted = "at >= %s AND at < %s"
    values: list[Any] = [start, end]
    if provider_id is not None:
        wanted, values = f"{wanted} AND organization_id = %s", [*values, provider_id]
    with connection.cursor() as cursor:
        cursor.execute(f"DELETE FROM {target._meta.db_table} WHERE {wanted}", values)  # noqa: S608
        cursor.execute(
            f"INSERT INTO {target._meta.db_table} ({columns}) "  # noqa: S608 -- names come from the models
            f"SELECT {', '.join(read)}, {', '.join(sums)}, ARRAY[{counts}] FROM {source._meta.db_table} "
            f"WHERE {wanted} GROUP BY {', '.join(read)}",
            values,
        )


def _minutes(start: datetime, end: datetime) -> None:
    """Replace the minutes of [start, end) by what the batches that were added up say."""
    known = _known(start, end)
    UsageMinute.objects.filter(at__gte=start, at__lt=end).delete()
    for rows in _accepted(start, end):
        directory = Directory.of(rows)
        for mine, theirs in (
            (directory.stages, known.stages),
            (directory.subscriptions, known.subscriptions),
            (directory.keys, known.keys),
        ):
            mine.update({name: ids for name, ids in theirs.items() if name not in mine})
        records.add_to(UsageMinute, [directory.complete(row) for row in rows])


def _accepted(start: datetime, end: datetime) -> Iterator[list[dict[str, Any]]]:
    """Yield the rows of the time that were not rejected, some batches at a time."""
    span = (start.timestamp(), end.timestamp())
    batches = UsageBatch.objects.filter(processed_at__isnull=False).exclude(oldest__gte=end)
    for batch in _in_pieces(batches.exclude(newest__lt=start).order_by("pk")):
        rows: list[dict[str, Any]] = []
        for one in batch:
            refused = [each["row"] for each in one.rejected]
            rows += [row for row in one.rows if span[0] <= row["minute"] < span[1] and row not in refused]
        if rows:
            yield rows


def _in_pieces(batches: Any) -> Iterator[list[UsageBatch]]:
    last = 0
    while found := list(batches.filter(pk__gt=last)[:_BATCHES]):
        yield found
        last = found[-1].pk


def _known(start: datetime, end: datetime) -> Directory:
    """Who is behind the ids, as the records say: what they name may be deleted by now."""
    found = UsageMinute.objects.filter(at__gte=start, at__lt=end).values_list(
        "stage_id",
        "organization_id",
        "api_id",
        "version_id",
        "subscription_id",
        "key_id",
        "developer_id",
        "application_id",
    )
    known = Directory({}, {}, {})
    for stage, provider, api, version, subscription, key, developer, application in found.distinct():
        caller = {"developer_id": developer, "application_id": application}
        known.stages[stage] = {"organization_id": provider, "api_id": api, "version_id": version}
        known.subscriptions[subscription] = caller
        known.keys[key] = caller
    return known
