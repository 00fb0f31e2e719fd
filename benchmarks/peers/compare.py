"""CPU time a call: the gate with everything on, against peers that only proxy and against express-gateway.

Every server stands in front of the same upstream nginx and works with one thread; wrk makes the load. What is
compared is the CPU time of the server's processes. Rounds take turns, so that a busy machine disturbs all alike.
"""

import os
import statistics
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

from benchmarks.gate import _ANSWER, _PROXY, CONNECTIONS, gate, load, plain_nginx, worker_of
from benchmarks.peers import servers
from benchmarks.report import Table, write
from tests.gateway.node import node_folder

ROUNDS = int(os.environ.get("BENCH_ROUNDS", "3"))
PATH = "/shop/v1/pets/7"
# how many times less CPU than this peer the gate must need (design)
BUDGETS = {"Envoy, plain": 2, "Caddy, plain": 3, "express-gateway, key-auth and rate-limit": 10}


def tree(process: int) -> Iterator[int]:
    """Yield a process and those that it started."""
    yield process
    for child in Path(f"/proc/{process}/task/{process}/children").read_text().split():
        yield from tree(int(child))


def cpu_seconds(process: int) -> float:
    """User and system time that a process and its children have used."""
    ticks = 0
    for each in tree(process):
        fields = Path(f"/proc/{each}/stat").read_text().rsplit(")", 1)[1].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def measure(peer: servers.Peer) -> float:
    """Microseconds of CPU time a call."""
    before = cpu_seconds(peer.process)
    calls = load(f"http://127.0.0.1:{peer.port}{PATH}", peer.header)
    return (cpu_seconds(peer.process) - before) / calls * 1e6


def _start_all(stack: ExitStack) -> dict[str, servers.Peer]:
    folder = stack.enter_context(node_folder())
    folder.mkdir(mode=0o755)
    upstream, _ = stack.enter_context(plain_nginx(folder, "upstream", action=_ANSWER))
    port, plain = stack.enter_context(plain_nginx(folder, "plain", action=_PROXY, upstream=upstream))
    node, key = stack.enter_context(gate(upstream))
    return {
        "the gate: key, throttles, quota lease, usage line": servers.Peer(
            worker_of(node.process.pid), node.settings.port, f"x-api-key: {key}"
        ),
        "nginx, plain": servers.Peer(plain, port),
        "HAProxy, plain": stack.enter_context(servers.haproxy(folder, upstream)),
        "Envoy, plain": stack.enter_context(servers.envoy(folder, upstream)),
        "Caddy, plain": stack.enter_context(servers.caddy(folder, upstream)),
        "express-gateway, key-auth and rate-limit": stack.enter_context(
            servers.express_gateway(folder, upstream)
        ),
    }


def compare() -> Table:
    """Run all rounds and return the table of medians; the first round warms up."""
    with ExitStack() as stack:
        peers = _start_all(stack)
        figures: dict[str, list[float]] = {name: [] for name in peers}
        for number in range(ROUNDS + 1):
            for name, peer in peers.items():
                microseconds = measure(peer)
                if number:
                    figures[name].append(microseconds)
                    print(f"round {number}: {name:50} {microseconds:7.1f} µs a call", flush=True)
    medians = {name: statistics.median(values) for name, values in figures.items()}
    ours = next(iter(medians.values()))
    rows = []
    for name, median in medians.items():
        low, high = min(figures[name]), max(figures[name])
        budget = f"≥ {BUDGETS[name]}" if name in BUDGETS else ""
        label = f"{name} ({peers[name].version})" if peers[name].version else name
        rows.append((label, f"{median:.1f}", f"{low:.1f} to {high:.1f}", f"{median / ours:.2f}", budget))
    return Table(
        heading="CPU time of the gate and of its peers",
        columns=("", "median µs a call", "range", "× the gate", "budget"),
        rows=rows,
        note=f"CPU time of the server's processes, {ROUNDS} rounds in turn, {CONNECTIONS} kept connections.",
    )


def main() -> None:
    """Print the table and write it to docs/benchmarks.md."""
    table = compare()
    print(table.text())
    write(table)
