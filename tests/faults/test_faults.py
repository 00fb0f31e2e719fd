"""Accepted = metered = billed, to the call and the byte, whatever is killed, cut or full."""

from collections.abc import Iterator

import pytest

from tests.faults import suite
from tests.faults.disks import cut_counted, cut_tail, fill_disk, torn_tail
from tests.faults.door import MODES
from tests.faults.faults import KILLS, Fault, again, at_once, behind, network, nothing
from tests.faults.stack import Stack

SHORT: dict[str, Fault] = {
    "agent": again(KILLS["agent"], 1, 1),
    "nginx worker": again(KILLS["nginx worker"], 5, 0.3),
}
TIMES = {"nginx worker": 15, "nginx master": 2, "agent": 4, "PostgreSQL": 2}


def rounds(names: list[str]) -> Iterator[tuple[str, str]]:
    """All pairs, each name once in a round, so that everything has time to get up (a round robin)."""
    first, *others = names
    for _ in others:
        table = [first, *others]
        yield from zip(table[: len(table) // 2], reversed(table[len(table) // 2 :]), strict=True)
        others = [*others[1:], others[0]]


WHOLE: dict[str, Fault] = {
    "no fault": nothing,
    **{name: again(fault, TIMES.get(name, 3), 6 / TIMES.get(name, 3)) for name, fault in KILLS.items()},
    **{f"network {mode}": network(mode) for mode in MODES if mode != "open"},
    "usage log torn": again(torn_tail, 3, 1.5),
    "usage log cut short": again(cut_tail, 3, 1.5),
    "usage log cut when counted": again(cut_counted, 3, 1.5),
    "disk full": fill_disk(nothing, seconds=30),
    **{f"{one} + {other}": at_once(KILLS[one], KILLS[other]) for one, other in rounds(list(KILLS))},
    "batches twice + agent": behind("twice", again(KILLS["agent"], 3, 2)),
    "batches twice + PostgreSQL": behind("twice", again(KILLS["PostgreSQL"], 1, 2)),
    "batches shuffled + Celery worker": behind("shuffled", again(KILLS["Celery worker"], 2, 2)),
    "answers cut + web": behind("cut answers", again(KILLS["web"], 2, 2)),
    "answers cut + agent": behind("cut answers", again(KILLS["agent"], 3, 2)),
    "disk full + agent": fill_disk(KILLS["agent"]),
    "disk full + nginx master": fill_disk(KILLS["nginx master"]),
    "disk full + nginx worker": fill_disk(again(KILLS["nginx worker"], 8, 0.5), seconds=3),
    "usage log torn + agent": again(at_once(torn_tail, KILLS["agent"]), 2, 1),
    "usage log cut short + nginx worker": again(at_once(cut_tail, KILLS["nginx worker"]), 2, 1),
}


@pytest.fixture
def stack(request: pytest.FixtureRequest) -> Iterator[Stack]:
    running = Stack(list(request.param), rate=800)
    try:
        yield running
    finally:
        running.close()


@pytest.mark.parametrize("stack", [SHORT], ids=["short"], indirect=True)
def test_killed_agents_and_workers_lose_and_double_no_call(stack: Stack) -> None:
    result = suite.run(stack, SHORT)
    assert not result.problems
    assert result.calls > 500


@pytest.mark.faults
@pytest.mark.parametrize("stack", [WHOLE], ids=["whole"], indirect=True)
def test_no_fault_loses_or_doubles_a_call(stack: Stack) -> None:
    result = suite.run(stack, WHOLE)
    suite.write_report(result)
    assert not result.problems
    assert result.calls >= 200_000
