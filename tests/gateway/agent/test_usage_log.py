import shutil

import pytest

from gateway.agent.usage_log import BLOCK_BYTES, Position, UsageLog


@pytest.fixture
def log(folder):
    return UsageLog(folder)


def append(path, text):
    with path.open("ab") as file:
        file.write(text.encode())


def read_all(reader):
    found = b""
    while block := reader.read():
        found += block
    return found


def test_no_file_is_no_line(log):
    reader = log.reader(None)
    assert reader.read() == b""
    assert reader.position is None


def test_only_whole_lines_are_read_and_each_once(log):
    append(log.current, "one\ntwo\nthr")
    first = log.reader(None)
    assert read_all(first) == b"one\ntwo\n"
    append(log.current, "ee\nfour\n")
    assert read_all(log.reader(first.position)) == b"three\nfour\n"


def test_a_large_file_comes_in_blocks(log):
    lines = "".join(f"line {number:09}\n" for number in range(20_000))
    append(log.current, lines)
    reader = log.reader(None)
    assert len(reader.read()) <= BLOCK_BYTES
    assert read_all(log.reader(None)).decode() == lines


def test_a_block_without_an_end_is_given_up_as_garbage(log):
    append(log.current, "x" * (BLOCK_BYTES + 10) + "\ngood\n")
    found = read_all(log.reader(None)).split(b"\n")
    assert found[-2:] == [b"good", b""]
    assert len(found) == 4


def test_rotated_files_come_first_in_the_order_of_their_numbers(log, folder):
    append(folder / "usage.log.10", "c\n")
    append(folder / "usage.log.9", "a\nb\n")
    append(folder / "usage.log.old", "not ours\n")
    append(log.current, "d\n")
    assert read_all(log.reader(None, lambda path: True)) == b"a\nb\nc\nd\n"
    assert log.next_name().name == "usage.log.11"


def test_an_unfinished_rotated_file_is_not_left(log, folder):
    append(folder / "usage.log.1", "a\n")
    append(log.current, "c\n")
    reader = log.reader(None, lambda path: False)
    assert read_all(reader) == b"a\n"
    append(folder / "usage.log.1", "b\n")
    assert read_all(log.reader(reader.position, lambda path: True)) == b"b\nc\n"


def test_a_torn_end_of_a_finished_file_is_handed_over_too(log, folder):
    append(folder / "usage.log.1", "a\ntorn")
    append(log.current, "b\n")
    assert read_all(log.reader(None, lambda path: True)) == b"a\ntorn\nb\n"


def test_the_place_is_found_after_a_rename_and_after_a_copy_to_another_disk(log, folder):
    append(log.current, "a\nb\n")
    reader = log.reader(None)
    read_all(reader)
    log.current.rename(folder / "usage.log.1")
    append(folder / "usage.log.1", "c\n")
    assert read_all(log.reader(reader.position)) == b"c\n"
    shutil.copy(folder / "usage.log.1", folder / "copy")
    (folder / "usage.log.1").unlink()
    (folder / "copy").rename(log.current)
    assert read_all(log.reader(reader.position)) == b"c\n"


def test_another_file_with_the_same_inode_is_not_mistaken_for_the_old_one(log):
    append(log.current, "a\nb\n")
    inode = log.current.stat().st_ino
    stale = Position(inode, 4, "x\ny\n")
    reader = log.reader(stale)
    assert reader.lost_place
    assert read_all(reader) == b"a\nb\n"


def test_unread_bytes_are_counted_over_all_files(log, folder):
    append(folder / "usage.log.1", "a\nb\n")
    reader = log.reader(None)
    reader.read()
    append(log.current, "c\n")
    append(folder / "usage.log.1", "d\n")
    assert log.unread_bytes(reader.position) == 4
    assert log.unread_bytes(None) == 8


def test_a_position_is_the_same_after_json():
    position = Position(1, 2, "first \xff")
    assert Position.from_dict(position.to_dict()) == position
    assert Position.from_dict(None) is None
