"""What is billed: units by subscription, API and meter. Bills are made of these numbers and of no others.

PostgreSQL makes the sums in one query, from as few rows as each span allows (`metering/pieces.py`).
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Context, Decimal
from typing import Any

from django.db import connection

from metering.pieces import SECONDS, Table, cut
from metering.queries import BILLABLE_VERDICTS

GIB = 2**30
# A byte is 9.3e-10 GiB: 12 decimals tell every byte apart, and are what an invoice line keeps.
_GIB_DECIMALS = Decimal(1).scaleb(-12)
_EXACT = Context(prec=76)

# (API id, meter) -> units
Units = dict[tuple[str, str], Decimal]


@dataclass(frozen=True, slots=True)
class UsageSpan:
    """One subscription from `start` (inclusive) to `end` (exclusive), aware datetimes on minutes."""

    subscription_id: str
    start: datetime
    end: datetime


def billable(
    *, subscription_ids: Collection[str], start: datetime, end: datetime
) -> dict[str, dict[tuple[str, str], Decimal]]:
    """Return subscription id -> {(API id, meter): units}; what was not used is absent. One query.

    Exact for any [start, end) on minutes, so for periods of any time zone.
    """
    spans = [UsageSpan(pk, start, end) for pk in dict.fromkeys(subscription_ids)]
    found = billable_in(spans)
    return {span.subscription_id: units for span, units in zip(spans, found, strict=True)}


def billable_in(spans: Sequence[UsageSpan]) -> list[Units]:
    """Return {(API id, meter): units} for each span, in order; what was not used is absent. One query.

    Meters: `requests` (calls), `bytes_out` and `bytes_in` (GiB = 2**30 bytes, 12 decimals).
    """
    found: list[Units] = [{} for _ in spans]
    for number, api_id, calls, bytes_out, bytes_in in _sums(spans):
        units = {"requests": Decimal(calls), "bytes_out": gib(bytes_out), "bytes_in": gib(bytes_in)}
        found[number] |= {(api_id, meter): value for meter, value in units.items() if value}
    return found


def gib(count: int) -> Decimal:
    """Return bytes as GiB with 12 decimals."""
    return _EXACT.divide(Decimal(count), Decimal(GIB)).quantize(_GIB_DECIMALS, context=_EXACT)


def _sums(spans: Sequence[UsageSpan]) -> list[tuple[Any, ...]]:
    """Return (number of the span, API id, calls, bytes out, bytes in)."""
    # table -> numbers of spans, subscriptions, starts, ends: the columns of a relation to join with
    wanted: dict[Table, tuple[list[Any], ...]] = {table: ([], [], [], []) for table in SECONDS}
    for number, span in enumerate(spans):
        for table, start, end in cut(span.start, span.end):
            row = (number, span.subscription_id, start, end)
            for column, value in zip(wanted[table], row, strict=True):
                column.append(value)
    parts, values = [], []
    for table, columns in wanted.items():
        if columns[0]:
            parts.append(_PART.format(table=table._meta.db_table))
            values += [*columns, list(BILLABLE_VERDICTS)]
    if not parts:
        return []
    with connection.cursor() as cursor:
        cursor.execute(_SUMS.format(records=" UNION ALL ".join(parts)), values)
        return list(cursor.fetchall())


_PART = """
    SELECT span.number, api_id, calls, bytes_out, bytes_in
    FROM unnest(%s::int[], %s::text[], %s::timestamptz[], %s::timestamptz[])
        AS span (number, subscription_id, first, until)
    JOIN {table} AS record
        ON record.subscription_id = span.subscription_id AND at >= span.first AND at < span.until
    WHERE verdict = ANY(%s)
"""
_SUMS = """
    SELECT number, api_id, sum(calls)::bigint, sum(bytes_out)::bigint, sum(bytes_in)::bigint
    FROM ({records}) AS records GROUP BY number, api_id
"""
