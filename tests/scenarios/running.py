"""A whole Gatehouse, started as a person starts it, in a folder of its own."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import requests

from portal.embedded.ports import free_port
from tests.postgres_plugin import PREPARED_IN, wait_until_prepared

ROOT = Path(__file__).parents[2]


class Running:
    """`manage.py up` with its own data folder and ports."""

    command = (sys.executable, str(ROOT / "manage.py"), "up")

    def __init__(self, var: Path | None = None, **settings: str) -> None:
        self.var = var or Path(tempfile.mkdtemp(prefix="gatehouse-up-"))
        self.var.chmod(0o755)
        with_migrated_database(self.var)
        self.env = {
            name: value
            for name, value in os.environ.items()
            if name
            not in (
                PREPARED_IN,
                "DATABASE_URL",
                "CELERY_BROKER_URL",
                "GATEHOUSE_MODE",
                "DJANGO_SETTINGS_MODULE",
            )
        }
        self.env |= {
            "GATEHOUSE_VAR": str(self.var),
            "GATEHOUSE_PORTAL_PORT": str(free_port()),
            "GATEHOUSE_GATEWAY_PORT": str(free_port(int(settings.get("GATEHOUSE_NODES", "1")))),
            **settings,
        }
        self.log = self.var / "up.log"
        self.facts: dict[str, Any] = {}

    def start(self, seconds: float = 90) -> "Running":
        """Start it and wait until it says that it is ready (a killed copy may have left an older word)."""
        begun = time.time()
        with self.log.open("a") as log:
            self.process = subprocess.Popen(
                self.command,
                cwd=ROOT,
                env=self.env,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        ready = self.var / "ready.json"
        eventually(lambda: self._ended() or _written_after(ready, begun), seconds, self._story)
        self.facts = json.loads(ready.read_text())
        return self

    def stop(self) -> float:
        """Ask it to stop as Ctrl-C does; return how many seconds that took."""
        begun = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(timeout=30)
        return time.monotonic() - begun

    def pid(self, name: str) -> int:
        """Return the pid of a service by its name in the log's prefix."""
        marks = {
            "postgres": "bin/postgres",
            "valkey": "valkey-server",
            "web": "portal.wsgi:application",
            "worker": " worker ",
            "beat": " beat ",
            "httpbin": "httpbin:app",
            "gate": "nginx",
            "agent": "gateway.agent",
            "runtime": "gateway.runtime",
        }
        for child in children(self.process.pid):
            if marks[name] in command_line(child):
                return child
        raise LookupError(f"{name} does not run")

    def manage(self, *arguments: str) -> str:
        """Run another `manage.py` command beside it."""
        command = [sys.executable, str(ROOT / "manage.py"), *arguments]
        return subprocess.run(command, env=self.env, capture_output=True, text=True, check=True).stdout

    def rest(self, method: str, path: str, *, token: str = "", **arguments: Any) -> Any:
        """Call the management API; returns the JSON of the answer."""
        headers = {"Authorization": f"Bearer {token or self.facts['api_token']}"}
        url = f"{self.facts['portal']}/api/v1/{path}"
        answer = requests.request(method, url, headers=headers, timeout=20, **arguments)
        assert answer.ok, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json() if answer.content else None

    def call(self, path: str, key: str = "", **arguments: Any) -> requests.Response:
        """Call the gateway, with an API key if one is given."""
        headers = {"x-api-key": key} if key else {}
        headers |= arguments.pop("headers", {})
        method = arguments.pop("method", "GET")
        return requests.request(
            method, self.facts["gateway"] + path, headers=headers, timeout=40, **arguments
        )

    def _ended(self) -> bool:
        if self.process.poll() is None:
            return False
        raise AssertionError(f"it ended:\n{self._story()}")

    def _story(self) -> str:
        return "\n".join(self.log.read_text().splitlines()[-60:])


def with_migrated_database(var: Path) -> None:
    """Put a migrated database into the folder of a Gatehouse that was not started yet: it saves each its migrations."""
    prepared = os.environ.get(PREPARED_IN)
    if prepared and not (var / "postgres").exists():
        wait_until_prepared()
        for name, theirs in (("data", "postgres"), ("password", "postgres.password")):
            subprocess.run(["cp", "-a", f"{prepared}/{name}", var / theirs], check=True)


def eventually(
    true: Callable[[], Any], seconds: float, story: Callable[[], str] = lambda: "", pause: float = 0.05
) -> Any:
    """Wait until `true()` is truthy and return it; fail with `story()` after `seconds`."""
    deadline = time.monotonic() + seconds
    while True:
        found = true()
        if found:
            return found
        assert time.monotonic() < deadline, f"not within {seconds} s\n{story()}"
        time.sleep(pause)


def _written_after(file: Path, moment: float) -> bool:
    return file.exists() and file.stat().st_mtime > moment


def children(pid: int) -> list[int]:
    """Return the pids of a process's living children."""
    found = []
    for task in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, parent = task.read_text().rpartition(")")[2].split()[:2]
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(parent) == pid and state != "Z":
            found.append(int(task.parent.name))
    return sorted(found)


def command_line(pid: int) -> str:
    try:
        return (Path("/proc") / str(pid) / "cmdline").read_bytes().replace(b"\0", b" ").decode()
    except FileNotFoundError:
        return ""


def descendants(pid: int) -> list[int]:
    """Return a process's children, their children, and so on."""
    direct = children(pid)
    return direct + [below for child in direct for below in descendants(child)]
