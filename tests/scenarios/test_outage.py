"""With parts of Gatehouse down, known keys are served and their counts arrive later."""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager

from tests.scenarios.running import Running, descendants, eventually

CALLS = 30


@contextmanager
def frozen(running: Running, *names: str) -> Iterator[None]:
    """Stop processes dead in their tracks, with all their children, and let them go on afterwards."""
    pids = [pid for name in names for top in [running.pid(name)] for pid in (top, *descendants(top))]
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)


def accepted(running: Running) -> int:
    """Return how many calls of the demo developer's key are counted so far."""
    prefix = running.facts["api_key"][:12]
    keys = running.rest("GET", "keys?limit=500")["results"]
    key = next(each for each in keys if each["prefix"] == prefix)
    return int(running.rest("GET", f"usage?key={key['id']}")["summary"]["accepted"])


def settled(running: Running) -> int:
    """Make one call, wait until it is counted, and return the count."""
    before = accepted(running)
    assert running.call("/httpbin/v1/get", running.facts["api_key"]).status_code == 200
    eventually(lambda: accepted(running) > before, 10)
    return accepted(running)


def call_often(running: Running) -> None:
    for _ in range(CALLS):
        time.sleep(1 / 40)  # the plan allows 50 a second
        assert running.call("/httpbin/v1/get", running.facts["api_key"]).status_code == 200


def test_without_postgres_calls_go_on_and_their_counts_arrive_when_it_is_back(running: Running) -> None:
    before = settled(running)
    with frozen(running, "postgres"):
        call_often(running)
    eventually(lambda: accepted(running) == before + CALLS, 30)


def test_without_web_worker_and_broker_calls_go_on_and_their_counts_arrive(running: Running) -> None:
    before = settled(running)
    with frozen(running, "web", "worker", "beat", "valkey"):
        call_often(running)
    eventually(lambda: accepted(running) == before + CALLS, 30)


def test_killed_processes_lose_and_double_nothing(running: Running) -> None:
    before = settled(running)
    for name in ("postgres", "agent", "web", "worker", "valkey"):
        call_often(running)
        os.kill(running.pid(name), signal.SIGKILL)
        call_often(running)
    eventually(lambda: _counted(running) == before + 10 * CALLS, 60)


def _counted(running: Running) -> int:
    try:
        return accepted(running)
    except (AssertionError, OSError):  # the portal is coming up again
        return -1
