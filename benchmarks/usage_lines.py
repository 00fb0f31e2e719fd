"""How many usage lines the agent adds up a second on one core: `python -m benchmarks.usage_lines`.

Reads lines from a file as the agent does, for few and for many groups. Budget: 300,000 lines/s.
"""

import random
import tempfile
import time
from pathlib import Path

from gateway.agent.aggregate import Aggregate
from gateway.agent.usage_log import UsageLog
from tests.gateway.agent.writer import JournalWriter

LINES = 1_000_000
FLAGS = ("-", "-", "-", "c", "h", "m")


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
    JournalWriter(folder, 2**30).write(*lines)


def measure(groups: int) -> float:
    """Return lines a second of CPU time, reading included."""
    with tempfile.TemporaryDirectory() as folder:
        make_log(Path(folder), groups)
        reader = UsageLog(Path(folder)).reader(None)
        total = Aggregate()
        started = time.process_time()
        while block := reader.read():
            total.add(block)
        rows, _ = total.result()
        spent = time.process_time() - started
        assert sum(row.calls for row in rows) == LINES
        return LINES / spent


def main() -> None:
    """Print one line for each number of groups."""
    for groups in (10, 1_000):
        print(f"usage lines added up, {groups:>5} keys: {measure(groups):>9,.0f} lines/s on one core")


if __name__ == "__main__":
    main()
