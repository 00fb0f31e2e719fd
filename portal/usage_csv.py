"""The tables of a dashboard as CSV: `?csv=calls`, `latency`, `data`, `cache`, `by`, `developers`, `errors`, `money`."""

from collections.abc import Iterable, Sequence
from typing import Any

from django.http import Http404, HttpResponseBase

from billing.documents.files import CSV, File
from billing.documents.tables import csv_lines
from metering.queries import Part
from portal.usage import Dashboard
from portal.usage_money import Money

_COUNTS = (
    "calls",
    "accepted",
    "errors_4xx",
    "errors_5xx",
    "p50",
    "p90",
    "p99",
    "integration_average",
    "cache_hits",
    "cache_misses",
    "bytes_out",
    "bytes_in",
)


def download(name: str, board: Dashboard) -> HttpResponseBase:
    """Return one table, numbers as they are: milliseconds, bytes, times in UTC. 404 = the page has no such table."""
    header, rows = _table(name, board)
    span = board.chosen.span
    file = f"usage-{name}-{span.start:%Y%m%dT%H%M}-{span.end:%Y%m%dT%H%M}.csv"
    return File(file, CSV, csv_lines(header, rows)).response()


def money_download(money: Money) -> HttpResponseBase:
    """Return the invoices by month."""
    rows = [(each.period, each.currency, each.invoices, each.total) for each in money.months]
    return File("money.csv", CSV, csv_lines(("month", "currency", "invoices", "total"), rows)).response()


def _table(name: str, board: Dashboard) -> tuple[Sequence[str], Iterable[Sequence[Any]]]:
    for chart in board.charts:
        if chart.id == f"chart-{name}":
            return chart.header, chart.table
    if name == "by":
        return _parts(board.parts)
    if name == "developers":
        return _parts(board.developers)
    if name == "errors":
        return ("reason", "calls"), [(each.name, each.calls) for each in board.failures]
    raise Http404("no such table")


def _parts(parts: Sequence[Part]) -> tuple[Sequence[str], Iterable[Sequence[Any]]]:
    header = ("id", "name", *_COUNTS)
    return header, [
        (part.key, part.name, *(getattr(part.totals, each) for each in _COUNTS)) for part in parts
    ]
