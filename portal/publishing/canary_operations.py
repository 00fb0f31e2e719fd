"""Which operations a canary does worse at, and which better, in words."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from math import sqrt

from metering.side_by_side import Half, Pair

# for less the numbers tell nothing
FEWEST = 30
FEWEST_FOR_P95 = 100
# standard errors by which a share is greater: chance alone gives that once in 200
BEYOND_CHANCE = 2.58
SLOWER = 1.25
SHOWN = 25


@dataclass(frozen=True, slots=True)
class Row:
    """An operation with what can be said of it; `tone` is bad (the canary is worse), good (it is better), '' else."""

    pair: Pair
    tone: str
    words: str


def rows_of(pairs: Iterable[Pair]) -> list[Row]:
    """Return what is said of each operation, those at which the canary is worse first."""
    rows = [Row(pair, *judge_operation(pair.base, pair.canary)) for pair in pairs]
    return sorted(rows, key=lambda row: row.tone != "bad")


def judge_operation(base: Half, canary: Half) -> tuple[str, str]:
    """Say who is worse, and at what; pure."""
    if min(base.calls, canary.calls) < FEWEST:
        return "", "Too few calls to tell"
    worse, better = list(_worse(canary, base)), list(_worse(base, canary))
    if worse:
        return "bad", f"Canary worse: {', '.join(worse)}"
    if better:
        return "good", f"Stable worse: {', '.join(better)}"
    return "", "No difference"


def beyond_chance(errors: int, calls: int, other_errors: int, other_calls: int) -> bool:
    """Whether a share of errors is greater than another by more than chance gives (two proportions, z)."""
    pooled = (errors + other_errors) / (calls + other_calls)
    spread = sqrt(pooled * (1 - pooled) * (1 / calls + 1 / other_calls))
    return spread > 0 and (errors / calls - other_errors / other_calls) / spread > BEYOND_CHANCE


def _worse(one: Half, other: Half) -> Iterator[str]:
    """What the one does worse than the other."""
    for name, errors, others in (
        ("more 5xx", one.errors_5xx, other.errors_5xx),
        ("more 4xx", one.errors_4xx, other.errors_4xx),
    ):
        if beyond_chance(errors, one.calls, others, other.calls):
            yield name
    timed = min(one.calls, other.calls) >= FEWEST_FOR_P95
    if timed and one.p95 and other.p95 and one.p95 > SLOWER * other.p95:
        yield f"p95 {100 * (one.p95 / other.p95 - 1):.0f} % slower"
