"""A canary's calls beside the others of its stage, by operation."""

from dataclasses import dataclass
from typing import Any

from metering import sums
from metering.latency import percentile
from metering.names import names_of
from metering.pieces import cut
from metering.scopes import Scope, Span

# operations that are read, of each side those with the most calls
_MOST = 500


@dataclass(frozen=True, slots=True)
class Half:
    """One side's calls of an operation; `p95` in milliseconds (None = no calls)."""

    calls: int = 0
    errors_4xx: int = 0
    errors_5xx: int = 0
    p95: float | None = None

    @property
    def errors(self) -> int:
        """Calls that were refused or failed."""
        return self.errors_4xx + self.errors_5xx


@dataclass(frozen=True, slots=True)
class Pair:
    """An operation ('' = the calls reached none) and both sides' calls of it."""

    operation: str
    name: str
    base: Half
    canary: Half

    @property
    def calls(self) -> int:
        return self.base.calls + self.canary.calls


@dataclass(frozen=True, slots=True)
class _Side(Scope):
    """Only the canary's calls, or only the others."""

    of_canary: bool = False

    def conditions(self) -> tuple[list[str], list[Any]]:
        sql, values = Scope.conditions(self)
        return [*sql, "canary = %s"], [*values, self.of_canary]


def by_operation(*, provider: str, stage: str, span: Span) -> list[Pair]:
    """Return the operations of a stage that were called, most calls first. Three queries."""
    base, canary = (
        _halves(_Side(provider=provider, stage=stage, of_canary=side), span) for side in (False, True)
    )
    names = names_of("operation", base.keys() | canary.keys())
    pairs = [
        Pair(key, names[key], base.get(key, Half()), canary.get(key, Half()))
        for key in sorted(base.keys() | canary.keys())
    ]
    return sorted(pairs, key=lambda each: -each.calls)


def _halves(side: _Side, span: Span) -> dict[str, Half]:
    found = sums.totals(
        scope=side, pieces=cut(span.start, span.end), verdicts=(), by="operation_id", limit=_MOST
    )
    return {
        key: Half(each.calls, each.errors_4xx, each.errors_5xx, percentile(each.latency_counts, 0.95))
        for key, each in found.items()
    }
