"""Latency as counts in buckets, so that records can be added up and still give percentiles."""

from collections.abc import Sequence

# Upper bounds, milliseconds, inclusive; one more bucket takes what is slower. Nodes use the same
# (gateway/batches.py); a test holds the two equal.
BOUNDS_MS = (
    1, 2, 3, 5, 7, 10, 15, 20, 30, 50, 70, 100, 150, 200, 300, 500, 700,
    1_000, 1_500, 2_000, 3_000, 5_000, 10_000, 30_000,
)  # fmt: skip
BUCKETS = len(BOUNDS_MS) + 1


def percentile(counts: Sequence[int], q: float) -> float | None:
    """Return the latency in milliseconds below which the share `q` (0 to 1) of the calls lies.

    Linear between a bucket's bounds; what is slower than the last bound counts as it. None = no calls.
    """
    if not 0 <= q <= 1:
        raise ValueError("q must be between 0 and 1, such as 0.99 for p99")
    total = sum(counts)
    if not total:
        return None
    rank = q * total
    below = 0
    for index, count in enumerate(counts[: len(BOUNDS_MS)]):
        if count and below + count >= rank:
            lower = BOUNDS_MS[index - 1] if index else 0
            return lower + (BOUNDS_MS[index] - lower) * max(rank - below, 0) / count
        below += count
    return float(BOUNDS_MS[-1])
