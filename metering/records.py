"""Adds rows to the minute, hour and day records."""

import json
from collections.abc import Iterable
from typing import Any

from django.db import connection

from metering.latency import BUCKETS
from metering.models import UsageDay, UsageHour, UsageMinute, UsageRecord

Row = dict[str, Any]

SUMS = ("calls", "cache_hits", "cache_misses", "bytes_out", "bytes_in", "latency_ms", "integration_ms")
# columns that are no text -> their type
_TYPES = {"at": "bigint", "status_class": "smallint", "canary": "boolean"}
# what follows from the dimensions
_DERIVED = ("organization_id", "developer_id", "application_id", "api_id", "version_id")
_SECONDS: dict[type[UsageMinute | UsageHour | UsageDay], int] = {
    UsageMinute: 60,
    UsageHour: 3_600,
    UsageDay: 86_400,
}
_CHUNK = 5_000


def add(rows: Iterable[Row]) -> None:
    """Add rows (`metering.dimensions` made them; `at` in Unix seconds) to the three tables, set-based.

    Runs in the caller's transaction. Tables and rows are written in one order by everybody.
    """
    rows = list(rows)
    for table, seconds in _SECONDS.items():
        rows = fold(rows, seconds)
        for start in range(0, len(rows), _CHUNK):
            _upsert(table, rows[start : start + _CHUNK])


def fold(rows: Iterable[Row], seconds: int) -> list[Row]:
    """Add up rows of equal dimensions and of the same period of so many seconds; sorted by dimension."""
    folded: dict[tuple[Any, ...], Row] = {}
    for row in rows:
        at = row["at"] - row["at"] % seconds
        name = (at, *(row[dimension] for dimension in UsageRecord.DIMENSIONS[1:]))
        held = folded.get(name)
        if held is None:
            folded[name] = row | {"at": at}
            continue
        for column in SUMS:
            held[column] += row[column]
        counts = zip(held["latency_counts"], row["latency_counts"], strict=True)
        held["latency_counts"] = [a + b for a, b in counts]
    return [folded[name] for name in sorted(folded)]


def _upsert(table: type[UsageMinute | UsageHour | UsageDay], rows: list[Row]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(_statement(table), [json.dumps(rows)])


def _statement(table: type[UsageMinute | UsageHour | UsageDay]) -> str:
    """One INSERT for many rows: names of columns come from the model, values come as one JSON text."""
    dimensions = (*UsageRecord.DIMENSIONS[1:], *_DERIVED)
    columns = [*dimensions, *SUMS, "latency_counts"]
    types = [f"{name} {_TYPES.get(name, 'text')}" for name in ("at", *dimensions)]
    types += [*(f"{name} bigint" for name in SUMS), "latency_counts bigint[]"]
    sums = [f"{name} = held.{name} + excluded.{name}" for name in SUMS]
    buckets = ", ".join(
        f"held.latency_counts[{n}] + excluded.latency_counts[{n}]" for n in range(1, BUCKETS + 1)
    )
    sums.append(f"latency_counts = ARRAY[{buckets}]")
    return f"""
        INSERT INTO {table._meta.db_table} AS held (at, {", ".join(columns)})
        SELECT to_timestamp(at), {", ".join(columns)}
        FROM jsonb_to_recordset(%s::jsonb) AS row({", ".join(types)})
        ON CONFLICT ({", ".join(UsageRecord.DIMENSIONS)}) DO UPDATE SET {", ".join(sums)}
    """  # noqa: S608 -- no value is in it
