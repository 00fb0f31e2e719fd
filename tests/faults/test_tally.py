"""The reckoning finds each call that is lost, doubled or made up."""

import pytest

from tests.faults.tally import Call, Phase, reckon

ANSWERED = Call("p-0-1", 200, 500, 150, 10.0, 10.2)
BROKEN = Call("p-0-2", 0, 0, 151, 11.0, 11.5)
REFUSED = Call("p-0-3", 503, 80, 152, 12.0, 12.1)


def line(call: Call, *, bytes_out: int | None = None, flags: str = "-", at: float | None = None) -> list[str]:
    out = call.bytes_out if bytes_out is None else bytes_out
    moment = call.end if at is None else at
    return f"{moment} sub key stage op 200 {out} {call.bytes_in} 0.1 - {flags} 0.1".split()


def killed(at: float) -> list[str]:
    return f"{at} sub key stage op 500 0 0 0.000 - k -".split()


def reckoned(calls: list[Call], *lines: list[str]) -> tuple[Phase, list[str]]:
    return reckon("p", {0: calls}, {0: list(lines)})


def test_each_accepted_call_has_one_line() -> None:
    phase, missing = reckoned([ANSWERED, BROKEN, REFUSED], line(ANSWERED), line(BROKEN, bytes_out=700))
    assert (phase.accepted, phase.lines, phase.refused, phase.broken, phase.logged) == (2, 2, 1, 1, 1)
    assert phase.bytes_seen == phase.bytes_lines == 1_200
    assert (phase.problems, missing) == ([], [])


def test_a_broken_call_without_a_line_is_left_to_the_backend_to_tell() -> None:
    phase, missing = reckoned([ANSWERED, BROKEN], line(ANSWERED))
    assert (phase.accepted, phase.lines, phase.problems, missing) == (1, 1, [], [BROKEN.id])


def test_the_line_of_a_worker_that_died_belongs_to_the_call_of_its_moment() -> None:
    phase, missing = reckoned([ANSWERED, BROKEN], line(ANSWERED), killed(11.1))
    assert (phase.accepted, phase.lines, phase.cut, phase.bytes_seen, missing) == (2, 2, 1, 500, [])
    phase, missing = reckoned([ANSWERED, BROKEN], killed(10.1))
    assert (phase.accepted, phase.answered_cut, phase.problems, missing) == (1, 1, [], [BROKEN.id])


@pytest.mark.parametrize(
    "lines",
    [
        [],
        [line(ANSWERED), line(ANSWERED)],
        [line(ANSWERED, bytes_out=501)],
        [line(ANSWERED), killed(10.1)],
        [killed(9.0)],
    ],
    ids=["lost", "doubled", "other bytes", "doubled by a death", "another moment"],
)
def test_what_does_not_fit_is_a_problem(lines: list[list[str]]) -> None:
    phase, _ = reckoned([ANSWERED], *lines)
    assert phase.problems


def test_a_refused_call_with_a_line_is_a_problem() -> None:
    phase, _ = reckoned([REFUSED], line(REFUSED))
    assert phase.problems
