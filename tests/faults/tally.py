"""The reckoning: what clients saw against lines, records and bills, phase by phase.

The rule for a call:

- A whole answer with 200 is **accepted**. Any other whole answer is **refused**: nobody may be charged for it.
- A call whose connection broke before its answer was whole is **broken**. Its client cannot know whether it was
  served. It is accepted exactly if the usage log has it. The log must have it if the backend got it, and may have it if
  a worker was killed between admitting it and reaching the backend (a line with the flag `k`).
- Each accepted call has one line, each line one call. They are matched by key, status and the exact bytes of answer and
  request; a line with the flag `k` (its worker died; no bytes are known) by key and the moment of its admission.

So accepted = answered with 200 + broken ones in the log. Bytes of an answered call are what its client received; of a
broken one what nginx sent; of one whose worker died 0: no bytes are billed for it.
"""

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from pathlib import Path

SLACK = 0.02  # seconds: nginx's clock is of the last event
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
    name: str, calls: dict[int, list[Call]], lines: dict[int, list[list[str]]]
) -> tuple[Phase, list[str]]:
    """Match the calls of a phase to the lines of its keys; returns the sums, and ids of broken calls without one."""
    phase, missing = Phase(name), []
    for key in calls.keys() | lines.keys():
        missing += _reckon_key(phase, calls.get(key, []), lines.get(key, []))
    return phase, missing


def _reckon_key(phase: Phase, calls: list[Call], lines: list[list[str]]) -> list[str]:
    billed = [line for line in lines if line[9] in BILLED]
    whole = Counter((int(line[6]), int(line[7])) for line in billed if "k" not in line[10])
    cut = sorted(float(line[0]) for line in billed if "k" in line[10])
    sent = sum(int(line[6]) for line in billed)
    phase.calls += len(calls)
    phase.lines += len(billed)
    phase.cut += len(cut)
    phase.bytes_lines += sent
    open_calls = []  # whose line, if there is one, is not found yet
    for call in calls:
        if call.outcome not in (0, 200):
            phase.refused += 1
            continue
        phase.broken += call.outcome == 0
        phase.answered += call.outcome == 200
        if call.outcome == 200 and whole[(call.bytes_out, call.bytes_in)]:
            whole[(call.bytes_out, call.bytes_in)] -= 1
            phase.bytes_seen += call.bytes_out
        else:
            open_calls.append(call)
    return _match_rest(phase, open_calls, whole, cut)


def _match_rest(
    phase: Phase, calls: list[Call], whole: Counter[tuple[int, int]], cut: list[float]
) -> list[str]:
    """Broken calls, and answered ones whose worker died before their line: by moment, or by the request's bytes."""
    missing = []
    for call in calls:
        moment = next((at for at in cut if call.start - SLACK <= at <= call.end + SLACK), None)
        logged = next((name for name, left in whole.items() if left and name[1] == call.bytes_in), None)
        if moment is not None:
            cut.remove(moment)
            phase.answered_cut += call.outcome == 200
        elif logged is not None and call.outcome == 0 and logged[0] >= call.bytes_out:
            whole[logged] -= 1
            phase.bytes_seen += logged[0]
        elif call.outcome == 0:
            missing.append(call.id)
            continue
        else:
            phase.problems.append(f"{call} was answered and has no line")
            continue
        phase.logged += call.outcome == 0
    phase.problems += [f"a line of a call that nobody made: killed at {at}" for at in cut]
    phase.problems += [f"{left} lines of no call: {name}" for name, left in whole.items() if left]
    return missing
