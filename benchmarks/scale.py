"""A node with 10,000 operations and 100,000 keys against one with 10 and 10: CPU time a call, p99, memory.

The node with many is loaded with three kinds of traffic: that of the node with few; a usual one, where the key or
operation of rank n has a share of 1/n (Zipf); and the worst, where each is as likely as another, so that nearly all
that a call reads has left the processor's caches. Both gates run at the same time and are loaded in turns, on one CPU.
"""

import hashlib
import random
import re
import statistics
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import Any

from benchmarks.gate import (
    _ANSWER,
    CONNECTIONS,
    PLENTY,
    ROUNDS,
    SECONDS,
    cpu_seconds,
    on_one_cpu,
    plain_nginx,
    worker_of,
)
from benchmarks.report import Table, write
from gateway.entries import Key, Plan, Quota, Subscription
from portal.embedded.ports import free_port
from tests.gateway.backends import FakeAgent
from tests.gateway.node import Node, node_folder, start_nginx
from tests.gateway.world import World, make_key, operation

SIZES = {"small": (10, 10), "large": (10_000, 100_000)}
FEW = 10
# what is measured: name -> (size, traffic)
LOADS = {
    "few": ("small", "all alike"),
    "many, of which few are used": ("large", "few"),
    "many, used as is usual": ("large", "usual"),
    "many, all used alike": ("large", "all alike"),
}
DRAWS = 100_000
SUBSCRIPTIONS = 1_000  # at most; keys share them
_SCRIPT = """
local calls, number = {{}}, 0
init = function()
    wrk.headers.Host = "gate.test"
    for line in io.lines("{path}") do
        local path, key = line:match("(%S+) (%S+)")
        wrk.headers["x-api-key"] = key
        calls[#calls + 1] = wrk.format("GET", path)
    end
end
request = function()
    number = number % #calls + 1
    return calls[number]
end
"""


@dataclass(frozen=True)
class Gate:
    """A running gate: its node, wrk scripts of random calls by kind of traffic, bytes of shared memory of its keys."""

    node: Node
    scripts: dict[str, Path]
    shared: float


@contextmanager
def gate(upstream: int, operations: int, keys: int) -> Iterator[Gate]:
    """Run a gate with so many operations and keys."""
    with ExitStack() as stack:
        folder = stack.enter_context(node_folder())
        node = start_nginx(folder, free_port(), workers="1", entries_memory=512 * 2**20)
        stack.callback(node.stop)
        agent = FakeAgent(folder / "agent.sock", slice_size=10_000_000)
        stack.callback(agent.stop)
        world = World(node)
        world.backend("backend", "127.0.0.1", upstream)
        made = {
            f"op{n:08}": operation("GET", f"/r{n}/{{id}}/items", key_required=True) for n in range(operations)
        }
        world.publish("stage", made, at="*|shop/v1", throttle=PLENTY)
        before = node.control("GET", "/status").json["free_bytes"]
        texts = push_keys(world, agent, keys)
        after = node.control("GET", "/status").json["free_bytes"]
        scripts = {
            kind: write_calls(folder, kind, operations, texts) for kind in ("few", "usual", "all alike")
        }
        yield Gate(node, scripts, before - after)


def write_calls(folder: Path, kind: str, operations: int, texts: list[str]) -> Path:
    """Write a wrk script that makes random calls of a kind of traffic over and over."""
    chance = random.Random(5)

    def drawn(number: int) -> list[int]:
        number = min(number, FEW) if kind == "few" else number
        ranks = range(1, number + 1)
        weights = list(accumulate(1 / rank for rank in ranks)) if kind == "usual" else list(ranks)
        return chance.choices(range(number), cum_weights=weights, k=DRAWS)

    calls = folder / f"calls.{kind.replace(' ', '-')}"
    with calls.open("w") as file:
        for number, key in zip(drawn(operations), drawn(len(texts)), strict=True):
            file.write(f"/shop/v1/r{number}/{chance.randrange(10**6)}/items {texts[key]}\n")
    script = calls.with_name(f"{calls.name}.lua")
    script.write_text(_SCRIPT.format(path=calls))
    return script


