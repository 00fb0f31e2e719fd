"""Key verification: calls a second of one core, the gate against djangorestframework-api-key.

The gate is one nginx worker. The peer is Django REST Framework with djangorestframework-api-key on PostgreSQL, one
granian worker, in a virtual environment of its own (`.venv-key-peer`, benchmarks/key_peer/requirements.txt): once
with the settings that Django's startproject writes, once (the first row, of which ratios are) with kept connections
to the database. Both know 1,000 keys. The load comes from wrk; what
is compared is the CPU time of the processes that answer (the peer's PostgreSQL too), so the load's own cost does not
count.
"""

import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

from benchmarks.gate import CONNECTIONS, PLENTY, SECONDS
from benchmarks.peers.compare import tree
from benchmarks.report import Table, write
from gateway.entries import Quota
from portal.embedded.ports import free_port
from portal.embedded.postgres import Postgres
from tests.gateway.backends import FakeAgent
from tests.gateway.desk import TOKEN, Desk
from tests.gateway.node import node_folder, start_nginx, wait_until
from tests.gateway.world import World, make_key

ROUNDS = int(os.environ.get("BENCH_ROUNDS", "3"))
KEYS = 1_000
BUDGET = 50
ROOT = Path(__file__).resolve().parent.parent
PEER = ROOT / "benchmarks" / "key_peer"
PEER_PYTHON = ROOT / ".venv-key-peer" / "bin" / "python"
PEER_LABEL = "djangorestframework-api-key, granian, PostgreSQL"
DEFAULT_LABEL = f"{PEER_LABEL}; connecting for each request (Django's default)"


@dataclass(frozen=True)
class Way:
    """One way to ask: the processes that answer (with their children), and what wrk sends."""

    processes: tuple[int, ...]
    script: Path
    url: str


@contextmanager
def gate(scratch: Path) -> Iterator[list[tuple[str, Way]]]:
    """Run a node that knows KEYS keys on a plan with throttle and quota."""
    with ExitStack() as stack:
        folder = stack.enter_context(node_folder())
        node = start_nginx(folder, free_port(), workers="1", verify_rate=10_000_000)
        stack.callback(node.stop)
        agent = FakeAgent(folder / "agent.sock", slice_size=100_000_000)
        stack.callback(agent.stop)
        desk = Desk(SimpleNamespace(node=node, world=World(node), agent=agent))
        sold = desk.sell(
            "shop", throttle=PLENTY, quota=Quota(limit=10**9, period="MONTH"), stage={"throttle": PLENTY}
        )
        agent.allow("s-shop", 10**9)
        for _ in range(KEYS - 1):
            desk.world.put_key(make_key(), id="other", active=True, subscriptions=["s-shop"])
        base = f"http://127.0.0.1:{node.settings.port}/api/v1/keys"
        asked = {"key": sold.key, "api": "shop", "version": "v1", "method": "GET", "path": "/orders/7"}
        worker = (node.workers()[0],)
        ways = []
        for mode in ("check", "consume"):
            assert desk.verify({**asked, "mode": mode}).json["valid"] is True
            script = _script(scratch / f"{mode}.lua", "POST", json.dumps({**asked, "mode": mode}))
            ways.append((f"the gate: `keys/verify`, mode {mode}", Way(worker, script, f"{base}/verify")))
        script = _script(scratch / "authorize.lua", "GET", "", {"X-Api-Key": sold.key})
        url = f"{base}/authorize?api=shop&version=v1"
        ways.append(("the gate: `keys/authorize`, mode consume", Way(worker, script, url)))
        yield ways


def _script(file: Path, method: str, body: str, headers: dict[str, str] | None = None) -> Path:
    """Write what wrk sends, as wrk wants it: a Lua script."""
    sent = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"} | (headers or {})
    lines = [f"wrk.method = {json.dumps(method)}", f"wrk.body = {json.dumps(body)}" if body else ""]
    lines += [f"wrk.headers[{json.dumps(name)}] = {json.dumps(value)}" for name, value in sent.items()]
    file.write_text("\n".join(lines))
    return file


@contextmanager
def peers(scratch: Path) -> Iterator[list[tuple[str, Way]]]:
    """Run the peer with KEYS keys, with kept connections to the database and without."""
    if not PEER_PYTHON.exists():
        sys.exit(f"{PEER_PYTHON} is missing; `deploy/setup.sh bench` makes it")
    with ExitStack() as stack:
        process, database = stack.enter_context(postgres())
        environment = {**os.environ, "PEER_DATABASE": database, "PYTHONPATH": str(PEER)}
        prepare = [str(PEER_PYTHON), str(PEER / "app.py"), "prepare", str(KEYS)]
        made = subprocess.run(prepare, env=environment, capture_output=True, text=True, check=True)
        key = made.stdout.strip().splitlines()[-1]
        script = _script(scratch / "peer.lua", "GET", "", {"Authorization": f"Api-Key {key}"})
        ways = []
        for label, keeps in ((PEER_LABEL, "1"), (DEFAULT_LABEL, "0")):
            log = scratch / f"granian-{keeps}.log"
            pid, port = stack.enter_context(granian({**environment, "PEER_KEEPS": keeps}, log))
            way = Way((pid, process), script, f"http://127.0.0.1:{port}/verify")
            wait_until(lambda way=way: _answers(way), seconds=30, what=label)
            ways.append((label, way))
        yield ways


