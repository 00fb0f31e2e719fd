import os
import signal
import subprocess
import sys

import pytest

from gateway.agent import rotation as rotation_module
from gateway.agent.meter import Meter
from gateway.agent.nginx import is_held_open, running_pid
from gateway.agent.problems import Problems
from gateway.agent.rotation import Rotation
from gateway.agent.spool import Spool
from gateway.agent.usage_log import UsageLog

LINE = "1763889123.456 s k st op 200 1 1 0.001 - 0.001\n"


class Writer:
    """nginx's part: keeps its file open until it is told to reopen."""

    def __init__(self, folder):
        self.log = UsageLog(folder)
        self.count = 0
        self.file = None
        self.signals = 0
        self.reopen()

    def reopen(self):
        if self.file is not None:
            self.file.close()
        self.file = self.log.current.open("ab", buffering=0)

    def told(self, pid_file):
        self.signals += 1
        self.reopen()
        return True

    def write(self, lines=5):
        for _ in range(lines):
            self.file.write(LINE.encode())
            self.count += 1


@pytest.fixture
def writer(folder, monkeypatch):
    made = Writer(folder)
    monkeypatch.setattr(rotation_module, "reopen_logs", made.told)
    # the writer lives in this process, which the real look leaves out
    monkeypatch.setattr(
        rotation_module,
        "is_held_open",
        lambda path: os.fstat(made.file.fileno()).st_ino == path.stat().st_ino,
    )
    monkeypatch.setattr(rotation_module, "REOPEN_AGAIN_SECONDS", 0)
    yield made
    made.file.close()


def fresh_meter(folder, limit=300):
    """As after a start of the agent."""
    log = UsageLog(folder)
    spool = Spool(folder / "spool")
    spool.open()
    return Meter(log, spool, Rotation(log, folder / "nginx.pid", limit), Problems()), spool


def counted(folder):
    import json

    _, spool = fresh_meter(folder)
    return sum(row["calls"] for n in spool.pending() for row in json.loads(spool.body(n))["rows"])


def test_a_large_log_is_renamed_reopened_read_to_its_end_and_deleted(folder, writer):
    meter, _ = fresh_meter(folder)
    for _ in range(10):
        writer.write()
        meter.step()
    meter.step()
    assert writer.signals > 1
    assert UsageLog(folder).rotated() == []
    assert counted(folder) == writer.count == 50


def test_lines_written_between_rename_and_reopen_are_not_lost(folder, writer, monkeypatch):
    monkeypatch.setattr(rotation_module, "reopen_logs", lambda pid_file: True)  # the signal is late
    meter, _ = fresh_meter(folder)
    writer.write(10)
    meter.step()
    assert not UsageLog(folder).current.exists()
    writer.write(7)
    meter.step()
    assert counted(folder) == 17
    writer.reopen()
    writer.write(3)
    meter.step()
    meter.step()
    assert UsageLog(folder).rotated() == []
    assert counted(folder) == writer.count == 20


STEPS = ("rename", "reopen_logs", "add", "move_on", "unlink", "_save")


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("step", STEPS)
def test_a_kill_at_any_step_neither_loses_nor_doubles_a_line(folder, writer, monkeypatch, step, when):
    class Killed(BaseException):
        pass

    owner = {
        "rename": rotation_module.Path,
        "unlink": rotation_module.Path,
        "reopen_logs": rotation_module,
    }.get(step, Spool)
    real = getattr(owner, step)
    armed = []

    def deadly(*args, **kwargs):
        if armed and when == "before":
            raise Killed
        result = real(*args, **kwargs)
        if armed:
            raise Killed
        return result

    monkeypatch.setattr(owner, step, deadly)
    kills = 0
    for round_number in range(12):
        writer.write(8)
        if round_number % 3 == 0:  # all is read before the file is rotated
            fresh_meter(folder, limit=10**6)[0].step()
        meter, _ = fresh_meter(folder)
        if round_number % 2:
            armed.append(1)
        try:
            for _ in range(3):
                meter.step()
        except Killed:
            kills += 1
        armed.clear()
    meter, _ = fresh_meter(folder)
    for _ in range(4):
        meter.step()
    assert kills, "this step was never reached"
    assert counted(folder) == writer.count
    assert len(UsageLog(folder).rotated()) <= 1


def test_a_stopped_nginx_keeps_the_old_file_until_it_starts(folder, writer, monkeypatch):
    monkeypatch.setattr(rotation_module, "reopen_logs", lambda pid_file: False)
    meter, _ = fresh_meter(folder)
    writer.write(10)
    for _ in range(3):
        meter.step()
    assert len(UsageLog(folder).rotated()) == 1
    writer.reopen()
    meter.step()
    assert UsageLog(folder).rotated() == []
    assert counted(folder) == 10


def test_who_holds_a_file_open_is_seen(folder):
    path = folder / "file"
    path.touch()
    assert is_held_open(path) is False
    holder = subprocess.Popen(
        [sys.executable, "-c", f"f=open({str(path)!r},'a');print(1,flush=True);input()"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    holder.stdout.readline()
    assert is_held_open(path) is True
    holder.communicate(b"\n")
    assert is_held_open(path) is False


def test_where_nobody_can_look_a_file_is_finished_after_a_rest(folder, monkeypatch):
    log = UsageLog(folder)
    log.current.touch()
    old = folder / "usage.log.1"
    old.write_text(LINE)
    monkeypatch.setattr(rotation_module, "is_held_open", lambda path: None)
    monkeypatch.setattr(rotation_module, "GRACE_SECONDS", 0.05)
    rotation = Rotation(log, folder / "nginx.pid", 10**6)
    assert not rotation.is_finished(old)
    old.write_text(LINE * 2)
    import time

    time.sleep(0.1)
    assert not rotation.is_finished(old), "it grew"
    time.sleep(0.1)
    assert rotation.is_finished(old)


def test_a_foreign_process_behind_a_left_over_pid_file_is_never_signalled(folder):
    stranger = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    (folder / "nginx.pid").write_text(f"{stranger.pid}\n")
    assert running_pid(folder / "nginx.pid") is None
    from gateway.agent.nginx import reopen_logs

    assert reopen_logs(folder / "nginx.pid") is False
    assert stranger.poll() is None
    stranger.send_signal(signal.SIGKILL)
    stranger.communicate()
