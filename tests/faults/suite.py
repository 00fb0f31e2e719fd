"""Runs phases of load and faults, waits until everything is counted and billed, and reckons."""

import time
from collections import defaultdict
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from tests.faults.faults import Fault, all_up
from tests.faults.stack import Stack
from tests.faults.tally import Phase, read_calls, reckon
from tests.scenarios.running import ROOT

GIB = 2**30
SETTLING = 90  # seconds until everything is counted
REPORT = ROOT / "test-results" / "faults.md"
TABLES = ("UsageMinute", "UsageHour", "UsageDay")
COLUMNS = (
    "fault", "calls", "answered 200", "refused", "broken", "of them served", "of them logged",
    "accepted", "usage log", "records", "billed", "difference",
    "bytes accepted", "bytes in records", "bytes billed", "difference in bytes",
)  # fmt: skip


@dataclass(frozen=True)
class Counts:
    """What one phase's customer has in the records (hours) and on invoices."""

    records: int
    bytes_records: int
    billed: int
    bytes_billed: int


@dataclass(frozen=True)
class Result:
    """All phases with their counts, and what is wrong with any; [] = accepted = metered = billed."""

    rows: list[tuple[Phase, Counts]]
    problems: list[str]

    def report(self) -> str:
        """The table by fault, as Markdown."""
        table = [COLUMNS, tuple("---" for _ in COLUMNS), *(_cells(*row) for row in self.rows), self._total()]
        lines = ["| " + " | ".join(map(str, cells)) + " |" for cells in table]
        return "\n".join([*lines, "", *(self.problems or ["No call was lost or doubled."]), ""])

    def _total(self) -> tuple[str, ...]:
        columns = zip(*(_cells(*row)[1:] for row in self.rows), strict=True)
        return ("**all**", *(f"{sum(int(cell.replace(',', '')) for cell in column):,}" for column in columns))

    @property
    def calls(self) -> int:
        return sum(phase.calls for phase, _ in self.rows)


def _cells(phase: Phase, counts: Counts) -> tuple[str, ...]:
    numbers = (
        phase.calls, phase.answered, phase.refused, phase.broken, phase.served, phase.logged,
        phase.accepted, phase.lines, counts.records, counts.billed, counts.billed - phase.accepted,
        phase.bytes_seen, counts.bytes_records, counts.bytes_billed, counts.bytes_billed - phase.bytes_seen,
    )  # fmt: skip
    return phase.name, *(f"{number:,}" for number in numbers)


def run(stack: Stack, phases: dict[str, Fault]) -> Result:
    """Do every fault under load, one after another; then reckon."""
    failed = []
    for name, fault in phases.items():
        begun = time.monotonic()
        with stack.load(name):
            try:
                fault(stack)
            except (AssertionError, OSError) as error:
                failed.append(f"{name}: the fault could not be done: {error!r}")
        stack.say(f"{name}: {_calls_of(stack, name)} calls in {time.monotonic() - begun:.0f} s")
    all_up(stack)
    result = _reckon(stack, list(phases))
    return Result(result.rows, failed + result.problems)


def _calls_of(stack: Stack, name: str) -> int:
    with (stack.calls / name).open() as file:
        return sum(1 for _ in file)


def _reckon(stack: Stack, names: list[str]) -> Result:
    lines, told = _settled(stack)
    problems = []
    rows = []
    for name in names:
        seed = stack.seed["phases"][name]
        by_key = {n: lines[key] for n, key in enumerate(seed["key_ids"]) if key in lines}
        calls = read_calls(stack.calls / name)
        seen = stack.served([call.id for each in calls.values() for call in each])
        phase = reckon(name, calls, by_key, seen)
        counts = _counts(told, seed)
        rows.append((phase, counts))
        problems += [f"{name}: {each}" for each in phase.problems]
        if not phase.accepted == phase.lines == counts.records == counts.billed:
            problems.append(f"{name}: calls differ: {_cells(phase, counts)}")
        if not phase.bytes_seen == phase.bytes_lines == counts.bytes_records == counts.bytes_billed:
            problems.append(f"{name}: bytes differ: {_cells(phase, counts)}")
    problems += _sound(told) + [each for witness in stack.witnesses for each in witness.problems]
    return Result(rows, problems)


def _settled(stack: Stack) -> tuple[dict[str, list[list[str]]], dict]:
    """Wait until all lines are in the records and close the month; returns the lines by key, and what was told."""
    stack.doors.set("open")
    deadline = time.monotonic() + SETTLING
    while not stack.delivered() and time.monotonic() < deadline:
        time.sleep(0.2)
    time.sleep(1)
    lines: dict[str, list[list[str]]] = defaultdict(list)
    for witness in stack.witnesses:
        for line in witness.lines():
            lines[line[2]].append(line)
    told = stack.count(close=True)
    while told["batches"]["waiting"] and time.monotonic() < deadline:
        told = stack.count(close=True)  # bills what was not billed by the first
    return lines, told


def _counts(told: dict, seed: dict) -> Counts:
    tables = [_sum(told["records"][name], seed["subscriptions"]) for name in TABLES]
    assert len(set(tables)) == 1, f"minutes, hours and days differ: {tables}"
    requests, gib = told["billed"].get(seed["customer"], ("0", "0"))
    return Counts(*tables[1], int(Decimal(requests)), round(Decimal(gib) * GIB))


def _sum(records: dict, subscriptions: list[str]) -> tuple[int, int]:
    found = [records.get(each, (0, 0)) for each in subscriptions]
    return sum(calls for calls, _ in found), sum(bytes_out for _, bytes_out in found)


def _sound(told: dict) -> list[str]:
    batches = told["batches"]
    fine = {"waiting": 0, "rejected": 0, "gaps": 0, "aggregated": batches["calls"]}
    return [f"batches: {name} is {batches[name]}" for name, value in fine.items() if batches[name] != value]


def write_report(result: Result, file: Path = REPORT) -> None:
    """Leave the table where results of tests lie, and print it."""
    file.parent.mkdir(exist_ok=True)
    file.write_text(f"# Faults: accepted = metered = billed\n\n{result.report()}")
