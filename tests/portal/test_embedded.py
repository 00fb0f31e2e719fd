"""The embedded services run as an ordinary user, also from a folder that only root may enter."""

import os
import signal
from pathlib import Path

import pytest

from portal.embedded.postgres import binaries
from portal.embedded.privileges import closed_to_services, service_command

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root hands services to another user")


@as_root
def test_root_hands_a_service_to_nobody_who_dies_with_us(tmp_path: Path) -> None:
    command = service_command(["true"], paths=[Path("/usr")], stop=signal.SIGINT)
    assert command[1:] == ["--pdeathsig=INT", "--reuid=65534", "--regid=65534", "--clear-groups", "true"]


@as_root
def test_in_a_closed_folder_the_service_keeps_the_one_capability_that_opens_it(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    assert closed_to_services(closed)
    command = service_command(["true"], paths=[closed], stop=signal.SIGTERM)
    assert command[-3:] == ["--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search", "true"]


def test_the_database_programs_are_where_services_can_run_them() -> None:
    folder = binaries()
    assert (folder / "postgres").exists()
    assert (folder / "initdb").exists()
    assert not closed_to_services(folder)
