"""A node's folder, and stand-ins for its two neighbours."""

import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from gateway.agent.control_plane import ControlPlane
from gateway.agent.nginx import ControlSocket
from gateway.agent.problems import Problems
from tests.gateway.agent.fakes import TOKEN, FakeControlPlane, FakeNginx


@pytest.fixture
def folder() -> Iterator[Path]:
    """A short path: unix sockets lie in it."""
    path = Path(tempfile.mkdtemp(prefix="ghn"))
    yield path
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture
def problems() -> Problems:
    return Problems()


@pytest.fixture
async def control_plane() -> AsyncIterator[FakeControlPlane]:
    fake = FakeControlPlane()
    await fake.start()
    yield fake
    await fake.stop()


@pytest.fixture
async def nginx(folder: Path) -> AsyncIterator[FakeNginx]:
    fake = FakeNginx(folder / "control.sock")
    await fake.start()
    yield fake
    await fake.stop()


@pytest.fixture
async def client(control_plane: FakeControlPlane, problems: Problems) -> AsyncIterator[ControlPlane]:
    connection = ControlPlane(control_plane.url, TOKEN, problems)
    yield connection
    await connection.close()


@pytest.fixture
async def socket(folder: Path) -> AsyncIterator[ControlSocket]:
    connection = ControlSocket(folder / "control.sock")
    yield connection
    await connection.close()
