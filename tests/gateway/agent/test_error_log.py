"""nginx's error log never fills the disk."""

import os

from gateway.agent import error_log
from gateway.agent.error_log import ErrorLog
from gateway.agent.problems import Problems


def make(tmp_path, monkeypatch):
    monkeypatch.setattr(error_log, "LARGEST", 1000)
    monkeypatch.setattr(error_log, "KEPT", 100)
    problems = Problems()
    return tmp_path / "error.log", problems, ErrorLog(tmp_path / "error.log", problems)


def test_a_small_log_is_left_alone(tmp_path, monkeypatch):
    path, problems, log = make(tmp_path, monkeypatch)
    assert not log.step()
    path.write_text("x" * 1000)
    assert not log.step()
    assert path.stat().st_size == 1000
    assert os.listdir(tmp_path) == ["error.log"]
    assert problems.names() == set()


def test_a_large_log_is_emptied_and_its_newest_lines_are_kept_beside_it(tmp_path, monkeypatch):
    path, _, log = make(tmp_path, monkeypatch)
    with path.open("ab") as nginx:
        nginx.write(b"".join(b"line %04d\n" % number for number in range(500)))
        nginx.flush()
        assert log.step()
        nginx.write(b"the next\n")
    assert path.read_bytes() == b"the next\n"
    kept = (tmp_path / "error.log.1").read_text().splitlines()
    assert kept == [f"line {number:04}" for number in range(491, 500)]
    assert sorted(os.listdir(tmp_path)) == ["error.log", "error.log.1"]
    assert (tmp_path / "error.log.1").stat().st_mode & 0o777 == 0o600


def test_a_log_that_may_not_be_touched_is_a_problem_until_it_may(tmp_path, monkeypatch):
    path, problems, log = make(tmp_path, monkeypatch)
    path.mkdir()
    assert not log.step()
    assert problems.names() == {"error log"}
    path.rmdir()
    path.write_text("x" * 1001)
    assert log.step()
    assert problems.names() == set()
