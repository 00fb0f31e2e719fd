"""How well APIs answered lately: what the catalogue shows to everybody."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from metering import sums
from metering.latency import percentile
from metering.pieces import cut, floor
from metering.scopes import Scope

SPAN = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Health:
    """Of the calls of a span: how many, the part without a 5xx (0 to 1), and latencies in milliseconds."""

    calls: int
    availability: float
    p50: float | None
    p95: float | None


@dataclass(frozen=True, slots=True)
class _Apis(Scope):
    """These APIs of these providers, whose ids the index begins with."""

    api_ids: tuple[str, ...] = ()
    provider_ids: tuple[str, ...] = ()

    def conditions(self) -> tuple[list[str], list[Any]]:
        return (
            ["organization_id = ANY(%s)", "api_id = ANY(%s)"],
            [list(self.provider_ids), list(self.api_ids)],
        )


def health_of(apis: Collection[tuple[str, str]], at: datetime) -> dict[str, Health]:
    """Return the health of APIs, given as (id, provider's id), over the 24 hours before; those without calls
    are left out. One query.
    """
    if not apis:
        return {}
    # one that is not complete yet would look like an outage to nobody, but moves with every look
    end = floor(at, 60)
    scope = _Apis(
        api_ids=tuple(sorted(pk for pk, _ in apis)),
        provider_ids=tuple(sorted({provider for _, provider in apis})),
    )
    pieces = cut(end - SPAN, end)
    found = sums.totals(scope=scope, pieces=pieces, verdicts=(), by="api_id", limit=len(apis))
    return {pk: _health(totals) for pk, totals in found.items() if totals.calls}


def _health(totals: sums.Totals) -> Health:
    p50, p95 = (percentile(totals.latency_counts, q) for q in (0.5, 0.95))
    return Health(totals.calls, 1 - totals.errors_5xx / totals.calls, p50, p95)
