"""What was used: the numbers behind pages, REST and bills. Each function asks a constant number of queries."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

Step = Literal["minute", "hour", "day"]
Dimension = Literal[
    "api", "version", "operation", "stage", "key", "status", "application", "developer", "verdict"
]


@dataclass(frozen=True, slots=True)
class Scope:
    """Whose usage, and which part of it. Give `provider` or `developer` (organization ids), or both."""

    provider: str = ""
    developer: str = ""
    api: str = ""
    version: str = ""
    stage: str = ""
    operation: str = ""
    application: str = ""
    subscription: str = ""
    key: str = ""


@dataclass(frozen=True, slots=True)
class Span:
    """From `start` (inclusive) to `end` (exclusive), aware datetimes."""

    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class Summary:
    """Totals. Bytes include headers; latencies are milliseconds (None = no calls).

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


@dataclass(frozen=True, slots=True)
class Bucket:
    """One step of a series, zeros where nothing happened."""

    at: datetime
    calls: int
    accepted: int
    errors_4xx: int
    errors_5xx: int
    bytes_out: int
    bytes_in: int
    p50: float | None
    p90: float | None
    p99: float | None


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
    """Return the totals of a span."""
    raise NotImplementedError


def series(*, scope: Scope, span: Span, step: Step | None = None) -> list[Bucket]:
    """Return the totals over time; without a step the one that gives a readable chart is chosen."""
    raise NotImplementedError


def breakdown(*, scope: Scope, span: Span, by: Dimension, limit: int = 50) -> list[Part]:
    """Return the largest parts of the span's calls by a dimension, most calls first, names resolved."""
    raise NotImplementedError


def quantities(
    *, subscription_ids: Collection[str], start: datetime, end: datetime
) -> dict[str, Quantity]:
    """Return what each subscription is billed for, by id; those without usage get zeros."""
    raise NotImplementedError


def seconds_behind() -> float:
    """Return the age of the oldest batch that is not added up yet, in seconds; 0 = nothing waits."""
    raise NotImplementedError
