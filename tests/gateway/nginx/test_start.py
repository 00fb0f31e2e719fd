"""What nginx starts with: a folder that nobody else may enter, and files enough for all its connections."""

import resource
import subprocess
import sys

import pytest

from gateway.nginx.start import OPEN_FILES, prepare
from gateway.settings import NodeSettings
from portal.embedded.ports import free_port
from tests.gateway.node import is_root, node_folder


@pytest.mark.parametrize("mode", [0o755, 0o777, 0o750, 0o700])
def test_a_folder_that_was_there_is_closed_to_other_users(mode):
    with node_folder() as folder:
        folder.mkdir()
        folder.chmod(mode)
        prepare(NodeSettings(folder=folder, port=free_port()))
        assert folder.stat().st_mode & 0o777 == 0o700
        for inner in folder.iterdir():
            assert inner.stat().st_mode & 0o022 == 0, inner


def limits_after(soft: int, hard: int) -> tuple[int, int]:
    """The limits of open files with which nginx would start in a process that has these."""
    code = (
        "import resource; from gateway.nginx.start import allow_open_files;"
        f"resource.setrlimit(resource.RLIMIT_NOFILE, ({soft}, {hard})); allow_open_files();"
        "print(*resource.getrlimit(resource.RLIMIT_NOFILE))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    first, second = done.stdout.split()
    return int(first), int(second)


def test_the_limit_of_open_files_is_raised_before_nginx_starts():
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    if hard != resource.RLIM_INFINITY and hard < OPEN_FILES:
        pytest.skip("this machine allows fewer files")
    assert limits_after(256, OPEN_FILES)[0] == OPEN_FILES
    raised = (OPEN_FILES, OPEN_FILES)  # for a root that may
    assert limits_after(256, 4096) in ([(4096, 4096), raised] if is_root() else [(4096, 4096)])
