"""Latency that the gate adds at half of its load: with few clients, with 1,000, and while somebody publishes.

The same rate of calls goes to plain nginx and to the gate, in turn; h2load keeps the rate and writes down how long
each call took.
"""

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.gate import _ANSWER, _PROXY, gate, load, plain_nginx
from benchmarks.report import Table, write
from gateway.entries import Throttle
from tests.gateway.node import Node, node_folder
from tests.gateway.world import World, operation

SECONDS = int(os.environ.get("BENCH_LATENCY_SECONDS", "10"))
WARM_UP = 2
PATH = "/shop/v1/pets/7"
FEW, MANY = 20, 1_000


@dataclass(frozen=True)
class Times:
    """Latencies in milliseconds, and how many calls were not answered with 200."""

    p50: float
    p99: float
    calls: int
    failed: int


def at_rate(url: str, *, header: str, clients: int, rate: float, folder: Path) -> Times:
    """Call `url` with `rate` calls a second in all, from `clients` kept connections."""
    log = folder / "h2load.tsv"
    log.unlink(missing_ok=True)
    command = [
        "h2load", "--h1", "-c", str(clients), "-t", "1", "-D", str(SECONDS), f"--warm-up-time={WARM_UP}",
        "--rps", f"{rate / clients:.3f}", f"--log-file={log}", "-H", header, url,
    ]  # fmt: skip
    subprocess.run(command, capture_output=True, text=True, check=True)
    took, failed = [], 0
    for line in log.read_text().splitlines():
        _, status, microseconds = line.split("\t")[:3]
        took.append(int(microseconds) / 1_000)
        failed += status != "200"
    took.sort()
    return Times(took[len(took) // 2], took[int(len(took) * 0.99)], len(took), failed)


@contextmanager
def publishing(node: Node) -> Iterator[list[int]]:
    """Deploy the called stage anew every second; yields the numbers of the deployments."""
    world, stop, made = World(node), threading.Event(), []
    world.generation = 1_000_000
    throttle = Throttle(rate=10_000_000, burst=10_000_000)

    def publish() -> None:
        while not stop.wait(1):
            made.append(len(made) + 1)
            operations = {
                "op": operation("GET", "/pets/{id}", key_required=True),
                f"op{made[-1]}": operation("GET", f"/new/{made[-1]}"),
            }
            world.publish("stage", operations, at="*|shop/v1", throttle=throttle)

    thread = threading.Thread(target=publish)
    thread.start()
    try:
        yield made
    finally:
        stop.set()
        thread.join()


@dataclass(frozen=True)
class Case:
    """One way of calling: how many clients, and whether somebody publishes meanwhile."""

    name: str
    clients: int
    publishes: bool = False


CASES = (
    Case(f"{FEW} clients", FEW),
    Case(f"{MANY:,} clients", MANY),
    Case(f"{FEW} clients, a deployment every second", FEW, publishes=True),
)


def measure() -> Table:
    """Run all cases against both servers and return the table."""
    with ExitStack() as stack:
        folder = stack.enter_context(node_folder())
        folder.mkdir(mode=0o755)
        upstream, _ = stack.enter_context(plain_nginx(folder, "upstream", action=_ANSWER))
        port, _ = stack.enter_context(plain_nginx(folder, "plain", action=_PROXY, upstream=upstream))
        node, key = stack.enter_context(gate(upstream))
        ours = (f"http://127.0.0.1:{node.settings.port}{PATH}", f"x-api-key: {key}")
        most = load(*ours) / int(os.environ.get("BENCH_SECONDS", "3"))
        rate = most / 2

        def times(url: str, header: str, case: Case) -> Times:
            return at_rate(url, header=header, clients=case.clients, rate=rate, folder=folder)

        rows = [
            _row(
                case,
                times(f"http://127.0.0.1:{port}{PATH}", "x: y", case),
                _gate_times(case, node, times, ours),
            )
            for case in CASES
        ]
    return Table(
        heading="Latency that the gate adds",
        columns=("", "plain p50", "plain p99", "gate p50", "gate p99", "added p50", "added p99", "failed"),
        rows=rows,
        note=f"Milliseconds at {rate:,.0f} calls a second, half of what one worker of the gate took, "
        f"{SECONDS} s each. Load, proxy and upstream share the machine's cores.",
    )


def _gate_times(
    case: Case, node: Node, times: Callable[[str, str, Case], Times], ours: tuple[str, str]
) -> Times:
    if not case.publishes:
        return times(*ours, case)
    with publishing(node) as made:
        found = times(*ours, case)
    if len(made) < SECONDS:
        raise RuntimeError(f"only {len(made)} deployments in {SECONDS} s")
    return found


def _row(case: Case, plain: Times, gate_times: Times) -> tuple[str, ...]:
    figures = (
        plain.p50, plain.p99, gate_times.p50, gate_times.p99,
        gate_times.p50 - plain.p50, gate_times.p99 - plain.p99,
    )  # fmt: skip
    row = (
        case.name,
        *(f"{figure:.2f}" for figure in figures),
        f"{gate_times.failed} of {gate_times.calls:,}",
    )
    print(" | ".join(row), flush=True)
    return row


def main() -> None:
    """Print the table and write it to docs/benchmarks.md."""
    try:
        table = measure()
    except FileNotFoundError as error:
        sys.exit(f"benchmarks.latency needs h2load (Debian: nghttp2-client): {error}")
    print(table.text())
    write(table)


if __name__ == "__main__":
    main()
