"""How many usage lines the agent adds up a second on one core: `python -m benchmarks.usage_lines`.

Reads lines from a file as the agent does, for few and for many groups. Budget: 300,000 lines/s.
"""

import json
import os
import random
import shutil
import tempfile
import time
from pathlib import Path

from benchmarks.report import Table, write
from gateway.agent.aggregate import Aggregate
from gateway.agent.meter import Meter
from gateway.agent.problems import Problems
from gateway.agent.spool import Spool
from gateway.agent.usage_log import UsageLog
from tests.gateway.agent.writer import JournalWriter

LINES = 1_000_000
SUBSCRIPTIONS = (10, 1_000, 10_000, 100_000)
ROUNDS = 3
# nine of ten calls have none
FLAGS = (*"-" * 27, "c", "h", "m")


def make_log(folder: Path, groups: int) -> None:
    """Write LINES usage lines of `groups` different keys and operations over two minutes."""
    chance = random.Random(1)
    names = [f"s{n:09} k{n:09} stage00001 op{n % 50:08}" for n in range(groups)]
    lines = []
    for number in range(LINES):
        now = 1_763_889_123 + number * 120 / LINES
        took = chance.expovariate(80)
        lines.append(
            f"{now:.3f} {chance.choice(names)} {200 if chance.random() < 0.95 else 404} "
            f"{chance.randrange(300, 3000)} {chance.randrange(150, 400)} {took:.3f} - "
            f"{chance.choice(FLAGS)} {took * 0.9:.3f}"
        )
    # pieces of a few lines: the writer opens its file for each, and less than one fits into a file's end
    writer = JournalWriter(folder, 2**30)
    writer.write(*("\n".join(lines[start : start + 10]) for start in range(0, LINES, 10)))


def measure(folder: Path) -> tuple[float, int]:
    """Return lines a second of CPU time, reading and writing batches included, and how many rows they made.

    Batches are closed as the agent closes them, so memory is bounded; each is committed to a spool on disk.
    """
    with tempfile.TemporaryDirectory() as name:
        # what is read is deleted: of links to the log's files
        shutil.copytree(folder, Path(name) / "node", copy_function=os.link)
        spool = Spool(Path(name) / "spool")
        spool.open()
        meter = Meter(UsageLog(Path(name) / "node"), spool, Problems())
        started = time.process_time()
        while meter.step():
            pass
        spent = time.process_time() - started
        assert meter.lines == LINES
        rows = sum(len(json.loads(spool.body(number))["rows"]) for number in spool.pending())
        return LINES / spent, rows


def adding(folder: Path) -> float:
    """Return lines a second of CPU time that one batch of all lines takes, without writing it."""
    reader = UsageLog(folder).reader(None)
    total = Aggregate()
    started = time.process_time()
    while block := reader.read():
        total.add(block)
    rows, _ = total.result()
    spent = time.process_time() - started
    assert sum(row.calls for row in rows) == LINES
    return LINES / spent


def main() -> None:
    """Measure each number of subscriptions; print it and write it into docs/benchmarks.md."""
    found = []
    load = os.getloadavg()[0]
    for groups in SUBSCRIPTIONS:
        with tempfile.TemporaryDirectory() as name:
            make_log(Path(name), groups)
            added = max(adding(Path(name)) for _ in range(ROUNDS))
            whole, rows = max(measure(Path(name)) for _ in range(ROUNDS))
        print(
            f"usage lines, {groups:>7,} keys: {added:>9,.0f}/s added up, {whole:>9,.0f}/s with batches on disk",
            flush=True,
        )
        found.append((groups, added, whole, rows))
    first = found[0][2]
    write(
        Table(
            "Usage lines added up by the agent",
            ("subscriptions", "added up", "read, added up, batches on disk", "rows", "ratio"),
            [
                (f"{groups:,}", f"{added:,.0f}/s", f"{whole:,.0f}/s", f"{rows:,}", f"{whole / first:.2f}")
                for groups, added, whole, rows in found
            ],
            f"{LINES:,} lines of two minutes, spread evenly, per second of one core's time; best of {ROUNDS}. With as "
            "many subscriptions as lines in a batch nothing adds up any more: each line is a row. "
            f"Load of the machine before: {load:.1f}.",
        )
    )


if __name__ == "__main__":
    main()
