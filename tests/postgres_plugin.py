"""Starts a PostgreSQL for the test run, before Django reads its settings.

Loaded by `-p tests.postgres_plugin` (see pyproject.toml). Set DATABASE_URL to test against your own.

The database is migrated once: every worker's is a copy of it (`MIGRATED`), and each whole Gatehouse that a test starts
begins with a copy of its files (`PREPARED_IN` names the folder; `tests/scenarios/running.py`).
"""

import atexit
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psycopg
import pytest

from portal.embedded.ports import free_port
from portal.embedded.postgres import STOP, Postgres

MIGRATED = "migrated"
PREPARED_IN = "GATEHOUSE_TEST_PREPARED"
ROOT = Path(__file__).parents[1]


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
    process = _run(server, folder)
    _migrate(server.url)
    _stop_server(process)
    prepared = folder / "prepared"
    prepared.mkdir(mode=0o755)
    for name in ("data", "password"):
        subprocess.run(["cp", "-a", folder / name, prepared / name], check=True)
    os.environ[PREPARED_IN] = str(prepared)
    process = _run(server, folder)
    atexit.register(_stop, process, folder)
    with psycopg.connect(server.url.rsplit("/", 1)[0] + "/template1", autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {MIGRATED} TEMPLATE postgres")
    return server.url


def _run(server: Postgres, folder: Path) -> subprocess.Popen[bytes]:
    # the data is thrown away, so nothing needs to reach the disk
    command = server.command("-c", "fsync=off", "-c", "full_page_writes=off")
    with (folder / "log").open("a") as log:
        process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)
    _wait(server.url, process)
    return process


def _migrate(url: str) -> None:
    command = [sys.executable, str(ROOT / "manage.py"), "migrate", "--verbosity=0"]
    subprocess.run(command, cwd=ROOT, env=os.environ | {"DATABASE_URL": url}, check=True)


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


def _stop_server(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(STOP)
    process.wait(timeout=20)


def _stop(process: subprocess.Popen[bytes], folder: Path) -> None:
    _stop_server(process)
    shutil.rmtree(folder, ignore_errors=True)