def push_keys(world: World, agent: FakeAgent, number: int) -> list[str]:
    """Give the node keys, in batches as the agent does; returns their texts."""
    world.put(
        "plan", "plan", Plan(stages=["stage"], throttle=PLENTY, quota=Quota(limit=10**9, period="MONTH"))
    )
    subscriptions = min(number, SUBSCRIPTIONS)
    entries: list[Any] = []
    for n in range(subscriptions):
        agent.allow(f"sub{n:09}", 10**9)
        entries.append(world.entry("subscription", f"sub{n:09}", Subscription("plan", active=True)))
    texts = [make_key() for _ in range(number)]
    for n, text in enumerate(texts):
        key = Key(f"key{n:09}", active=True, subscriptions=[f"sub{n % subscriptions:09}"])
        entries.append(world.entry("key", hashlib.sha256(text.encode()).hexdigest(), key))
    for start in range(0, len(entries), 5_000):
        assert world.node.push(entries[start : start + 5_000]).status == 200
    return texts


def load(node: Node, script: Path) -> tuple[int, float]:
    """Load a gate for SECONDS; returns calls, all answered with 200, and the p99 in milliseconds."""
    url = f"http://127.0.0.1:{node.settings.port}"
    command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{SECONDS}s", "--latency", "-s", str(script), url]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    if "Non-2xx" in text:
        raise RuntimeError(f"not all calls were answered with 200:\n{text}")
    found = re.search(r"99%\s+([\d.]+)(us|ms|s)", text)
    assert found
    factor = {"us": 0.001, "ms": 1.0, "s": 1000.0}[found[2]]
    return int(text.split(" requests in ")[0].split()[-1]), float(found[1]) * factor


def resident(process: int) -> int:
    """Bytes of a process that are its own."""
    return int(re.findall(r"RssAnon:\s+(\d+)", Path(f"/proc/{process}/status").read_text())[0]) * 1024


def measure(gates: dict[str, Gate]) -> dict[str, tuple[float, float]]:
    """Load the gates in turns; returns medians: microseconds of CPU a call, and p99 in milliseconds."""
    figures: dict[str, list[tuple[float, float]]] = {name: [] for name in LOADS}
    for number in range(ROUNDS + 2):
        for name, (size, traffic) in LOADS.items():
            each = gates[size]
            worker = worker_of(each.node.process.pid)
            before = cpu_seconds(worker)
            calls, p99 = load(each.node, each.scripts[traffic])
            if number > 1:  # the first rounds fill the worker's caches
                figures[name].append(((cpu_seconds(worker) - before) / calls * 1e6, p99))
                print(
                    f"round {number}: {name:30} {figures[name][-1][0]:6.1f} µs, p99 {p99:.2f} ms", flush=True
                )
    return {
        name: (statistics.median(cpu for cpu, _ in found), statistics.median(p99 for _, p99 in found))
        for name, found in figures.items()
    }


def compare() -> Table:
    """Run all rounds and return the table of medians."""
    on_one_cpu()
    with ExitStack() as stack:
        folder = stack.enter_context(node_folder())
        folder.mkdir(mode=0o755)
        upstream, _ = stack.enter_context(plain_nginx(folder, "upstream", action=_ANSWER))
        gates = {name: stack.enter_context(gate(upstream, *size)) for name, size in SIZES.items()}
        middle = measure(gates)
        own = {name: resident(worker_of(each.node.process.pid)) for name, each in gates.items()}
    few = middle["few"]
    rows = [
        (
            name,
            f"{cpu:.1f}",
            f"{cpu / few[0]:.2f}",
            f"{p99:.2f}",
            f"{p99 / few[1]:.2f}",
            f"{own[size] / 2**20:.0f}",
        )
        for (name, (cpu, p99)), (size, _) in zip(middle.items(), LOADS.values(), strict=True)
    ]
    return Table(
        heading="The gate with many operations and keys",
        columns=("", "µs of CPU a call", "×", "p99 in ms", "×", "MiB of the worker"),
        rows=rows,
        note=f"Few = 10 operations and 10 keys, many = 10,000 and 100,000; usual = rank n has a share of 1/n. "
        f"{ROUNDS} rounds of {SECONDS} s in turn, medians, all on one CPU. "
        f"100,000 keys take {gates['large'].shared / 2**20:.0f} MiB of shared memory (once a node) and, when all are "
        f"in use, up to {(own['large'] - own['small']) / 2**20:.0f} MiB of a worker, operations included. "
        "Budget: within 10 % of few.",
    )


def main() -> None:
    """Print the table and write it to docs/benchmarks.md."""
    table = compare()
    print(table.text())
    write(table)


if __name__ == "__main__":
    main()
