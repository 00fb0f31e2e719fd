"""The bounds that an installation sets."""

from dataclasses import dataclass

MIN_TIMEOUT_MS = 50
MAX_TIMEOUT_MS = 29_000


@dataclass(frozen=True, slots=True)
class Limits:
    """`max_timeout_ms`: the longest wait for a backend that a provider may ask for (GATEHOUSE_MAX_TIMEOUT_MS)."""

    max_timeout_ms: int = MAX_TIMEOUT_MS
