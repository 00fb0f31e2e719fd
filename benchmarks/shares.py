"""Whether two nodes together keep to one throttle, whatever node its callers use: `python -m benchmarks.shares`.

A whole Gatehouse with two nodes is started, and one stage limited. Callers ask at a fixed pace, refused or not: with
twice the limit on both nodes, on one, and on one after the other. Budget: within 5 % of rate x time, where a burst
may come on top once.
"""

import asyncio
import os
import time
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass

import aiohttp

from benchmarks.propagation import NODES, Product
from benchmarks.report import Table, write
from portal.embedded.ports import free_port
from tests.gateway.backends import Backend
from tests.scenarios.running import Running

SECONDS = float(os.environ.get("BENCH_SHARES_SECONDS", "30"))
RATE, BURST = 100, 50
BUDGET = 0.05
CALLERS = 20  # connections to each node
REST_SECONDS = 1.0  # between two runs: the bucket fills up again

# demand(node, seconds since the start of the run) -> calls a second on that node
Demand = Callable[[int, float], float]


@dataclass(frozen=True)
class Outcome:
    """What a run's callers were answered, by node, and how long it took (s)."""

    admitted: list[int]
    refused: list[int]
    seconds: float

    @property
    def deviation(self) -> float:
        """How far from rate x time what was admitted is, as a part; a burst may come on top once."""
        admitted, limit = sum(self.admitted), RATE * self.seconds
        if admitted > limit:
            return max(0.0, admitted - BURST - limit) / limit
        return (admitted - limit) / limit


def swapping(seconds: float) -> Demand:
    """All callers on one node, and six times a run on the other."""
    return lambda node, at: 2.0 * RATE if int(at * 6 / seconds) % 2 == node else 0.0


def cases(seconds: float) -> dict[str, Demand]:
    """The three runs of so many seconds."""
    return {
        "on both": lambda _node, _at: 2.0 * RATE,
        "on one": lambda node, _at: 2.0 * RATE if node == 0 else 0.0,
        "swapping": swapping(seconds),
    }


async def _caller(
    session: aiohttp.ClientSession, url: str, demand: Callable[[float], float], number: int, seconds: float
) -> Counter[int]:
    """Call at an even pace, this caller's part of the demand."""
    found: Counter[int] = Counter()
    begun = time.monotonic()
    at = number / (2 * RATE)
    while at < seconds:
        await asyncio.sleep(max(0.0, begun + at - time.monotonic()))
        rate = demand(at)
        if rate:
            async with session.get(url) as answer:
                await answer.read()
                found[answer.status] += 1
        at += CALLERS / (rate or 2 * RATE)
    return found


async def _press(ports: list[int], path: str, demand: Demand, seconds: float) -> list[Counter[int]]:
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
        found = []
        for node, port in enumerate(ports):
            url = f"http://127.0.0.1:{port}{path}"
            on_node = [
                _caller(session, url, lambda at, node=node: demand(node, at), number, seconds)  # type: ignore[misc]
                for number in range(CALLERS)
            ]
            found.append(asyncio.gather(*on_node))
        return [sum(counters, Counter()) for counters in await asyncio.gather(*found)]


def press(ports: list[int], path: str, demand: Demand, seconds: float) -> Outcome:
    """Make one run. Every call must be answered with 200 or 429."""
    begun = time.monotonic()
    found = asyncio.run(_press(ports, path, demand, seconds))
    taken = max(seconds, time.monotonic() - begun)
    others = {status for counts in found for status in counts} - {200, 429}
    if others:
        raise AssertionError(f"calls were answered with {others}")
    return Outcome([counts[200] for counts in found], [counts[429] for counts in found], taken)


def limited_stage(stack: ExitStack) -> tuple[Running, list[int], str]:
    """Start two nodes and a stage with RATE and BURST; returns their ports and the path to call."""
    first = free_port(NODES)
    backend = Backend("bench")
    stack.callback(backend.stop)
    settings = {"GATEHOUSE_DEMO": "0", "GATEHOUSE_GATEWAY_PORT": str(first), "GATEHOUSE_NODES": str(NODES)}
    running = Running(None, **settings).start()
    stack.callback(running.stop)
    product = Product(running, backend)
    stage = product.deploy()
    version = product.version["id"]
    running.rest("PATCH", f"versions/{version}", json={"key_required": False})
    running.rest("PATCH", f"stages/{stage}", json={"throttle_rate": RATE, "throttle_burst": BURST})
    product.deploy()
    time.sleep(2)
    return running, [first + number for number in range(NODES)], "/bench/v1/fixed"


def measure(seconds: float = SECONDS) -> Table:
    """Make the three runs and return the table."""
    rows = []
    with ExitStack() as stack:
        _, ports, path = limited_stage(stack)
        for name, demand in cases(seconds).items():
            outcome = press(ports, path, demand, seconds)
            rows.append(_row(name, outcome))
            print(" | ".join(rows[-1]), flush=True)
            time.sleep(REST_SECONDS)
    return Table(
        heading="One throttle on two nodes",
        columns=("demand of 2 x the limit", "admitted", "rate x time", "deviation", "by node", "budget"),
        rows=rows,
        note=f"Limit {RATE}/s, burst {BURST}; runs of {seconds:.0f} s. A burst may come on top of rate x time once.",
    )


def _row(name: str, outcome: Outcome) -> tuple[str, ...]:
    return (
        name,
        f"{sum(outcome.admitted)}",
        f"{RATE * outcome.seconds:.0f}",
        f"{outcome.deviation:+.1%}",
        " + ".join(map(str, outcome.admitted)),
        f"±{BUDGET:.0%}",
    )


def main() -> None:
    """Print the table and write it to docs/benchmarks.md."""
    table = measure()
    print(table.text())
    write(table)


if __name__ == "__main__":
    main()
