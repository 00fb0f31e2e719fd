"""Where a copy keeps its things, and which ports it takes."""

import socket
import stat
from pathlib import Path

import pytest

from portal.embedded.ports import is_free
from portal.supervisor.layout import Layout, write_secret


def test_ports_stay_the_same_over_a_restart_unless_somebody_took_one(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    layout.prepare(nodes=1)
    first = layout.ports()
    assert layout.ports() == first
    with socket.socket() as squatter:
        squatter.bind(("127.0.0.1", first["valkey"]))
        squatter.listen()
        assert not is_free(first["valkey"])
        second = layout.ports()
    assert second["valkey"] != first["valkey"]
    assert second["postgres"] == first["postgres"]


def test_only_one_copy_gets_the_folder(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    with layout.lock(), pytest.raises(BlockingIOError):
        layout.lock()
    layout.lock().close()


def test_a_secret_is_written_whole_and_for_its_owner_only(tmp_path: Path) -> None:
    file = tmp_path / "token"
    write_secret(file, "one")
    write_secret(file, "two")
    assert file.read_text() == "two"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [file]
