"""Where things lie under GATEHOUSE_VAR, and which ports this copy uses."""

import fcntl
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from portal.embedded.ports import free_port, is_free
from portal.embedded.privileges import give_to_service_user

PORTS = ("postgres", "valkey", "httpbin")


@dataclass(frozen=True)
class Layout:
    """The folders and files of one copy of Gatehouse."""

    var: Path

    @property
    def run(self) -> Path:
        return self.var / "run"

    @property
    def services_file(self) -> Path:
        return self.run / "services.env"

    @property
    def ready_file(self) -> Path:
        return self.var / "ready.json"

    @property
    def demo_file(self) -> Path:
        return self.var / "demo.json"

    def node(self, number: int) -> Path:
        return self.var / f"node-{number}"

    def prepare(self, nodes: int) -> None:
        """Make the folders that the services write to, owned by the user they run as."""
        give_to_service_user(self.var)
        for folder in (self.run, self.var / "outbox", *(self.node(n + 1) for n in range(nodes))):
            folder.mkdir(exist_ok=True, mode=0o700)
            give_to_service_user(folder, inside=True)
        self.ready_file.unlink(missing_ok=True)

    def lock(self) -> IO[str]:
        """Take this folder for ourselves; raises BlockingIOError while another copy runs on it."""
        self.var.mkdir(parents=True, exist_ok=True)
        file = (self.var / "up.lock").open("w")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.close()
            raise
        return file

    def ports(self) -> dict[str, int]:
        """Return the loopback ports of the embedded services: last time's where they are still free."""
        file = self.run / "ports.json"
        before: dict[str, int] = json.loads(file.read_text()) if file.exists() else {}
        ports: dict[str, int] = {}
        for name in PORTS:
            port = before.get(name, 0)
            ports[name] = port if port and is_free(port) else free_port()
        file.write_text(json.dumps(ports))
        return ports


def write_secret(path: Path, text: str) -> None:
    """Write a file that only its owner (the services' user) may read, in one step."""
    draft = path.with_suffix(".draft")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT, 0o600), "w") as file:
        file.write(text)
    give_to_service_user(draft)
    draft.replace(path)
