"""Everything that runs in the fault suite: a Gatehouse with two nodes, doors before it, a backend, and clients."""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import requests

from portal.embedded.ports import free_port
from tests.faults.door import Doors
from tests.faults.witness import Witness
from tests.scenarios.running import ROOT, Running, children, command_line, descendants, eventually

NODES = 2
CLIENTS = 16
SMALL_DISK = "200m"
HERE = Path(__file__).parent
MARKS = {
    "nginx": "nginx: master",
    "agent": "gateway.agent",
    "web": "portal.wsgi:application",
    "celery": " worker ",
    "beat": " beat ",
    "valkey": "valkey-server",
    "postgres": "bin/postgres",
}


class Up(Running):
    """`manage.py up` by way of launch.py."""

    command = (sys.executable, "-m", "tests.faults.launch")


class Stack:
    """A provider, a customer for each phase, and what their calls pass through. `rate` is in calls a second.

    `journal_size` is what the usage log of a node may take; small, so that its files come and go.
    """

    def __init__(self, phases: list[str], *, rate: float, journal_size: str = "2m") -> None:
        self.rate = rate
        self._end = ExitStack()
        try:
            self._start(journal_size)
            self.seed = self._seed(phases)
            self._everywhere()
        except BaseException:
            self._end.close()
            raise

    def _start(self, journal_size: str) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="gatehouse-faults-"))
        self.folder.chmod(0o755)
        self._end.callback(shutil.rmtree, self.folder, ignore_errors=True)
        self.calls = self.folder / "calls"
        var = self.folder / "var"
        for folder in (self.calls, var):
            folder.mkdir()
        settings = {
            "GATEHOUSE_NODES": str(NODES),
            "GATEHOUSE_DEMO": "0",
            "GATEHOUSE_JOURNAL_SIZE": journal_size,
        }
        self.running = Up(var, **settings)
        self.doors = Doors(f"http://127.0.0.1:{self.running.env['GATEHOUSE_PORTAL_PORT']}", NODES)
        self._end.callback(self.doors.close)
        for number, port in enumerate(self.doors.ports, start=1):
            self.running.env[f"FAULTS_DOOR_{number}"] = f"http://127.0.0.1:{port}"
        self.nodes = [var / f"node-{number}" for number in range(1, NODES + 1)]
        self.disk = self._small_disk(self.nodes[-1])
        self._start_backend()
        self._end.callback(self._stop_running)
        self.running.start(240)  # a busy machine takes long
        self.witnesses = [Witness(node) for node in self.nodes]
        for witness in self.witnesses:
            self._end.callback(witness.close)

    def _stop_running(self) -> None:
        with suppress(AttributeError, ProcessLookupError):
            self.running.stop()

    def _small_disk(self, folder: Path) -> bool:
        """Give the last node a disk of its own that can be filled; only root can."""
        folder.mkdir()
        mount = ["mount", "-t", "tmpfs", "-o", f"size={SMALL_DISK}", "faults", str(folder)]
        if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode:
            return False
        self._end.callback(subprocess.run, ["umount", "-l", str(folder)], check=False)
        return True

    def _start_backend(self) -> None:
        port = free_port()
        self.backend_url = f"http://127.0.0.1:{port}"
        process = subprocess.Popen([sys.executable, "-m", "tests.faults.backend", str(port)], cwd=ROOT)
        self._end.callback(process.wait)
        self._end.callback(process.kill)
        eventually(lambda: self.served(["nobody"]) == {"nobody": 0}, 10)

    def served(self, ids: list[str]) -> dict[str, int]:
        """How often each call of these came to the backend."""
        with suppress(requests.ConnectionError):
            answer = requests.post(self.backend_url + "/seen", json=ids, timeout=60)
            return dict(answer.json())
        return {}

    def _seed(self, phases: list[str]) -> dict[str, Any]:
        wanted = {"backend": self.backend_url, "phases": phases, "keys": CLIENTS}
        return self._script("seed.py", FAULTS_SEED=json.dumps(wanted))

    def count(self, *, close: bool = False) -> dict[str, Any]:
        """What the control plane counted (count.py); `close` makes the invoices too."""
        return self._script("count.py", FAULTS_CLOSE=self.seed["provider"] if close else "")

    def _script(self, name: str, **env: str) -> dict[str, Any]:
        self.running.env |= env
        text = (HERE / name).read_text()
        try:
            printed = self.running.manage("shell", "--verbosity", "0", "-c", text)
        except subprocess.CalledProcessError as error:
            raise AssertionError(error.stderr) from None
        return dict(json.loads(printed.strip().splitlines()[-1]))

    @property
    def ports(self) -> list[int]:
        first = int(self.running.env["GATEHOUSE_GATEWAY_PORT"])
        return [first + number for number in range(NODES)]

    def _everywhere(self) -> None:
        """Wait until both nodes run what was made last."""

        def done() -> bool:
            nodes = self.running.rest("GET", "nodes")["results"]
            return all(each["generation"] == nodes[0]["status"].get("stored_generation") for each in nodes)

        time.sleep(1)
        eventually(done, 20, pause=0.3)

    @contextmanager
    def load(self, phase: str) -> Iterator[None]:
        """Clients call with the keys of the phase, from here to the end of the block."""
        orders = {
            "phase": phase,
            "path": self.seed["path"],
            "rate": self.rate,
            "ports": self.ports,
            "keys": self.seed["phases"][phase]["keys"],
            "file": str(self.calls / phase),
        }
        command = [sys.executable, "-m", "tests.faults.driver"]
        with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, text=True) as driver:
            assert driver.stdin
            driver.stdin.write(json.dumps(orders) + "\n")
            driver.stdin.flush()
            time.sleep(0.5)
            yield
            driver.stdin.close()
            assert driver.wait(60) == 0

    def pids(self, name: str, node: int = 1) -> list[int]:
        """The processes of a service, the first one first (of nginx its master); [] = it does not run."""
        for pid in children(self.running.process.pid):
            if MARKS[name] in command_line(pid) and (
                name not in ("nginx", "agent") or self._is_of(node, pid)
            ):
                return [pid, *descendants(pid)]
        return []

    def _is_of(self, node: int, pid: int) -> bool:
        """Of nginx the command names its node, of the agent its environment."""
        folder = str(self.nodes[node - 1])
        with suppress(OSError):
            environment = Path(f"/proc/{pid}/environ").read_bytes()
            return f"GATEHOUSE_NODE_DIR={folder}\0".encode() in environment or f"{folder}/" in command_line(
                pid
            )
        return False

    def await_up(self, name: str, node: int = 1, seconds: float = 40) -> list[int]:
        """Wait until a service runs (nginx: with its workers); returns its pids."""
        least = 2 if name == "nginx" else 1

        def found() -> list[int] | None:
            pids = self.pids(name, node)
            return pids if len(pids) >= least else None

        return list(eventually(found, seconds, lambda: f"{name} of node {node} does not run"))

    def kill(self, name: str, node: int = 1, number: signal.Signals = signal.SIGKILL) -> int:
        """Kill a service's first process when it runs; returns its pid."""
        pid = self.await_up(name, node)[0]
        os.kill(pid, number)
        return pid

    def counted(self, node: int) -> int:
        """Up to where the usage log of a node is in batches; an agent would begin there."""
        folder = self.nodes[node - 1] / "spool"
        found = []
        for path in (folder / "state.json", *folder.glob("*.batch")):
            with suppress(FileNotFoundError), path.open("rb") as file:
                facts = json.loads(file.readline())
                found.append((facts["sequence"], (facts["position"] or {}).get("offset", 0)))
        return int(max(found, default=(0, 0))[1])

    def delivered(self) -> bool:
        """Whether all lines are in batches, and no batch waits on a node."""
        for number, witness in enumerate(self.witnesses, start=1):
            head = witness.journal.head()
            if any((self.nodes[number - 1] / "spool").glob("*.batch")):
                return False
            if head is None or self.counted(number) < head.committed:
                return False
        return True

    def say(self, text: str) -> None:
        """Tell how it goes (`pytest -s` shows it)."""
        sys.stdout.write(f"{time.strftime('%H:%M:%S')} {text}\n")
        sys.stdout.flush()

    def close(self) -> None:
        """Stop everything and leave nothing behind."""
        self._end.close()
