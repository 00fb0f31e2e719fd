"""Starts a PostgreSQL for the test run, before Django reads its settings.

Loaded by `-p tests.postgres_plugin` (see pyproject.toml). Set DATABASE_URL to test against your own.

The database is migrated once: every worker's is a copy of it (`MIGRATED`), and each whole Gatehouse that a test starts
begins with a copy of its files (`PREPARED_IN` names the folder; `tests/scenarios/running.py`). That takes some seconds,
in which the workers collect their tests: who needs a database calls `wait_until_prepared` first.
"""

import atexit
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from portal.embedded.ports import free_port
from portal.embedded.postgres import STOP, Postgres

MIGRATED = "migrated"
PREPARED_IN = "GATEHOUSE_TEST_PREPARED"
_OUTCOME = "outcome"
ROOT = Path(__file__).parents[1]


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests() -> None:
    os.environ.setdefault("GATEHOUSE_MODE", "test")
    if "DATABASE_URL" not in os.environ:
        os.environ["DATABASE_URL"] = _start()


def wait_until_prepared(seconds: float = 600) -> None:
    """Wait until the run's database is migrated; nothing to wait for with a database of your own."""
    if PREPARED_IN not in os.environ:
        return
    outcome = Path(os.environ[PREPARED_IN]) / _OUTCOME
    deadline = time.monotonic() + seconds
    while not outcome.exists():
        assert time.monotonic() < deadline, f"no database within {seconds} s"
        time.sleep(0.05)
    wrong = outcome.read_text()
    assert not wrong, wrong


def _start() -> str:
    folder = Path(tempfile.mkdtemp(prefix="gatehouse-test-"))
    folder.chmod(0o755)
    server = Postgres(folder / "data", free_port(), folder / "password")
    server.initialise()
    prepared = folder / "prepared"
    prepared.mkdir(mode=0o755)
    os.environ[PREPARED_IN] = str(prepared)
    end = threading.Event()
    keeper = threading.Thread(target=_keep, args=(server, folder, prepared, end), daemon=True)
    keeper.start()
    atexit.register(_stop, keeper, end, folder)
    return server.url


def _keep(server: Postgres, folder: Path, prepared: Path, end: threading.Event) -> None:
    """Prepare the databases, then stay: the server stops with the thread that started it."""
    try:
        with _running(server, folder):
            _migrate(server.url)
        for name in ("data", "password"):
            subprocess.run(["cp", "-a", folder / name, prepared / name], check=True)
        with _running(server, folder):
            _make_template(server.url)
            _tell(prepared, "")
            end.wait()
    except Exception as error:  # noqa: BLE001 -- told to whoever waits
        _tell(prepared, f"no database: {error!r}\n{(folder / 'log').read_text()}")


def _tell(prepared: Path, wrong: str) -> None:
    unfinished = prepared / f"{_OUTCOME}.new"
    unfinished.write_text(wrong)
    unfinished.rename(prepared / _OUTCOME)


def _make_template(url: str) -> None:
    with psycopg.connect(url.rsplit("/", 1)[0] + "/template1", autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {MIGRATED} TEMPLATE postgres")


@contextmanager
def _running(server: Postgres, folder: Path) -> Iterator[None]:
    # the data is thrown away, so nothing needs to reach the disk
    command = server.command("-c", "fsync=off", "-c", "full_page_writes=off")
    with (folder / "log").open("a") as log:
        process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)
    try:
        _wait(server.url, process)
        yield
    finally:
        process.send_signal(STOP)
        process.wait(timeout=20)


# it makes thousands of model classes; looking for garbage among them again and again takes a quarter of the time
_MIGRATE = """
import gc
from django.core.management import execute_from_command_line
gc.set_threshold(200_000, 50, 100)
execute_from_command_line(["manage.py", "migrate", "--verbosity=0"])
"""


def _migrate(url: str) -> None:
    env = os.environ | {"DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "portal.settings"}
    subprocess.run([sys.executable, "-c", _MIGRATE], cwd=ROOT, env=env, check=True)


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


def _stop(keeper: threading.Thread, end: threading.Event, folder: Path) -> None:
    end.set()
    keeper.join()
    shutil.rmtree(folder, ignore_errors=True)
