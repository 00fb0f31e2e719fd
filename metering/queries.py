"""What was used: the numbers behind pages, REST and bills. Each function asks a constant number of queries.

PostgreSQL makes the sums (`metering/sums.py`) from as few rows as the span allows (`metering/pieces.py`).
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from django.db.models import Min
from django.utils.timezone import now

from accounts.errors import Refused
from metering import sums
from metering.latency import percentile
from metering.models import UsageBatch, UsageDay, UsageHour, UsageMinute
from metering.names import names_of
from metering.pieces import SECONDS, Table, cut, floor
from metering.scopes import Scope, Span

__all__ = [
    "BILLABLE_VERDICTS",
    "Bucket",
    "Dimension",
    "Part",
    "Quantity",
    "Scope",
    "Span",
    "Step",
    "Summary",
    "breakdown",
    "quantities",
    "seconds_behind",
    "series",
    "summary",
]

Step = Literal["minute", "hour", "day"]
Dimension = Literal[
    "api", "version", "operation", "stage", "key", "status", "application", "developer", "verdict", "canary"
]

# Calls that reached the backend are billed, also when it failed; AWS bills neither refused keys nor throttled
# nor over-quota calls ("Amazon API Gateway pricing"). gateway/verdicts.json calls these "accepted".
BILLABLE_VERDICTS = ("", "INTEGRATION_FAILURE", "INTEGRATION_TIMEOUT")

# the longest series (buckets) and breakdown (parts)
MOST_BUCKETS = 1_500
MOST_PARTS = 500
_TABLES: dict[Step, Table] = {"minute": UsageMinute, "hour": UsageHour, "day": UsageDay}
# a series without a step takes the finest whose span is not longer than this
_LONGEST: dict[Step, timedelta] = {"minute": timedelta(hours=3), "hour": timedelta(days=8)}
_COUNTS = (
    "calls",
    "accepted",
    "errors_4xx",
    "errors_5xx",
    "bytes_out",
    "bytes_in",
    "cache_hits",
    "cache_misses",
)
_COLUMNS: dict[Dimension, str] = {
    "api": "api_id",
    "version": "version_id",
    "operation": "operation_id",
    "stage": "stage_id",
    "key": "key_id",
    "status": "status_class",
    "application": "application_id",
    "developer": "developer_id",
    "verdict": "verdict",
    "canary": "canary",
}


@dataclass(frozen=True, slots=True)
class Summary:
    """Totals. Bytes include headers; latencies are milliseconds (None = no calls).

    `cache_hit_rate` is the part of the calls that looked into the cache and found an answer (None = none looked).
    `integration_average` is what backends took, over all calls: one that no backend saw counts as 0.
    `accepted` are the calls that count for the bill (BILLABLE_VERDICTS).
    """

    calls: int
    accepted: int
    errors_4xx: int
    errors_5xx: int
    bytes_out: int
    bytes_in: int
    p50: float | None
    p90: float | None
    p99: float | None
    average: float | None
    cache_hits: int = 0
    cache_misses: int = 0
    integration_average: float | None = None

    @property
    def cache_looks(self) -> int:
        """How many calls looked into the cache."""
        return self.cache_hits + self.cache_misses

    @property
    def cache_hit_rate(self) -> float | None:
        """0 to 1."""
        return self.cache_hits / self.cache_looks if self.cache_looks else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Bucket(Summary):
    """One step of a series, zeros where nothing happened."""

    at: datetime


@dataclass(frozen=True, slots=True)
class Part:
    """One row of a breakdown: an id (or status class, or verdict), its name, and its totals."""

    key: str
    name: str
    totals: Summary


@dataclass(frozen=True, slots=True)
class Quantity:
    """What a subscription is billed for."""

    calls: int
    bytes_out: int


def summary(*, scope: Scope, span: Span) -> Summary:
    """Return the totals of a span. One query."""
    rows = sums.totals(scope=scope, pieces=cut(span.start, span.end), verdicts=BILLABLE_VERDICTS)
    return Summary(**_fields(rows.get(None)))


def series(*, scope: Scope, span: Span, step: Step | None = None) -> list[Bucket]:
    """Return the totals over time, whole steps in UTC: the first bucket begins at or before the span's start.

    Without a step the finest that gives a readable chart is taken; one that would give more than MOST_BUCKETS
    is made coarser. Refused for a span that is too long even so. One query.
    """
    step = _step(span, step)
    seconds = SECONDS[_TABLES[step]]
    start = floor(span.start, seconds)
    pieces = [(_TABLES[step], start, span.end)]
    found = sums.totals(scope=scope, pieces=pieces, verdicts=BILLABLE_VERDICTS, by="at")
    buckets = []
    while start < span.end:
        buckets.append(Bucket(**_fields(found.get(start)), at=start))
        start += timedelta(seconds=seconds)
    return buckets


def breakdown(*, scope: Scope, span: Span, by: Dimension, limit: int = 50) -> list[Part]:
    """Return the largest parts of the span's calls by a dimension, most calls first, names resolved.

    Two queries: the sums and the names.
    """
    found = sums.totals(
        scope=scope,
        pieces=cut(span.start, span.end),
        verdicts=BILLABLE_VERDICTS,
        by=_COLUMNS[by],
        limit=min(limit, MOST_PARTS),
    )
    names = names_of(by, found)
    return [Part(_key(key), names[key], Summary(**_fields(totals))) for key, totals in found.items()]


def _key(key: Any) -> str:
    return ("base", "canary")[key] if isinstance(key, bool) else str(key)


def quantities(*, subscription_ids: Collection[str], start: datetime, end: datetime) -> dict[str, Quantity]:
    """Return what each subscription is billed for, by id; those without usage get zeros. One query.

    Exact for any [start, end) on minutes, so for periods of any time zone.
    """
    found = {pk: Quantity(0, 0) for pk in subscription_ids}
    billed = sums.billed(subscription_ids=found, pieces=cut(start, end), verdicts=BILLABLE_VERDICTS)
    return found | {pk: Quantity(*amounts) for pk, amounts in billed.items()}


def seconds_behind() -> float:
    """Return the age of the oldest batch that is not added up yet, in seconds; 0 = nothing waits."""
    oldest = UsageBatch.objects.filter(processed_at__isnull=True).aggregate(at=Min("received_at"))["at"]
    return max(0.0, (now() - oldest).total_seconds()) if oldest else 0.0


def _fields(totals: sums.Totals | None) -> dict[str, Any]:
    """Turn sums into the fields of a Summary."""
    if totals is None or not totals.calls:
        counts = dict.fromkeys(_COUNTS, 0)
        return counts | {"p50": None, "p90": None, "p99": None, "average": None}
    p50, p90, p99 = (percentile(totals.latency_counts, q) for q in (0.5, 0.9, 0.99))
    average = totals.latency_ms / totals.calls
    counts = {name: getattr(totals, name) for name in _COUNTS}
    times = {"p50": p50, "p90": p90, "p99": p99, "average": average}
    return counts | times | {"integration_average": totals.integration_ms / totals.calls}


def _step(span: Span, step: Step | None) -> Step:
    length = span.end - span.start
    if step is None:
        fitting: list[Step] = [name for name, longest in _LONGEST.items() if length <= longest]
        step = fitting[0] if fitting else "day"
    steps: list[Step] = list(_TABLES)
    for each in steps[steps.index(step) :]:
        if length / timedelta(seconds=SECONDS[_TABLES[each]]) <= MOST_BUCKETS:
            return each
    raise Refused(f"Ask for at most {MOST_BUCKETS} days at once.", field="start", code="too_long")
