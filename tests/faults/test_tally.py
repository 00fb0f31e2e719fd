"""The reckoning finds each call that is lost, doubled or made up."""

from collections.abc import Sequence

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


def reckoned(calls: list[Call], *lines: list[str], served: Sequence[Call] = ()) -> Phase:
    seen = {call.id: 1 for call in (*calls, *served) if call.outcome == 200 or call in served}
    return reckon("p", {0: calls}, {0: list(lines)}, seen)


def test_each_accepted_call_has_one_line() -> None:
    calls = [ANSWERED, BROKEN, REFUSED]
    phase = reckoned(calls, line(ANSWERED), line(BROKEN, bytes_out=700), served=[BROKEN])
    assert (phase.accepted, phase.lines, phase.refused, phase.broken, phase.served, phase.logged) == (
        2,
        2,
        1,
        1,
        1,
        1,
    )
    assert phase.bytes_seen == phase.bytes_lines == 1_200
    assert phase.problems == []


def test_a_broken_call_must_have_a_line_if_it_was_served() -> None:
    phase = reckoned([ANSWERED, BROKEN], line(ANSWERED))
    assert (phase.accepted, phase.lines, phase.problems) == (1, 1, [])
    assert reckoned([ANSWERED, BROKEN], line(ANSWERED), served=[BROKEN]).problems


def test_the_line_of_a_worker_that_died_belongs_to_the_call_of_its_moment() -> None:
    phase = reckoned([ANSWERED, BROKEN], line(ANSWERED), killed(11.1))
    assert (phase.accepted, phase.lines, phase.cut, phase.bytes_seen, phase.problems) == (2, 2, 1, 500, [])
    phase = reckoned([ANSWERED, BROKEN], killed(10.1))
    assert (phase.accepted, phase.answered_cut, phase.problems) == (1, 1, [])


def test_lines_of_like_calls_are_told_apart_by_their_moment() -> None:
    later = Call("p-0-9", 200, 500, 150, 30.0, 30.2)
    phase = reckoned([ANSWERED, later], killed(10.1), line(later))
    assert (phase.accepted, phase.answered_cut, phase.problems) == (2, 1, [])


def test_of_two_broken_calls_at_once_the_served_one_has_the_line() -> None:
    next_one = Call("p-0-4", 0, 0, 151, 11.52, 11.9)
    phase = reckoned([BROKEN, next_one], killed(11.51), served=[next_one])
    assert (phase.accepted, phase.logged, phase.problems) == (1, 1, [])


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
    assert reckoned([ANSWERED], *lines).problems


def test_a_refused_call_with_a_line_or_one_that_was_served_is_a_problem() -> None:
    assert reckoned([REFUSED], line(REFUSED)).problems
    assert reckoned([REFUSED], served=[REFUSED]).problems