@contextmanager
def granian(environment: dict[str, str], log: Path) -> Iterator[tuple[int, int]]:
    """Serve the peer's application with one worker; yields process id and port."""
    port = free_port()
    command = [str(PEER_PYTHON), "-m", "granian", "--interface", "wsgi", "--workers", "1", "--no-access-log"]
    command += ["--host", "127.0.0.1", "--port", str(port), "app:application"]
    with log.open("w") as out:
        process = subprocess.Popen(command, cwd=PEER, env=environment, stdout=out, stderr=out)
        try:
            yield process.pid, port
        finally:
            process.terminate()
            process.wait(20)


def _answers(way: Way) -> bool:
    try:
        return load(way, seconds=1) > 0
    except RuntimeError:
        return False


@contextmanager
def postgres() -> Iterator[tuple[int, str]]:
    """Run a PostgreSQL; yields its process id and `port user password`."""
    folder = Path(tempfile.mkdtemp(prefix="gatehouse-bench-"))
    folder.chmod(0o755)
    server = Postgres(folder / "data", free_port(), folder / "password")
    server.initialise()
    process = subprocess.Popen(server.command(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_until(lambda: _listens(server.port), seconds=30, what="PostgreSQL")
        yield process.pid, f"{server.port} gatehouse {server.password_file.read_text().strip()}"
    finally:
        process.terminate()
        process.wait(30)
        shutil.rmtree(folder, ignore_errors=True)


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def load(way: Way, seconds: int = SECONDS) -> int:
    """Ask for some seconds; returns the number of calls, all of which must have been answered with 200."""
    command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "-s", str(way.script), way.url]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode or "Non-2xx" in done.stdout or "requests in" not in done.stdout:
        raise RuntimeError(f"not all calls were answered with 200:\n{done.stdout}{done.stderr}")
    return int(done.stdout.split(" requests in ")[0].split()[-1])


def cpu_seconds(way: Way) -> float:
    """User and system time of the processes, of their children, and of children that have ended."""
    ticks = 0
    for process in way.processes:
        for each in tree(process):
            fields = Path(f"/proc/{each}/stat").read_text().rsplit(")", 1)[1].split()
            ticks += sum(int(field) for field in fields[11:15])
    return ticks / os.sysconf("SC_CLK_TCK")


def measure(way: Way) -> float:
    """Microseconds of the server's CPU time for one call."""
    before = cpu_seconds(way)
    calls = load(way)
    time.sleep(0.2)  # the last children of PostgreSQL end
    return (cpu_seconds(way) - before) / calls * 1e6


def compare() -> Table:
    """Run all rounds and return the table of medians; the first round warms up."""
    with ExitStack() as stack:
        scratch = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="gatehouse-bench-")))
        ways = [*stack.enter_context(peers(scratch)), *stack.enter_context(gate(scratch))]
        figures: dict[str, list[float]] = {name: [] for name, _ in ways}
        for number in range(ROUNDS + 1):
            for name, way in ways:
                microseconds = measure(way)
                if number:
                    figures[name].append(microseconds)
                    print(f"round {number}: {name:50} {microseconds:8.1f} µs a call", flush=True)
    medians = {name: statistics.median(values) for name, values in figures.items()}
    rows = [
        (
            name,
            f"{median:.1f}",
            f"{min(figures[name]):.1f} to {max(figures[name]):.1f}",
            f"{1e6 / median:,.0f}",
            f"{medians[PEER_LABEL] / median:.3g}",
        )
        for name, median in medians.items()
    ]
    return Table(
        heading="Key verification",
        columns=("", "median µs a call", "range", "calls a second of one core", "× the first"),
        rows=rows,
        note="CPU time of one nginx worker, and of one granian worker with its PostgreSQL; the peer has the "
        f"settings of startproject. {ROUNDS} rounds of {SECONDS} s in turn, {CONNECTIONS} kept connections. The gate "
        f"has throttles of stage and plan and a quota, the peer none. Budget: {BUDGET} × the peer.",
    )


def main() -> None:
    """Print the table and write it to docs/benchmarks.md."""
    if not shutil.which("wrk"):
        sys.exit("benchmarks.verify needs wrk, which makes the load; on Debian and Ubuntu: apt install wrk")
    table = compare()
    print(table.text())
    write(table)


if __name__ == "__main__":
    main()
