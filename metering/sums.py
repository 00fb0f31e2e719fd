"""Sums of usage records, made by PostgreSQL.

The SQL is put together from the names of tables and columns; every value goes as a parameter.
"""

from collections.abc import Collection, Iterable
from typing import Any, NamedTuple

from django.db import connection

from metering.latency import BUCKETS
from metering.models import UsageMinute
from metering.pieces import Piece
from metering.scopes import Scope


class Totals(NamedTuple):
    """Sums over calls; `accepted` are those with one of the given verdicts."""

    calls: int
    accepted: int
    errors_4xx: int
    errors_5xx: int
    bytes_out: int
    bytes_in: int
    cache_hits: int
    cache_misses: int
    latency_ms: int
    integration_ms: int
    latency_counts: list[int]


_COUNTS = ", ".join(f"sum(latency_counts[{n}])::bigint" for n in range(1, BUCKETS + 1))
_TOTALS = f"""
    sum(calls)::bigint,
    coalesce(sum(calls) FILTER (WHERE verdict = ANY(%s)), 0)::bigint,
    coalesce(sum(calls) FILTER (WHERE status_class = 4), 0)::bigint,
    coalesce(sum(calls) FILTER (WHERE status_class = 5), 0)::bigint,
    sum(bytes_out)::bigint,
    sum(bytes_in)::bigint,
    sum(cache_hits)::bigint,
    sum(cache_misses)::bigint,
    sum(latency_ms)::bigint,
    sum(integration_ms)::bigint,
    ARRAY[{_COUNTS}]
"""
_READ = (
    "calls",
    "bytes_out",
    "bytes_in",
    "cache_hits",
    "cache_misses",
    "latency_ms",
    "integration_ms",
    "latency_counts",
    "status_class",
    "verdict",
)


def totals(
    *,
    scope: Scope,
    pieces: Iterable[Piece],
    verdicts: Collection[str],
    by: str = "",
    limit: int | None = None,
) -> dict[Any, Totals]:
    """Return the sums for each value of the column `by`, most calls first; without `by` one sum, for None."""
    conditions, values = scope.conditions()
    columns = ", ".join(dict.fromkeys((*_READ, by) if by else _READ))
    source, values = _union(pieces, conditions, values, columns)
    sql = f"SELECT {by or 'NULL'}, {_TOTALS} FROM ({source}) AS records"  # noqa: S608
    if by:
        sql += f" GROUP BY {by} ORDER BY sum(calls) DESC, {by} LIMIT %s"
        values = [*values, limit]
    return {row[0]: Totals(*row[1:]) for row in _read(sql, [list(verdicts), *values]) if row[1] is not None}


def billed(
    *, subscription_ids: Collection[str], pieces: Iterable[Piece], verdicts: Collection[str]
) -> dict[str, tuple[int, int]]:
    """Return calls and bytes out of each subscription's calls that had one of the verdicts."""
    conditions = ["subscription_id = ANY(%s)", "verdict = ANY(%s)"]
    wanted = [list(subscription_ids), list(verdicts)]
    source, values = _union(pieces, conditions, wanted, "subscription_id, calls, bytes_out")
    sql = f"""
        SELECT subscription_id, sum(calls)::bigint, sum(bytes_out)::bigint
        FROM ({source}) AS records GROUP BY subscription_id
    """  # noqa: S608
    return {pk: (calls, bytes_out) for pk, calls, bytes_out in _read(sql, values)}


def _union(
    pieces: Iterable[Piece], conditions: list[str], values: list[Any], columns: str
) -> tuple[str, list[Any]]:
    """Return SQL that reads the pieces' records, and its values."""
    parts, used = [], []
    for table, start, end in pieces:
        where = " AND ".join([*conditions, "at >= %s", "at < %s"])
        parts.append(f"SELECT {columns} FROM {table._meta.db_table} WHERE {where}")  # noqa: S608
        used += [*values, start, end]
    if not parts:
        parts.append(f"SELECT {columns} FROM {UsageMinute._meta.db_table} WHERE false")  # noqa: S608
    return " UNION ALL ".join(parts), used


def _read(sql: str, values: list[Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return list(cursor.fetchall())
