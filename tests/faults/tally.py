"""The reckoning: what clients saw against lines, records and bills, phase by phase.

The rule for a call:

- A whole answer with 200 is **accepted**. Any other whole answer is **refused**: nobody may be charged for it.
- A call whose connection broke before its answer was whole is **broken**. Its client cannot know whether it was
  served. It is accepted exactly if the usage log has it. The log must have it if the backend got it, and may have it if
  a worker was killed between admitting it and reaching the backend (a line with the flag `k`).
- Each accepted call has one line, each line one call. They are matched by key, moment and the exact bytes of answer and
  request; a line with the flag `k` (its worker died; no bytes are known) by key and the moment of its admission.

So accepted = answered with 200 + broken ones in the log. Bytes of an answered call are what its client received; of a
broken one what nginx sent; of one whose worker died 0: no bytes are billed for it.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

SLACK = 0.05  # seconds: nginx's clock is of the last event
LATE = 3.0  # seconds between an answer and its line on a busy machine; calls of a key with like bytes are farther apart
Lines = dict[int, list[tuple[float, int]]]  # bytes of the request -> moment and bytes of the answer
BILLED = ("-", "INTEGRATION_FAILURE", "INTEGRATION_TIMEOUT")


@dataclass(frozen=True, slots=True)
class Call:
    """One line of the driver."""

    id: str
    outcome: int
    bytes_out: int
    bytes_in: int
    start: float
    end: float


@dataclass
class Phase:
    """The sums of one phase. Bytes are those out."""

    name: str
    calls: int = 0
    answered: int = 0
    refused: int = 0
    broken: int = 0
    served: int = 0  # of the broken ones by the backend
    logged: int = 0  # of the broken ones
    cut: int = 0  # lines of workers that died
    answered_cut: int = 0  # of them, calls whose answer was whole
    lines: int = 0
    bytes_seen: int = 0
    bytes_lines: int = 0
    problems: list[str] = field(default_factory=list)

    @property
    def accepted(self) -> int:
        return self.answered + self.logged


def read_calls(file: Path) -> dict[int, list[Call]]:
    """Key's number -> its calls in order."""
    found: dict[int, list[Call]] = defaultdict(list)
    for line in file.read_text().splitlines():
        key, serial, outcome, bytes_out, bytes_in, start, end = line.split()
        found[int(key)].append(
            Call(
                f"{file.name}-{key}-{serial}",
                int(outcome),
                int(bytes_out),
                int(bytes_in),
                float(start),
                float(end),
            )
        )
    return found


def reckon(
    name: str, calls: dict[int, list[Call]], lines: dict[int, list[list[str]]], seen: Mapping[str, int]
) -> Phase:
    """Match the calls of a phase to the lines of its keys; `seen`: how often each call came to the backend."""
    phase = Phase(name)
    for key in calls.keys() | lines.keys():
        _reckon_key(phase, calls.get(key, []), lines.get(key, []), seen)
    return phase


def _reckon_key(phase: Phase, calls: list[Call], lines: list[list[str]], seen: Mapping[str, int]) -> None:
    billed = [line for line in lines if line[9] in BILLED]
    cut = sorted(float(line[0]) for line in billed if "k" in line[10])
    whole: Lines = defaultdict(list)
    for line in billed:
        if "k" not in line[10]:
            whole[int(line[7])].append((float(line[0]), int(line[6])))
    phase.calls += len(calls)
    phase.lines += len(billed)
    phase.cut += len(cut)
    phase.bytes_lines += sum(int(line[6]) for line in billed)
    rest = []  # calls whose line, if there is one, is not found yet
    for call in calls:
        _note(phase, call, seen)
        if call.outcome == 200 and _take(whole, call, call.bytes_out):
            phase.bytes_seen += call.bytes_out
        elif call.outcome in (0, 200):
            rest.append(call)
    # what the backend got must have a line; then those that may have one
    for call in sorted(rest, key=lambda call: not seen.get(call.id)):
        _match_rest(phase, call, whole, cut, seen)
    phase.problems += [f"a line of a call that nobody made: killed at {at}" for at in cut]
    phase.problems += [f"a line of no call: {size}, {line}" for size, left in whole.items() for line in left]


def _note(phase: Phase, call: Call, seen: Mapping[str, int]) -> None:
    came = seen.get(call.id, 0)
    phase.broken += call.outcome == 0
    phase.answered += call.outcome == 200
    phase.refused += call.outcome not in (0, 200)
    phase.served += call.outcome == 0 and came > 0
    if came > 1 or (call.outcome and bool(came) != (call.outcome == 200)):
        phase.problems.append(f"{call} came to the backend {came} times")


def _take(whole: Lines, call: Call, bytes_out: int | None) -> int | None:
    """Take the line of a call by its bytes and moment; returns bytes out. None for those: at least what came."""
    for line in whole[call.bytes_in]:
        at, sent = line
        fits = sent == bytes_out if bytes_out is not None else sent >= call.bytes_out
        if fits and call.start - LATE <= at <= call.end + LATE:
            whole[call.bytes_in].remove(line)
            return sent
    return None


def _match_rest(phase: Phase, call: Call, whole: Lines, cut: list[float], seen: Mapping[str, int]) -> None:
    """A broken call, or an answered one whose worker died before its line."""
    moments = [at for at in cut if call.start - SLACK <= at <= call.end + SLACK]
    if moments:
        cut.remove(min(moments, key=lambda at: abs(at - call.start)))
        phase.answered_cut += call.outcome == 200
    elif call.outcome == 200:
        phase.problems.append(f"{call} was answered and has no line")
        return
    elif (sent := _take(whole, call, None)) is not None:
        phase.bytes_seen += sent
    else:
        if seen.get(call.id):
            phase.problems.append(f"{call} was served and is not in the usage log")
        return
    phase.logged += call.outcome == 0
