"""The counts of calls since the agent started, for metrics; fed with the very rows that go to the bill."""

import threading
from dataclasses import dataclass, field
from operator import add

from gateway.batches import LATENCY_BOUNDS_MS, Row

# Stages that are named; the calls of all later ones add up under OTHER, so that the number of series is bounded.
MOST_STAGES = 100
OTHER = "other"
_BUCKETS = len(LATENCY_BOUNDS_MS) + 1


@dataclass(slots=True)
class StageTally:
    """One stage's sums. `calls` by status class, verdict ('' = accepted) and canary; times in milliseconds."""

    calls: dict[tuple[int, str, bool], int] = field(default_factory=dict)
    bytes_in: int = 0
    bytes_out: int = 0
    cache_hits: int = 0
    cache_misses: int = 0
    latency_ms: int = 0
    latency_counts: list[int] = field(default_factory=lambda: [0] * _BUCKETS)
    integration_ms: int = 0
    integration_counts: list[int] = field(default_factory=lambda: [0] * _BUCKETS)


class Tally:
    """Adds batches up. One thread adds while another reads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._stages: dict[str, StageTally] = {}
        self.refused_unknown = 0

    def add(self, rows: list[Row], refused_unknown: int, integrations: dict[str, list[int]]) -> None:
        """Add a batch; `integrations` are the counts of backends' times in each latency bucket, by stage."""
        with self._lock:
            self.refused_unknown += refused_unknown
            for row in rows:
                self._add(row)
            for stage, counts in integrations.items():
                held = self._stage(stage)
                held.integration_counts = _sum(held.integration_counts, counts)

    def stages(self) -> dict[str, StageTally]:
        """Return a copy of the sums by stage id, OTHER among them."""
        with self._lock:
            return {
                name: StageTally(
                    dict(held.calls),
                    held.bytes_in,
                    held.bytes_out,
                    held.cache_hits,
                    held.cache_misses,
                    held.latency_ms,
                    held.latency_counts,
                    held.integration_ms,
                    held.integration_counts,
                )
                for name, held in self._stages.items()
            }

    def _stage(self, name: str) -> StageTally:
        if name not in self._stages and len(self._stages) >= MOST_STAGES:
            name = OTHER
        return self._stages.setdefault(name, StageTally())

    def _add(self, row: Row) -> None:
        held = self._stage(row.stage)
        name = (row.status_class, row.verdict, row.canary)
        held.calls[name] = held.calls.get(name, 0) + row.calls
        held.bytes_in += row.bytes_in
        held.bytes_out += row.bytes_out
        held.cache_hits += row.cache_hits
        held.cache_misses += row.cache_misses
        held.latency_ms += row.latency_ms
        held.integration_ms += row.integration_ms
        held.latency_counts = _sum(held.latency_counts, row.latency_counts)


def _sum(one: list[int], other: list[int]) -> list[int]:
    return list(map(add, one, other))
