"""A node with 10,000 operations and 100,000 keys against one with 10 and 10: CPU time a call, p99, memory.

Keys and operations are drawn at random for each call, so nothing stays in a cache by chance. Both gates run at the
same time and are loaded in turns, on one CPU.
"""

import hashlib
import random
import re
import statistics
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
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


@contextmanager
def gate(upstream: int, operations: int, keys: int) -> Iterator[tuple[Node, Path, dict[str, float]]]:
    """Run a gate; yields the node, a wrk script of random calls, and bytes of shared memory."""
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
        chance = random.Random(5)
        calls = folder / "calls"
        with calls.open("w") as file:
            for _ in range(DRAWS):
                path = f"/shop/v1/r{chance.randrange(operations)}/{chance.randrange(10**6)}/items"
                file.write(f"{path} {chance.choice(texts)}\n")
        script = folder / "calls.lua"
        script.write_text(_SCRIPT.format(path=calls))
        yield node, script, {"keys": before - after}


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


def compare() -> Table:
    """Run all rounds and return the table of medians."""
    on_one_cpu()
    figures: dict[str, list[tuple[float, float]]] = {name: [] for name in SIZES}
    with ExitStack() as stack:
        folder = stack.enter_context(node_folder())
        folder.mkdir(mode=0o755)
        upstream, _ = stack.enter_context(plain_nginx(folder, "upstream", action=_ANSWER))
        gates = {name: stack.enter_context(gate(upstream, *size)) for name, size in SIZES.items()}
        for number in range(ROUNDS + 2):
            for name, (node, script, _) in gates.items():
                worker = worker_of(node.process.pid)
                before = cpu_seconds(worker)
                calls, p99 = load(node, script)
                if number > 1:  # the first rounds fill the worker's caches
                    figures[name].append(((cpu_seconds(worker) - before) / calls * 1e6, p99))
                    print(
                        f"round {number}: {name:6} {figures[name][-1][0]:6.1f} µs, p99 {p99:.2f} ms",
                        flush=True,
                    )
        worker_bytes = {name: resident(worker_of(node.process.pid)) for name, (node, _, _) in gates.items()}
        shared = gates["large"][2]["keys"]
    middle = {
        name: (statistics.median(cpu for cpu, _ in found), statistics.median(p99 for _, p99 in found))
        for name, found in figures.items()
    }
    rows = [
        (
            f"{SIZES[name][0]:,} operations, {SIZES[name][1]:,} keys",
            f"{cpu:.1f}",
            f"{cpu / middle['small'][0]:.2f}",
            f"{p99:.2f}",
            f"{p99 / middle['small'][1]:.2f}",
            f"{worker_bytes[name] / 2**20:.0f}",
        )
        for name, (cpu, p99) in middle.items()
    ]
    return Table(
        heading="The gate with many operations and keys",
        columns=("", "µs of CPU a call", "×", "p99 in ms", "×", "MiB of the worker"),
        rows=rows,
        note=f"Keys and operations drawn at random, {ROUNDS} rounds of {SECONDS} s in turn, medians, all on one CPU. "
        f"100,000 keys take {shared / 2**20:.0f} MiB of shared memory (once a node) and, when all are in use, up to "
        f"{(worker_bytes['large'] - worker_bytes['small']) / 2**20:.0f} MiB of a worker, operations included. "
        "Budget: within 10 %.",
    )


def main() -> None:
    """Print the table and write it to docs/benchmarks.md."""
    table = compare()
    print(table.text())
    write(table)


if __name__ == "__main__":
    main()
