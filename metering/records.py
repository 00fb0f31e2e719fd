"""Adds rows to the minute, hour and day records: one COPY and one INSERT for each table.

PostgreSQL takes a COPY several times faster than the same rows as one JSON text (benchmarks/records.py).
"""

from collections.abc import Iterable, Iterator
from operator import add as plus, itemgetter
from typing import Any

from django.db import connection

from metering.chain.marks import mark_staged
from metering.latency import BUCKETS
from metering.models import UsageDay, UsageHour, UsageMinute, UsageRecord

# a value for each of COLUMNS; `at` in Unix seconds, latency_counts as a list
Row = tuple[Any, ...]
Table = type[UsageMinute | UsageHour | UsageDay]

SUMS = (
    "calls",
    "http_requests",
    "stream_requests",
    "cache_hits",
    "cache_misses",
    "bytes_out",
    "bytes_in",
    "latency_ms",
    "integration_ms",
)
# what follows from the dimensions
DERIVED = ("organization_id", "developer_id", "application_id", "api_id", "version_id")
COLUMNS = (*UsageRecord.DIMENSIONS, *DERIVED, *SUMS, "latency_counts")
_TYPES = {
    "at": "timestamptz",
    "status_class": "smallint",
    "canary": "boolean",
    "latency_counts": "bigint[]",
} | dict.fromkeys(SUMS, "bigint")
_SECONDS: dict[Table, int] = {UsageMinute: 60, UsageHour: 3_600, UsageDay: 86_400}
_STAGING = "usage_staging"
# rows in one piece of a COPY
_PIECE = 1_000
# COPY's text format has these stand for something
_LINE = "\t".join(["%s"] * (len(COLUMNS) - 1)) + "\t{%s}\n"
_NAME, _AT = len(UsageRecord.DIMENSIONS), COLUMNS.index("at")
_SUMS = _NAME + len(DERIVED)
_OPERATION = COLUMNS.index("operation_id")
key_and_moment = itemgetter(COLUMNS.index("key_id"), _AT)
_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})


def add(rows: Iterable[Row]) -> None:
    """Add rows (`metering.dimensions` made them) to the three tables, set-based.

    Runs in the caller's transaction. Tables and rows are written in one order by everybody. Rows are copied to
    PostgreSQL once, and again only where a longer period adds some of them up.
    """
    rows, finer = list(rows), 1
    for table, seconds in _SECONDS.items():
        folded = fold(rows, seconds) if finer == 1 or _may_meet(rows, finer, seconds) else rows
        with connection.cursor() as cursor:
            if finer == 1 or len(folded) != len(rows):
                _stage(cursor, folded)
            cursor.execute(_statement(table, seconds))
            if table is UsageHour:
                mark_staged(cursor, _STAGING)
        rows, finer = folded, seconds


def add_to(table: Table, rows: Iterable[Row]) -> None:
    """Add rows to one of the tables."""
    seconds = _SECONDS[table]
    with connection.cursor() as cursor:
        _stage(cursor, fold(rows, seconds))
        cursor.execute(_statement(table, seconds))


def fold(rows: Iterable[Row], seconds: int) -> list[Row]:
    """Add up rows of equal dimensions and of the same period of so many seconds; sorted by dimension.

    Rows that nothing is added to stay as they are, also their `at`.
    """
    folded: dict[Row, Row] = {}
    for row in rows:
        name, beyond = row[:_NAME], row[_AT] % seconds
        if beyond:
            name = (*name[:_AT], row[_AT] - beyond, *name[_AT + 1 :])
        held = folded.setdefault(name, row)
        if held is not row:
            folded[name] = _sum(held, row)
    return [folded[name] for name in sorted(folded)]


def _sum(held: Row, row: Row) -> Row:
    sums = map(plus, held[_SUMS:-1], row[_SUMS:-1])
    return (*held[:_SUMS], *sums, list(map(plus, held[-1], row[-1])))


def _may_meet(rows: list[Row], finer: int, seconds: int) -> bool:
    """Whether rows that are folded by `finer` seconds may have more to add up by `seconds`."""
    moments = {row[_AT] for row in rows}
    return len({at // finer for at in moments}) > len({at // seconds for at in moments})


def _stage(cursor: Any, rows: list[Row]) -> None:
    cursor.execute(_STAGE)
    with cursor.copy(f"COPY {_STAGING} ({', '.join(COLUMNS)}) FROM STDIN") as copy:
        for start in range(0, len(rows), _PIECE):
            copy.write("".join(_lines(rows[start : start + _PIECE])))


def _lines(rows: Iterable[Row]) -> Iterator[str]:
    """Yield each row as a line of COPY's text format."""
    for row in rows:
        values = row[:-1]
        if not row[_OPERATION].isalnum():
            values = tuple(str(value).translate(_ESCAPES) for value in values)
        yield _LINE % (*values, str(row[-1])[1:-1])


def _staging_sql() -> str:
    types = _TYPES | {"at": "bigint"}
    columns = ", ".join(f"{name} {types.get(name, 'text')}" for name in COLUMNS)
    return (
        f"CREATE TEMPORARY TABLE IF NOT EXISTS {_STAGING} ({columns}) ON COMMIT DELETE ROWS; "
        f"TRUNCATE {_STAGING}"
    )


_STAGE = _staging_sql()


def _statement(table: Table, seconds: int) -> str:
    """One INSERT of all that is staged."""
    moment = f"to_timestamp(at - at % {seconds})"
    read = ", ".join(moment if name == "at" else name for name in COLUMNS)
    sums = [f"{name} = held.{name} + excluded.{name}" for name in SUMS]
    buckets = ", ".join(
        f"held.latency_counts[{n}] + excluded.latency_counts[{n}]" for n in range(1, BUCKETS + 1)
    )
    sums.append(f"latency_counts = ARRAY[{buckets}]")
    return f"""
        INSERT INTO {table._meta.db_table} AS held ({", ".join(COLUMNS)})
        SELECT {read} FROM {_STAGING}
        ON CONFLICT ({", ".join(UsageRecord.DIMENSIONS)}) DO UPDATE SET {", ".join(sums)}
    """  # noqa: S608 -- no value is in it
