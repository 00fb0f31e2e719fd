"""Two nodes share one throttle; `benchmarks/shares.py` makes the same runs for 30 s each."""

import time
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from benchmarks.shares import BURST, RATE, cases, limited_stage, press

SECONDS = 9.0
# what a shift of demand may cost at most, in calls: the run is short, so 5 % would be less than one shift
ONE_SHIFT = 0.4 * RATE


@pytest.fixture(scope="module")
def limited() -> Iterator[tuple[list[int], str]]:
    """Two nodes, and a path that both limit together."""
    with ExitStack() as stack:
        _, ports, path = limited_stage(stack)
        yield ports, path


@pytest.mark.parametrize("case", cases(SECONDS))
def test_two_nodes_admit_the_limit_wherever_its_callers_are(limited, case):
    ports, path = limited
    outcome = press(ports, path, cases(SECONDS)[case], SECONDS)
    limit = RATE * outcome.seconds
    admitted = sum(outcome.admitted)
    assert admitted <= limit * 1.01 + BURST + len(ports), outcome
    assert admitted >= limit * 0.95 - ONE_SHIFT, outcome
    time.sleep(1)
