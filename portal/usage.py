"""What a usage page shows: span, tiles, charts and tables, for a developer or for a provider."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, cast

from django.utils.timezone import now

from accounts.models import Organization
from billing.periods import month_of
from metering.meter_totals import MeterTotal, meter_totals
from metering.queries import (
    Bucket,
    Dimension,
    Part,
    Scope,
    Span,
    Step,
    Summary,
    breakdown,
    seconds_behind,
    series,
    summary,
)
from portal import formats

SPANS: dict[str, tuple[str, timedelta | None]] = {
    "1h": ("1 hour", timedelta(hours=1)),
    "24h": ("24 hours", timedelta(hours=24)),
    "7d": ("7 days", timedelta(days=7)),
    "30d": ("30 days", timedelta(days=30)),
    "month": ("This month", None),
}
DEFAULT_SPAN = "24h"
_STEPS: dict[str, Step] = {"1h": "minute", "24h": "hour", "7d": "hour", "30d": "day", "month": "day"}
DIMENSIONS: dict[str, str] = {
    "api": "API",
    "version": "Version",
    "operation": "Operation",
    "application": "Application",
    "key": "Key",
    "developer": "Developer",
    "status": "Status",
    "verdict": "Outcome",
    "canary": "Deployment",
}
FOR_DEVELOPERS = ("api", "version", "operation", "application", "key", "status", "verdict")
FOR_PROVIDERS = ("api", "version", "operation", "developer", "key", "status", "verdict", "canary")


@dataclass(frozen=True, slots=True)
class ChartData:
    """One chart: the JSON that static/js/charts.js draws, and the same numbers as rows of a table."""

    id: str
    label: str
    data: dict[str, Any]
    rows: list[dict[str, Any]]
    empty: str


@dataclass(frozen=True, slots=True)
class Dashboard:
    """All that the fragment of a usage page shows."""

    span_name: str
    span: Span
    totals: Summary
    charts: list[ChartData]
    by: str
    by_label: str
    dimensions: list[tuple[str, str]]
    parts: list[Part]
    statuses: list[Part]
    meters: list[MeterTotal]
    behind: float

    @property
    def by_words(self) -> str:
        """`API`, `operation`: the dimension within a sentence."""
        return self.by_label if self.by_label.isupper() else self.by_label.lower()

    @property
    def behind_words(self) -> str:
        return "up to date" if self.behind < 1 else f"{self.behind:.0f} s behind"


def read_span(name: str, organization: Organization) -> tuple[str, Span]:
    """`24h`, `7d`, `month`, … -> its name and its span until now; anything else is the default."""
    name = name if name in SPANS else DEFAULT_SPAN
    end = now() + timedelta(seconds=1)
    length = SPANS[name][1]
    if length is None:
        return name, Span(month_of(end, organization.timezone).start, end)
    return name, Span(end - length, end)


def dashboard(
    *, scope: Scope, parameters: Mapping[str, str], organization: Organization, dimensions: tuple[str, ...]
) -> Dashboard:
    """Read everything for one page. `parameters` are the query string: `span` and `by`."""
    name, span = read_span(parameters.get("span", ""), organization)
    by = parameters.get("by", "")
    by = by if by in dimensions else dimensions[0]
    buckets = series(scope=scope, span=span, step=_STEPS[name])
    totals = summary(scope=scope, span=span)
    return Dashboard(
        span_name=name,
        span=span,
        totals=totals,
        charts=[_calls_chart(buckets, name), _latency_chart(buckets, name)],
        by=by,
        by_label=DIMENSIONS[by],
        dimensions=[(each, DIMENSIONS[each]) for each in dimensions],
        parts=breakdown(scope=scope, span=span, by=cast(Dimension, by)),
        statuses=breakdown(scope=scope, span=span, by="status"),
        meters=meter_totals(scope=scope, span=span),
        behind=seconds_behind(),
    )


def narrowed(scope: Scope, parameters: Mapping[str, str], *fields: str) -> Scope:
    """The scope with the filters of the query string that are given."""
    given: dict[str, Any] = {field: parameters[field][:10] for field in fields if parameters.get(field)}
    return replace(scope, **given)


def _label_of(at: datetime, span_name: str) -> str:
    if span_name in ("1h", "24h"):
        return f"{at:%H:%M}"
    return f"{at:%-d %b %H:%M}" if span_name == "7d" else f"{at:%-d %b}"


def _chart(
    *,
    id: str,  # noqa: A002 -- as in HTML
    label: str,
    buckets: list[Bucket],
    span_name: str,
    lines: list[tuple[str, int, Callable[[Bucket], float | None]]],
    extra: dict[str, Any],
    write: Callable[[float | None], str],
) -> ChartData:
    labels = [_label_of(each.at, span_name) for each in buckets]
    sets = [
        {"label": name, "color": color, "data": [value(each) for each in buckets]}
        for name, color, value in lines
    ]
    rows = [
        {"label": text, "values": [write(value(each)) for _, _, value in lines]}
        for text, each in zip(labels, buckets, strict=True)
        if each.calls
    ]
    empty = "" if rows else "No calls in this span"
    return ChartData(id, label, {"labels": labels, "datasets": sets, **extra}, rows, empty)


def _calls_chart(buckets: list[Bucket], span_name: str) -> ChartData:
    lines: list[tuple[str, int, Callable[[Bucket], float | None]]] = [
        ("Successful", 1, lambda b: b.calls - b.errors_4xx - b.errors_5xx),
        ("4xx", 2, lambda b: b.errors_4xx),
        ("5xx", 3, lambda b: b.errors_5xx),
    ]
    extra = {"type": "bar", "stacked": True}
    return _chart(
        id="chart-calls",
        label="Calls over time",
        buckets=buckets,
        span_name=span_name,
        lines=lines,
        extra=extra,
        write=formats.number,
    )


def _latency_chart(buckets: list[Bucket], span_name: str) -> ChartData:
    lines: list[tuple[str, int, Callable[[Bucket], float | None]]] = [
        ("p50", 1, lambda b: _rounded(b.p50)),
        ("p90", 4, lambda b: _rounded(b.p90)),
        ("p99", 5, lambda b: _rounded(b.p99)),
    ]
    extra = {"type": "line", "stacked": False, "unit": "ms"}
    return _chart(
        id="chart-latency",
        label="Latency over time",
        buckets=buckets,
        span_name=span_name,
        lines=lines,
        extra=extra,
        write=formats.milliseconds,
    )


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 2)
