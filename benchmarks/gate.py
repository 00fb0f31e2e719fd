"""CPU time a call: the gate (key, stage and plan throttle, quota lease, usage line) against plain `proxy_pass`.

Both are nginx on this machine, one worker each, in front of the same upstream nginx. The load comes from wrk. What
is compared is the CPU time of the worker process, so the load's own cost does not count; rounds take turns, so
that a busy machine disturbs both alike.
"""

import os
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from benchmarks.report import Table, write
from gateway.entries import Quota, Throttle
from gateway.nginx.start import lua_modules
from portal.embedded.ports import free_port
from tests.gateway.backends import FakeAgent
from tests.gateway.node import Node, node_folder, start_nginx
from tests.gateway.world import World, operation

ROUNDS = int(os.environ.get("BENCH_ROUNDS", "5"))
SECONDS = int(os.environ.get("BENCH_SECONDS", "3"))
CONNECTIONS = 20
BUDGET = 1.6
PLENTY = Throttle(rate=10_000_000, burst=10_000_000)
ANSWER = '{"id":7,"name":"a pet","tags":["one","two"]}'

_PLAIN = """daemon off; worker_processes 1; pid "{folder}/{name}.pid"; {user}
events {{ worker_connections 8192; }}
http {{
    access_log off; client_body_temp_path "{folder}/b"; proxy_temp_path "{folder}/p";
    fastcgi_temp_path "{folder}/f"; uwsgi_temp_path "{folder}/u"; scgi_temp_path "{folder}/s";
    keepalive_requests 1000000;
    upstream backend {{ server 127.0.0.1:{upstream}; keepalive 64; keepalive_requests 1000000; }}
    server {{
        listen 127.0.0.1:{port};
        location / {{ {action} }}
    }}
}}
"""
_PROXY = 'proxy_pass http://backend; proxy_http_version 1.1; proxy_set_header Connection "";'
_ANSWER = f"default_type application/json; return 200 '{ANSWER}';"


@contextmanager
def plain_nginx(folder: Path, name: str, *, action: str, upstream: int = 1) -> Iterator[tuple[int, int]]:
    """Run an nginx with one location; yields its port and its worker's process id."""
    port = free_port()
    user = "user nobody nogroup;" if os.geteuid() == 0 else ""
    text = _PLAIN.format(folder=folder, name=name, user=user, port=port, upstream=upstream, action=action)
    configuration = folder / f"{name}.conf"
    configuration.write_text(text)
    nginx = shutil.which("nginx") or "/usr/sbin/nginx"
    process = subprocess.Popen([nginx, "-e", str(folder / f"{name}.log"), "-c", str(configuration)])
    try:
        time.sleep(0.5)
        yield port, worker_of(process.pid)
    finally:
        process.terminate()
        process.wait()


def worker_of(master: int) -> int:
    """The only worker of an nginx."""
    return int(Path(f"/proc/{master}/task/{master}/children").read_text().split()[0])


def cpu_seconds(process: int) -> float:
    """User and system time that a process has used."""
    fields = Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def load(url: str, header: str = "X-Nothing: here") -> int:
    """Call `url` for SECONDS; returns the number of calls, all of which must have been answered with 200."""
    command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{SECONDS}s", "-H", header, url]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    if "Non-2xx" in text:
        raise RuntimeError(f"not all calls were answered with 200:\n{text}")
    return int(text.split(" requests in ")[0].split()[-1])


def measure(process: int, call: Callable[[], int]) -> float:
    """Microseconds of `process`'s CPU time for one of the calls that `call` makes and counts."""
    before = cpu_seconds(process)
    calls = call()
    return (cpu_seconds(process) - before) / calls * 1e6


@contextmanager
def gate(upstream: int) -> Iterator[tuple[Node, str]]:
    """Run the gate with everything switched on; yields the node and a key."""
    with ExitStack() as stack:
        folder = stack.enter_context(node_folder())
        node = start_nginx(folder, free_port(), workers="1")
        stack.callback(node.stop)
        agent = FakeAgent(folder / "agent.sock", slice_size=1_000_000)
        stack.callback(agent.stop)
        world = World(node)
        world.backend("backend", "127.0.0.1", upstream)
        operations = {"op": operation("GET", "/pets/{id}", key_required=True)}
        world.publish("stage", operations, at="*|shop/v1", throttle=PLENTY)
        agent.allow("subscription", 10**9)
        quota = Quota(limit=10**9, period="MONTH")
        yield node, world.subscribe("subscription", ["stage"], throttle=PLENTY, quota=quota)


def on_one_cpu() -> None:
    """Keep this process and all that it starts on one CPU.

    Otherwise the faster proxy keeps its upstream and the load awake on the other CPUs, and the slower one pays for
    waking them up, so that the ratio would also measure how many CPUs are idle.
    """
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})


def compare() -> Table:
    """Run all rounds and return the table of medians."""
    on_one_cpu()
    figures: dict[str, list[float]] = {"plain": [], "gate": []}
    with ExitStack() as stack:
        folder = stack.enter_context(node_folder())
        folder.mkdir(mode=0o755)
        upstream, _ = stack.enter_context(plain_nginx(folder, "upstream", action=_ANSWER))
        port, plain = stack.enter_context(plain_nginx(folder, "plain", action=_PROXY, upstream=upstream))
        node, key = stack.enter_context(gate(upstream))
        gate_worker = worker_of(node.process.pid)
        ways: dict[str, tuple[int, Callable[[], int]]] = {
            "plain": (plain, lambda: load(f"http://127.0.0.1:{port}/shop/v1/pets/7")),
            "gate": (
                gate_worker,
                lambda: load(f"http://127.0.0.1:{node.settings.port}/shop/v1/pets/7", f"x-api-key: {key}"),
            ),
        }
        for number in range(ROUNDS + 1):
            for name, (process, call) in ways.items():
                microseconds = measure(process, call)
                if number:  # the first round warms up
                    figures[name].append(microseconds)
                    print(f"round {number}: {name:6} {microseconds:6.1f} µs a call", flush=True)
    base = statistics.median(figures["plain"])
    rows = [
        (label, statistics.median(figures[name]), min(figures[name]), max(figures[name]))
        for name, label in (
            ("plain", "plain nginx `proxy_pass`"),
            (
                "gate",
                "the gate: key, stage and plan throttle, quota lease, usage line safe against `kill -9`",
            ),
        )
    ]
    return Table(
        heading="CPU time of the gate",
        columns=("", "median µs a call", "lowest", "highest", "× plain"),
        rows=[
            (label, f"{mid:.1f}", f"{low:.1f}", f"{high:.1f}", f"{mid / base:.2f}")
            for label, mid, low, high in rows
        ],
        note=f"CPU time of one nginx worker, {ROUNDS} rounds of {SECONDS} s in turn, {CONNECTIONS} kept connections, "
        "all on one CPU. "
        f"Budget: {BUDGET} × plain.",
    )


def main() -> None:
    """Print the table and write it to docs/benchmarks.md."""
    if not shutil.which("wrk"):
        sys.exit("benchmarks.gate needs wrk, which makes the load; on Debian and Ubuntu: apt install wrk")
    lua_modules(shutil.which("nginx") or "/usr/sbin/nginx")
    table = compare()
    print(table.text())
    write(table)


if __name__ == "__main__":
    main()
