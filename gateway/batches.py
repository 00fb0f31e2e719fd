"""What goes up: usage batches.

A batch is `{"spool", "sequence", "generation", "clock", "rows", "refused_unknown"}`. `spool` is the random id of
the node's spool folder, `sequence` counts from 1 within it; (node, spool, sequence) is unique at the intake.
`refused_unknown` counts calls that reached no stage. Each row adds up usage lines with equal dimensions.
"""

from dataclasses import dataclass, fields
from operator import attrgetter
from typing import Any

# Upper bounds of the latency buckets, milliseconds, inclusive; one more bucket takes what is slower.
LATENCY_BOUNDS_MS = (
    1, 2, 3, 5, 7, 10, 15, 20, 30, 50, 70, 100, 150, 200, 300, 500, 700,
    1_000, 1_500, 2_000, 3_000, 5_000, 10_000, 30_000,
)  # fmt: skip

# AWS meters HTTP APIs in units of 512 KiB, and streamed answers in units of 10 MiB.
HTTP_UNIT = 512 * 1024
STREAM_UNIT = 10 * 1024 * 1024


@dataclass(slots=True)
class Row:
    """Counts of one subscription × key × stage × operation × status class × verdict × canary × minute.

    `minute` is Unix seconds of its start; `verdict` is '' for an accepted call that the backend answered, else
    a name of gateway/verdicts.json. Subscription and key are '' for a call without a known key, operation is
    '' where none matched. Bytes include headers. `latency_counts` has one number per bucket.

    `canary` = a stage's canary answered; of the calls, `cache_hits` were answered from the stage's cache and
    `cache_misses` looked there in vain. Batches of older agents lack these three.

    `http_requests` counts started units of HTTP_UNIT bytes of each call, `stream_requests` started units of
    STREAM_UNIT bytes of each answer; each call is one at least. In batches of older agents they lack: as `calls`.
    """

    minute: int
    subscription: str
    key: str
    stage: str
    operation: str
    status_class: int
    verdict: str
    calls: int
    bytes_out: int
    bytes_in: int
    latency_ms: int
    integration_ms: int
    latency_counts: list[int]
    canary: bool = False
    cache_hits: int = 0
    cache_misses: int = 0
    http_requests: int = 0
    stream_requests: int = 0


_NAMES = tuple(field.name for field in fields(Row))
_values_of = attrgetter(*_NAMES)


def to_dict(row: Row) -> dict[str, Any]:
    """Return the row as a batch has it; dataclasses.asdict would copy every count, at ten times the cost."""
    return dict(zip(_NAMES, _values_of(row), strict=True))
