"""One command runs everything, and leaves nothing behind."""

import os
import shutil
import signal
import stat
from collections.abc import Iterator

import pytest
import requests

from tests.scenarios.running import Running, descendants, eventually

SERVICES = ("postgres", "valkey", "web", "worker", "beat", "httpbin", "gate", "agent", "runtime")


@pytest.fixture(scope="module")
def own() -> Iterator[Running]:
    """A copy that runs, to be stopped and started again."""
    copy = Running()
    try:
        yield copy.start()
    finally:
        if copy.process.poll() is None:
            copy.stop()
        shutil.rmtree(copy.var, ignore_errors=True)


def alive(pids: list[int]) -> list[int]:
    """Return the pids that still run (a zombie waiting to be reaped does not)."""
    found = []
    for pid in pids:
        try:
            with open(f"/proc/{pid}/stat") as file:
                state = file.read().rpartition(")")[2].split()[0]
        except (FileNotFoundError, ProcessLookupError):
            continue
        if state != "Z":
            found.append(pid)
    return found


def test_it_stops_within_ten_seconds_and_finds_its_data_again(own: Running) -> None:
    first = own.facts
    pids = descendants(own.process.pid)
    assert own.stop() < 10
    assert own.process.returncode == 0
    assert alive(pids) == []
    assert not (own.var / "ready.json").exists()

    own.start()
    assert own.facts["admin"] == first["admin"]
    assert own.facts["api_key"] == first["api_key"]
    assert own.call("/httpbin/v1/get", own.facts["api_key"]).status_code == 200
    assert [api["slug"] for api in own.rest("GET", "apis")["results"]] == ["httpbin"]


def test_kill_9_of_the_supervisor_leaves_nothing_behind_and_it_starts_again(own: Running) -> None:
    pids = descendants(own.process.pid)
    os.kill(own.pid("httpbin"), signal.SIGSTOP)  # one that hangs does not hear that it shall stop
    own.process.kill()
    own.process.wait()
    eventually(lambda: not alive(pids), 15, lambda: f"still there: {alive(pids)}")
    own.start()
    assert own.call("/httpbin/v1/get", own.facts["api_key"]).status_code == 200


def test_a_process_that_crashes_is_started_again_and_the_others_run_on(running: Running) -> None:
    before = {name: running.pid(name) for name in SERVICES}
    for name in ("web", "worker", "agent", "runtime", "httpbin"):
        os.kill(before[name], signal.SIGKILL)
    for name in ("web", "worker", "agent", "runtime", "httpbin"):
        eventually(lambda: _restarted(running, name, before[name]), 20)  # noqa: B023 -- called at once
    assert running.pid("postgres") == before["postgres"]
    assert running.pid("gate") == before["gate"]
    eventually(lambda: _answers(running.facts["portal"] + "/healthz"), 20)
    eventually(lambda: running.call("/httpbin/v1/get", running.facts["api_key"]).status_code == 200, 20)


def test_the_facts_are_for_their_owner_only(running: Running) -> None:
    mode = (running.var / "ready.json").stat().st_mode
    assert stat.S_IMODE(mode) == 0o600


def test_a_second_copy_on_the_same_folder_is_refused(running: Running) -> None:
    other = Running(var=running.var)
    other.log = running.var / "second.log"
    facts = (running.var / "ready.json").read_text()
    with pytest.raises(AssertionError, match="another copy runs"):
        other.start()
    assert other.process.returncode == 1
    assert (running.var / "ready.json").read_text() == facts


def _restarted(running: Running, name: str, before: int) -> bool:
    try:
        return running.pid(name) != before
    except LookupError:
        return False


def _answers(url: str) -> bool:
    try:
        return requests.get(url, timeout=2).status_code == 200
    except requests.RequestException:
        return False
