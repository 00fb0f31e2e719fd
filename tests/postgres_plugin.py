"""Starts a PostgreSQL for the test run, before Django reads its settings.

Loaded by `-p tests.postgres_plugin` (see pyproject.toml). Set DATABASE_URL to test against your own.
"""

import atexit
import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

import psycopg
import pytest

from portal.embedded.ports import free_port
from portal.embedded.postgres import STOP, Postgres


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests() -> None:
    os.environ.setdefault("GATEHOUSE_MODE", "test")
    if "DATABASE_URL" not in os.environ:
        os.environ["DATABASE_URL"] = _start()


def _start() -> str:
    folder = Path(tempfile.mkdtemp(prefix="gatehouse-test-"))
    folder.chmod(0o755)
    server = Postgres(folder / "data", free_port(), folder / "password")
    server.initialise()
    # the data is thrown away, so nothing needs to reach the disk
    command = server.command("-c", "fsync=off", "-c", "full_page_writes=off")
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)
    atexit.register(_stop, process, folder)
    _wait(server.url, process)
    return server.url


def _wait(url: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 30
    while True:
        try:
            psycopg.connect(url, connect_timeout=2).close()
            return
        except psycopg.OperationalError:
            if process.poll() is not None or time.monotonic() > deadline:
                raise
            time.sleep(0.05)


def _stop(process: subprocess.Popen[bytes], folder: Path) -> None:
    process.send_signal(STOP)
    process.wait(timeout=20)
    shutil.rmtree(folder, ignore_errors=True)
