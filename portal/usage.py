"""What a dashboard shows: tiles, charts and tables of a scope and a span, for a developer, a provider or the staff."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

from metering.meter_totals import MeterTotal, meter_totals
from metering.names import ACCEPTED
from metering.queries import Dimension, Part, Scope, Summary, breakdown, seconds_behind, series, summary
from portal.usage_charts import ChartData, charts
from portal.usage_span import SPANS, Chosen, read_span

__all__ = [
    "DIMENSIONS",
    "FOR_DEVELOPERS",
    "FOR_PROVIDERS",
    "SPANS",
    "Dashboard",
    "Failure",
    "dashboard",
    "narrowed",
]

DIMENSIONS: dict[str, str] = {
    "api": "API",
    "version": "Version",
    "stage": "Stage",
    "operation": "Operation",
    "application": "Application",
    "key": "Key",
    "developer": "Developer",
    "status": "Status",
    "verdict": "Outcome",
    "canary": "Deployment",
}
FOR_DEVELOPERS = ("api", "version", "operation", "application", "key", "status", "verdict")
FOR_PROVIDERS = ("api", "version", "stage", "operation", "developer", "key", "status", "verdict", "canary")
TOP = 5


@dataclass(frozen=True, slots=True)
class Failure:
    """A reason for calls that went wrong, and how many."""

    name: str
    calls: int


@dataclass(frozen=True, slots=True)
class Dashboard:
    """All that the fragment of a dashboard shows. `before` = the span before, where it is compared."""

    chosen: Chosen
    totals: Summary
    before: Summary | None
    charts: list[ChartData]
    by: str
    dimensions: list[tuple[str, str]]
    parts: list[Part]
    developers: list[Part]
    failures: list[Failure]
    meters: list[MeterTotal]
    behind: float

    @property
    def span_name(self) -> str:
        return self.chosen.name

    @property
    def by_label(self) -> str:
        return DIMENSIONS[self.by]

    @property
    def by_words(self) -> str:
        """`API`, `operation`: the dimension within a sentence."""
        return self.by_label if self.by_label.isupper() else self.by_label.lower()

    @property
    def behind_words(self) -> str:
        return "up to date" if self.behind < 1 else f"{self.behind:.0f} s behind"


def dashboard(
    *, scope: Scope, parameters: Mapping[str, str], timezone: str, dimensions: Sequence[str]
) -> Dashboard:
    """Read everything for one page: at most 12 queries.

    `parameters` are the query string: `span` or `from` and `to`; `by`; `compare`. Top developers are read where
    `dimensions` have them.
    """
    chosen = read_span(parameters, timezone)
    span, compares = chosen.span, bool(parameters.get("compare"))
    by = parameters.get("by", "")
    by = by if by in dimensions else dimensions[0]
    buckets = series(scope=scope, span=span, step=chosen.step)
    earlier = series(scope=scope, span=chosen.before, step=chosen.step) if compares else []
    return Dashboard(
        chosen=chosen,
        totals=summary(scope=scope, span=span),
        before=summary(scope=scope, span=chosen.before) if compares else None,
        charts=charts(buckets, earlier, chosen),
        by=by,
        dimensions=[(each, DIMENSIONS[each]) for each in dimensions],
        parts=breakdown(scope=scope, span=span, by=cast(Dimension, by)),
        developers=_developers(scope, chosen) if "developer" in dimensions else [],
        failures=failures(breakdown(scope=scope, span=span, by="verdict")),
        meters=meter_totals(scope=scope, span=span),
        behind=seconds_behind(),
    )


def failures(outcomes: Sequence[Part]) -> list[Failure]:
    """Return the most frequent reasons of calls that went wrong: the gate's, and the backend's own 4xx and 5xx."""
    found = [Failure(part.name, part.totals.calls) for part in outcomes if part.key]
    for part in outcomes:
        if part.name == ACCEPTED:
            found.append(Failure("The backend answered 4xx", part.totals.errors_4xx))
            found.append(Failure("The backend answered 5xx", part.totals.errors_5xx))
    return sorted((each for each in found if each.calls), key=lambda each: -each.calls)[:TOP]


def narrowed(scope: Scope, parameters: Mapping[str, str], *fields: str) -> Scope:
    """The scope with the filters of the query string that are given."""
    given: dict[str, Any] = {field: parameters[field][:10] for field in fields if parameters.get(field)}
    return replace(scope, **given)


def _developers(scope: Scope, chosen: Chosen) -> list[Part]:
    parts = breakdown(scope=scope, span=chosen.span, by="developer", limit=TOP + 1)
    return [part for part in parts if part.key][:TOP]
