"""Two nodes share one throttle; `benchmarks/shares.py` makes the same runs for 30 s each."""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from benchmarks.shares import BURST, RATE, cases, limited_stage, press
from nodes.shares import ALIVE
from tests.scenarios.running import Running, command_line, descendants

SECONDS = 9.0
# what a shift of demand may cost at most, in calls: the run is short, so 5 % would be less than one shift
ONE_SHIFT = 0.4 * RATE
# On a busy machine the callers themselves stand still for longer than a burst lasts: then fewer is no fault of ours.
ATTEMPTS = 3


@pytest.fixture(scope="module")
def limited() -> Iterator[tuple[Running, list[int], str]]:
    """Two nodes, and a path that both limit together."""
    with ExitStack() as stack:
        yield limited_stage(stack)


@contextmanager
def frozen(running: Running, program: str, folder: str = "") -> Iterator[None]:
    """Stop a process of ours for a while, as a machine that hangs; of a node by its folder."""
    found = [
        pid
        for pid in descendants(running.process.pid)
        if program in command_line(pid) and folder.encode() in Path(f"/proc/{pid}/environ").read_bytes()
    ]
    assert found, f"{program} does not run"
    for pid in found:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in found:
            os.kill(pid, signal.SIGCONT)


@pytest.mark.parametrize("case", cases(SECONDS))
def test_two_nodes_admit_the_limit_wherever_its_callers_are(limited, case):
    _, ports, path = limited
    for _ in range(ATTEMPTS):
        outcome = press(ports, path, cases(SECONDS)[case], SECONDS)
        limit = RATE * outcome.seconds
        admitted = sum(outcome.admitted)
        assert admitted <= limit * 1.01 + BURST + len(ports), outcome
        time.sleep(1)
        if admitted >= limit * 0.95 - ONE_SHIFT:
            return
    raise AssertionError(f"less than the limit in each of {ATTEMPTS} runs: {outcome}")


def test_the_share_of_a_node_that_is_silent_goes_to_the_other(limited):
    running, ports, path = limited
    second = next(str(each) for each in sorted(running.var.rglob("node-2")))
    with frozen(running, "gateway.agent", second):
        time.sleep(ALIVE + 1)
        outcome = press(ports, path, cases(4)["on one"], 4)
    assert outcome.admitted[0] >= 0.95 * RATE * outcome.seconds, outcome


def test_without_a_control_plane_nodes_keep_to_the_limit(limited):
    running, ports, path = limited
    time.sleep(2)
    with frozen(running, "portal.wsgi"):
        outcome = press(ports, path, cases(5)["on both"], 5)
    assert 0.9 * RATE * outcome.seconds <= sum(outcome.admitted) <= RATE * outcome.seconds + BURST + 2, (
        outcome
    )
