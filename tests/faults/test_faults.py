"""Accepted = metered = billed, to the call and the byte, whatever is killed, cut or full."""

from collections.abc import Iterator

import pytest

from tests.faults import suite
from tests.faults.faults import KILLS, Fault, again, nothing
from tests.faults.stack import Stack

SHORT: dict[str, Fault] = {
    "agent": again(KILLS["agent"], 1, 1),
    "nginx worker": again(KILLS["nginx worker"], 5, 0.3),
}
WHOLE: dict[str, Fault] = {
    "no fault": nothing,
    **{name: again(KILLS[name], 4, 2) for name in KILLS},
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
