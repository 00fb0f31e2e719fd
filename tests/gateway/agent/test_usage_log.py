import os

import pytest

from gateway.agent.usage_log import BLOCK_BYTES, Position, UsageLog, read_position
from gateway.journal import NotAJournalError
from tests.gateway.agent.writer import JournalWriter


@pytest.fixture
def log(folder):
    return UsageLog(folder)


@pytest.fixture
def writer(folder):
    return JournalWriter(folder)


def read_all(reader):
    found = b""
    while block := reader.read():
        found += block
    return found


def numbered(count, start=0):
    return [f"line {number:09} {'x' * (number % 50)}" for number in range(start, start + count)]


def text(lines):
    return "".join(line + "\n" for line in lines).encode()


def test_no_journal_is_no_line(log):
    reader = log.reader(None)
    assert reader.read() == b""
    assert reader.position is None
    assert log.unread_bytes(None) == 0


def test_an_empty_journal_is_no_line(log, writer):
    reader = log.reader(None)
    assert reader.read() == b""
    assert reader.position == Position(writer.journal.head().id, 0)


def test_only_committed_lines_are_read_and_each_once(log, writer):
    writer.write("one", "two")
    with writer.journal.path(0).open("r+b") as file:
        file.seek(8)
        file.write(b"three, whose writer was kil")
    first = log.reader(None)
    assert read_all(first) == b"one\ntwo\n"
    writer.write("four", "five")
    assert read_all(log.reader(first.position)) == b"four\nfive\n"


def test_many_lines_come_in_blocks_and_over_many_files(log, writer):
    lines = numbered(20_000)
    writer.write(*lines)
    assert len(writer.journal.numbers()) > 2
    reader = log.reader(None)
    assert len(reader.read()) <= BLOCK_BYTES
    assert read_all(log.reader(None)) == text(lines)


def test_reading_and_writing_in_turn_crosses_the_ends_of_files(log, writer):
    found, position = b"", None
    for turn in range(40):
        writer.write(*numbered(700, turn * 700))
        reader = log.reader(position)
        found += read_all(reader)
        position = reader.position
        log.delete_read(position)
    assert found == text(numbered(28_000))
    assert len(writer.journal.numbers()) == 1


def test_a_file_is_deleted_only_when_all_of_it_is_counted(log, writer):
    writer.write(*numbered(9_000))
    reader = log.reader(None)
    reader.read()
    before = writer.journal.numbers()
    log.delete_read(reader.position)
    assert writer.journal.numbers() == before
    read_all(reader)
    log.delete_read(reader.position)
    assert writer.journal.numbers() == before[-1:]
    writer.write("next")
    assert read_all(log.reader(reader.position)) == b"next\n"


def test_a_deleted_file_loses_its_lines_and_is_told(log, writer):
    writer.write(*numbered(9_000))
    writer.journal.path(0).unlink()
    reader = log.reader(Position(writer.journal.head().id, 0))
    found = read_all(reader)
    assert reader.lost_place
    assert found.endswith(text(numbered(9_000)[-1:]))


@pytest.mark.parametrize("refilled", [True, False])
def test_lines_that_somebody_cut_off_are_told(log, writer, refilled):
    writer.write(*numbered(9_000))
    path = writer.journal.path(0)
    size = path.stat().st_size
    os.truncate(path, 1_000)
    if refilled:
        os.truncate(path, size)
    reader = log.reader(Position(writer.journal.head().id, 0))
    found = read_all(reader)
    assert reader.lost_place
    assert found.startswith(text(numbered(10)))
    assert found.endswith(text(numbered(9_000)[-1:]))
    assert not log.reader(reader.position).lost_place


@pytest.mark.parametrize("refilled", [True, False])
def test_lines_behind_the_end_of_a_file_that_was_cut_short_are_waited_for(log, writer, refilled):
    """Workers write them into a page that the file does not have; it gets them when it gets its room back."""
    writer.write(*numbered(100))
    path = writer.journal.path(0)
    whole = path.read_bytes()
    os.truncate(path, 1_000)
    if refilled:
        os.truncate(path, len(whole))
    reader = log.reader(Position(writer.journal.head().id, 0))
    found = read_all(reader)
    path.write_bytes(whole)
    later = log.reader(reader.position)
    assert found + read_all(later) == text(numbered(100))
    assert not reader.lost_place


def test_without_a_checkpoint_reading_starts_at_the_oldest_file(log, writer):
    writer.write(*numbered(9_000))
    writer.journal.path(0).unlink()
    reader = log.reader(None)
    assert read_all(reader).endswith(text(numbered(9_000)[-1:]))
    assert not reader.lost_place


def test_another_journal_is_read_from_its_start_and_told(log, writer):
    writer.write("a", "b")
    reader = log.reader(Position("of another", 4))
    assert reader.lost_place
    assert read_all(reader) == b"a\nb\n"


def test_a_journal_from_an_older_copy_is_not_counted_twice(log, writer):
    writer.write("a", "b")
    reader = log.reader(Position(writer.journal.head().id, 400))
    assert reader.lost_place
    assert reader.read() == b""
    writer.write("c")
    assert read_all(log.reader(reader.position)) == b"c\n"


def test_bytes_without_an_end_are_given_up_as_garbage(log, writer):
    writer.write("x" * (BLOCK_BYTES + 10), "good")
    found = read_all(log.reader(None)).split(b"\n")
    assert found[-2:] == [b"good", b""]
    assert len(found) == 4


def test_unread_bytes_are_counted(log, writer):
    writer.write("a", "b")
    reader = log.reader(None)
    assert log.unread_bytes(None) == 4
    read_all(reader)
    writer.write("ccc")
    assert log.unread_bytes(reader.position) == 4


def test_a_foreign_file_in_its_place_is_refused(log, folder):
    (folder / "journal").mkdir()
    (folder / "journal" / "state").write_bytes(b"something else" * 100)
    with pytest.raises(NotAJournalError, match="move"):
        log.reader(None)


def test_a_position_is_the_same_after_json():
    position = Position("journal", 2)
    assert read_position(position.to_dict()) == position
    assert read_position(None) is None
