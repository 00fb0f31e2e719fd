"""Charts of a dashboard: the JSON that static/js/charts.js draws, with the same numbers as rows of a table."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from metering.queries import Bucket
from portal import formats
from portal.usage_span import SECONDS, Chosen, as_text, own_span

Value = Callable[[Bucket], float | None]


@dataclass(frozen=True, slots=True)
class ChartData:
    """One chart. `rows` are the steps with calls: `label`, `values` (text) and `zoom`:
    parameters that show the step alone.

    `table` is its numbers as they are, for CSV.
    """

    id: str
    label: str
    data: dict[str, Any]
    rows: list[dict[str, Any]]
    empty: str
    header: list[str]
    table: list[list[Any]]


@dataclass(frozen=True, slots=True)
class Line:
    """One series of a chart: its name, colour (1 to 5) and value in a step; `before` = drawn of the span before."""

    name: str
    color: int
    value: Value
    before: bool = False


def charts(buckets: Sequence[Bucket], before: Sequence[Bucket], chosen: Chosen) -> list[ChartData]:
    """Return the charts of a span; `before` = the steps of the span before it, or nothing to compare with."""
    calls = [
        Line("Successful", 1, lambda b: b.calls - b.errors_4xx - b.errors_5xx),
        Line("4xx", 2, lambda b: b.errors_4xx),
        Line("5xx", 3, lambda b: b.errors_5xx),
    ]
    latency = [
        Line("p50", 1, lambda b: _rounded(b.p50)),
        Line("p90", 4, lambda b: _rounded(b.p90)),
        Line("p99", 5, lambda b: _rounded(b.p99)),
        Line("Integration, average", 2, lambda b: _rounded(b.integration_average)),
    ]
    if before:
        calls.append(Line("Calls before", 5, lambda b: b.calls, before=True))
        latency.append(Line("p90 before", 3, lambda b: _rounded(b.p90), before=True))
    bars: dict[str, Any] = {"type": "bar", "stacked": True}
    plain: dict[str, Any] = {"type": "line", "stacked": False, "unit": "ms"}
    make = _Maker(buckets, before, chosen)
    found = [
        make.chart("calls", "Calls over time", calls, bars, formats.number),
        make.chart("latency", "Latency over time", latency, plain, formats.milliseconds),
        make.chart("data", "Data out over time", _data_lines(before), bars | {"unit": "size"}, formats.size),
    ]
    if any(each.cache_looks for each in buckets):
        lines = [Line("Hits", 4, lambda b: b.cache_hits), Line("Misses", 2, lambda b: b.cache_misses)]
        found.append(make.chart("cache", "Cache over time", lines, bars, formats.number))
    return found


def _data_lines(before: Sequence[Bucket]) -> list[Line]:
    lines = [Line("Data out", 1, lambda b: b.bytes_out)]
    return [*lines, Line("Before", 5, lambda b: b.bytes_out, before=True)] if before else lines


@dataclass(frozen=True, slots=True)
class _Maker:
    buckets: Sequence[Bucket]
    before: Sequence[Bucket]
    chosen: Chosen

    def chart(
        self,
        name: str,
        label: str,
        lines: Sequence[Line],
        extra: dict[str, Any],
        write: Callable[[float | None], str],
    ) -> ChartData:
        labels = [label_of(each.at, self.chosen) for each in self.buckets]
        columns = [self._values(line) for line in lines]
        table = list(zip(*columns, strict=True))
        rows = [
            {"label": text, "values": [write(value) for value in values], "zoom": self._zoom(each.at)}
            for text, each, values in zip(labels, self.buckets, table, strict=True)
            if each.calls
        ]
        times = [as_text(each.at) for each in self.buckets]
        ends = as_text(self.buckets[-1].at + self._step) if self.buckets else ""
        data = {
            "labels": labels,
            "datasets": [*map(_dataset, lines, columns)],
            "starts": [*times, ends],
            **extra,
        }
        shown = bool(rows) or any(each.calls for each in self.before)
        return ChartData(
            id=f"chart-{name}",
            label=label,
            data=data,
            rows=rows,
            empty="" if shown else "No calls in this span",
            header=["start", *(line.name for line in lines)],
            table=[[each.at, *values] for each, values in zip(self.buckets, table, strict=True)],
        )

    def _zoom(self, at: datetime) -> dict[str, str]:
        """Parameters of the step alone; nothing is finer than a minute."""
        return {} if self.chosen.step == "minute" else own_span(at, at + self._step)

    @property
    def _step(self) -> timedelta:
        return timedelta(seconds=SECONDS[self.chosen.step])

    def _values(self, line: Line) -> list[float | None]:
        if not line.before:
            return [line.value(each) for each in self.buckets]
        found = [line.value(each) for each in self.before[: len(self.buckets)]]
        return [*found, *[None] * (len(self.buckets) - len(found))]


def label_of(at: datetime, chosen: Chosen) -> str:
    """What stands below a step; days matter where there are several."""
    if chosen.step == "day":
        return f"{at:%-d %b %Y}" if chosen.length > timedelta(days=300) else f"{at:%-d %b}"
    return f"{at:%H:%M}" if chosen.length <= timedelta(hours=26) else f"{at:%-d %b %H:%M}"


def _dataset(line: Line, values: list[float | None]) -> dict[str, Any]:
    found: dict[str, Any] = {"label": line.name, "color": line.color, "data": values}
    return found | {"type": "line", "dashed": True} if line.before else found


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 2)
