"""What is billed: units by subscription, API and meter. Bills are made of these numbers and of no others.

PostgreSQL makes the sums, from as few rows as each span allows (`metering/pieces.py`).
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Context, Decimal
from typing import Any

from django.db import connection

from metering.billable_rules import DEFAULT, Rule, rules_of
from metering.models import CustomMeter, MeterRecord
from metering.pieces import Table, cut

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
    """Return subscription id -> {(API id, meter): units}; what was not used is absent. Three queries.

    Exact for any [start, end) on minutes, so for periods of any time zone.
    """
    spans = [UsageSpan(pk, start, end) for pk in dict.fromkeys(subscription_ids)]
    found = billable_in(spans)
    return {span.subscription_id: units for span, units in zip(spans, found, strict=True)}


def billable_in(spans: Sequence[UsageSpan]) -> list[Units]:
    """Return {(API id, meter): units} for each span, in order; what was not used is absent. Three queries.

    Meters of the gateway: `requests` (calls), `http_requests` and `stream_requests` (started units of 512 KiB and
    10 MiB), `bytes_out` and `bytes_in` (GiB = 2**30 bytes, 12 decimals), `cache_hours`. Which calls count is the
    provider's rule (metering/billable_rules.py). A provider's own meters have '' for the API; of a span in which a
    quarter of an hour (UTC) begins, they have what that quarter counted.
    """
    found: list[Units] = [{} for _ in spans]
    if not spans:
        return found
    for number, api_id, calls, http, stream, bytes_out, bytes_in in _calls(spans):
        units = {
            "requests": Decimal(calls),
            "http_requests": Decimal(http),
            "stream_requests": Decimal(stream),
            "bytes_out": gib(bytes_out),
            "bytes_in": gib(bytes_in),
        }
        found[number] |= {(api_id, meter): value for meter, value in units.items() if value}
    for number, api_id, meter, value in _meters(spans):
        if value:
            found[number][api_id, meter] = value
    return found


def gib(count: int) -> Decimal:
    """Return bytes as GiB with 12 decimals."""
    return _EXACT.divide(Decimal(count), Decimal(GIB)).quantize(_GIB_DECIMALS, context=_EXACT)


class _Pieces:
    """Parts of spans as columns of a relation to join with: number of the span, subscription, from, until."""

    def __init__(self) -> None:
        self.columns: tuple[list[Any], ...] = ([], [], [], [])

    def add(self, *row: Any) -> None:
        for column, value in zip(self.columns, row, strict=True):
            column.append(value)

    @property
    def values(self) -> list[Any]:
        """The columns, and the bounds of them all: PostgreSQL then opens only the partitions between."""
        return [*map(_array, self.columns), min(self.columns[2]), max(self.columns[3])]


def _array(values: Iterable[Any]) -> str:
    """Return an array as PostgreSQL reads it, several times faster than the driver writes one."""
    return "{" + ",".join([f'"{value}"' for value in values]) + "}"


def _calls(spans: Sequence[UsageSpan]) -> list[tuple[Any, ...]]:
    """Return (number of the span, API id, calls, units of 512 KiB and 10 MiB, bytes out, bytes in)."""
    wanted: dict[tuple[Table, Rule], _Pieces] = {}
    for number, span, rule in _by_rule(spans):
        for table, start, end in cut(span.start, span.end):
            pieces = wanted.setdefault((table, rule), _Pieces())
            pieces.add(number, span.subscription_id, start, end)
    parts, values = [], []
    for (table, (verdicts, classes)), pieces in wanted.items():
        parts.append(_PART.format(table=table._meta.db_table))
        values += [*pieces.values, list(verdicts), list(classes)]
    return _read(_CALLS.format(records=" UNION ALL ".join(parts)), values) if parts else []


def _by_rule(spans: Sequence[UsageSpan]) -> Iterator[tuple[int, UsageSpan, Rule]]:
    """Yield (number, part of a span, the rule that holds in it)."""
    rules = rules_of({span.subscription_id for span in spans})
    for number, span in enumerate(spans):
        own = rules.get(span.subscription_id)
        if own is None:
            yield number, span, DEFAULT
            continue
        start, holds = span.start, DEFAULT
        for at, rule in own:
            if start < at < span.end:
                yield number, UsageSpan(span.subscription_id, start, at), holds
                start = at
            if at < span.end:
                holds = rule
        yield number, UsageSpan(span.subscription_id, start, span.end), holds


def _meters(spans: Sequence[UsageSpan]) -> list[tuple[Any, ...]]:
    """Return (number of the span, API id, meter, units) of cache-hours and providers' own meters."""
    pieces = _Pieces()
    for number, span in enumerate(spans):
        pieces.add(number, span.subscription_id, span.start, span.end)
    return _read(_METERS, pieces.values)


def _read(sql: str, values: list[Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return list(cursor.fetchall())


_JOIN = """
    FROM unnest(%s::int[], %s::text[], %s::timestamptz[], %s::timestamptz[])
        AS span (number, subscription_id, first, until)
    JOIN {table} AS record
        ON record.subscription_id = span.subscription_id AND at >= span.first AND at < span.until
        AND at >= %s AND at < %s
"""
_PART = f"""
    SELECT span.number, api_id, calls, http_requests, stream_requests, bytes_out, bytes_in
    {_JOIN} WHERE verdict = ANY(%s) AND status_class = ANY(%s)
"""
_CALLS = """
    SELECT number, api_id, sum(calls)::bigint, sum(http_requests)::bigint, sum(stream_requests)::bigint,
        sum(bytes_out)::bigint, sum(bytes_in)::bigint
    FROM ({records}) AS records GROUP BY number, api_id
"""
AGGREGATE = """
    CASE coalesce(aggregation, 'sum')
        WHEN 'sum' THEN sum(value)
        WHEN 'max' THEN max(value)
        WHEN 'last' THEN (array_agg(value ORDER BY last_at DESC))[1]
        ELSE count(DISTINCT part)
    END
"""
_METERS = f"""
    SELECT span.number, api_id, meter, {AGGREGATE}
    {_JOIN.format(table=MeterRecord._meta.db_table)}
    LEFT JOIN {CustomMeter._meta.db_table} AS custom
        ON custom.organization_id = record.organization_id AND code = meter
    GROUP BY span.number, api_id, meter, aggregation
"""
