"""The upgrade: what an older version had written, and the agent had not counted, is counted once."""

import shutil

import pytest

from gateway.agent.old_usage_log import OldPosition
from gateway.agent.usage_log import Position, UsageLog, read_position
from tests.gateway.agent.test_meter import Node, line
from tests.gateway.agent.writer import JournalWriter


@pytest.fixture
def log(folder):
    return UsageLog(folder)


def read_all(reader):
    found = b""
    while block := reader.read():
        found += block
    return found


def old_position(path, offset):
    return OldPosition(path.stat().st_ino, offset, path.read_bytes()[:128].decode("latin-1"))


def test_old_files_come_first_in_the_order_of_their_numbers(log, folder):
    (folder / "usage.log.10").write_text("c\n")
    (folder / "usage.log.9").write_text("a\nb\n")
    (folder / "usage.log.old").write_text("not ours\n")
    (folder / "usage.log").write_text("d\ntorn")
    JournalWriter(folder).write("e")
    assert read_all(log.reader(None)) == b"a\nb\nc\nd\ntorn\ne\n"


def test_reading_goes_on_where_the_old_agent_stopped(log, folder):
    (folder / "usage.log.1").write_text("a\nb\n")
    (folder / "usage.log").write_text("c\n")
    JournalWriter(folder).write("d")
    position = old_position(folder / "usage.log.1", 2)
    assert log.unread_bytes(position) == 6
    assert read_all(log.reader(position)) == b"b\nc\nd\n"
    shutil.copy(folder / "usage.log.1", folder / "copy")
    (folder / "usage.log.1").unlink()
    (folder / "copy").rename(folder / "usage.log.1")
    assert read_all(log.reader(position)) == b"b\nc\nd\n"
    assert read_position(position.to_dict()) == position


def test_a_file_that_is_not_the_one_read_before_is_told(log, folder):
    (folder / "usage.log").write_text("a\nb\n")
    reader = log.reader(OldPosition(1, 4, "x\ny\n"))
    assert reader.lost_place
    assert read_all(reader) == b"a\nb\n"


def test_old_files_are_deleted_when_the_checkpoint_is_behind_them(log, folder):
    (folder / "usage.log").write_text("a\n")
    JournalWriter(folder).write("b")
    reader = log.reader(None)
    assert reader.read() == b"a\n"
    log.delete_read(reader.position)
    assert (folder / "usage.log").exists()
    assert reader.read() == b"b\n"
    log.delete_read(reader.position)
    assert not (folder / "usage.log").exists()
    assert isinstance(reader.position, Position)


def test_an_upgrade_counts_every_line_once_through_restarts(folder, problems):
    old = "1763889123.456 s k st op 200 10 20 0.005 - 0.004"  # without flags
    (folder / "usage.log").write_text(f"{old}\n" * 5)
    node = Node(folder, problems)  # before nginx was restarted
    node.meter.step()
    with (folder / "usage.log").open("a") as file:
        file.write(f"{old}\n" * 3)
    node = Node(folder, problems)
    JournalWriter(folder).write(line(), line())
    for _ in range(3):
        node = Node(folder, problems)
        node.meter.step()
    assert node.calls() == 10
    assert not (folder / "usage.log").exists()
    assert problems.names() == set()
