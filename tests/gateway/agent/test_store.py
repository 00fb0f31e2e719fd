import errno
import json
from pathlib import Path

import pytest

from gateway.agent import store as store_module
from gateway.agent.problems import Problems
from gateway.agent.store import EntryStore
from gateway.entries import Entry
from tests.gateway.agent.fakes import entry


def make(folder: Path, problems: Problems) -> EntryStore:
    store = EntryStore(folder / "entries.jsonl", problems)
    store.load()
    return store


def entries(*raw: dict) -> list[Entry]:
    return [Entry.from_dict(one) for one in raw]


def test_what_was_applied_is_there_after_a_restart(folder, problems):
    make(folder, problems).apply(entries(entry(1), entry(2), entry(3, key="key1", data=None)))
    again = make(folder, problems)
    assert again.generation == again.newest() == 3
    assert again.live_count() == 1
    assert again.get("key", "key1") is None
    assert json.loads(again.get("key", "key2").line) == entry(2)


def test_a_torn_last_line_is_cut_off_and_the_next_line_is_whole(folder, problems):
    make(folder, problems).apply(entries(entry(1), entry(2)))
    path = folder / "entries.jsonl"
    path.write_bytes(path.read_bytes()[:-20])
    store = make(folder, problems)
    assert store.generation == 1
    store.apply(entries(entry(3)))
    assert [held.generation for held in make(folder, problems).after(0)] == [1, 3]
    assert not problems.names()


def test_a_bad_line_in_the_middle_makes_the_agent_fetch_everything_again(folder, problems):
    make(folder, problems).apply(entries(entry(1), entry(2)))
    path = folder / "entries.jsonl"
    path.write_bytes(b"\x00\x00{\n" + path.read_bytes())
    store = make(folder, problems)
    assert (store.generation, store.live_count()) == (0, 2)
    assert problems.names() == {"store"}


def test_older_and_equal_generations_are_no_news(folder, problems):
    store = make(folder, problems)
    store.apply(entries(entry(5, key="a"), entry(6, key="b")))
    assert store.apply(entries(entry(4, key="a"), entry(6, key="b"))) == []
    assert [held.key for held in store.after(0)] == ["a", "b"]


def test_after_returns_changes_oldest_first_with_tombstones(folder, problems):
    store = make(folder, problems)
    store.apply(entries(entry(1, key="a"), entry(2, key="b"), entry(3, key="c")))
    store.apply(entries(entry(4, key="a", data=None)))
    assert [(held.key, held.gone) for held in store.after(2)] == [("c", False), ("a", True)]


def test_a_snapshot_turns_what_it_does_not_have_into_tombstones(folder, problems):
    store = make(folder, problems)
    store.apply(entries(entry(1, key="a"), entry(2, key="b")))
    store.replace(entries(entry(2, key="b"), entry(7, key="c")), 8)
    assert [(held.key, held.generation, held.gone) for held in make(folder, problems).after(0)] == [
        ("b", 2, False),
        ("c", 7, False),
        ("a", 8, True),
    ]


def test_compaction_drops_history_and_the_tombstones_that_nginx_has(folder, problems, monkeypatch):
    monkeypatch.setattr(store_module, "COMPACTION_SLACK_LINES", 3)
    store = make(folder, problems)
    for generation in range(1, 9):
        store.apply(entries(entry(generation, key="a")))
    store.apply(entries(entry(9, key="b"), entry(10, key="b", data=None)))
    store.apply(entries(entry(11, key="c"), entry(12, key="c", data=None), entry(13, key="d")))
    assert store.wants_compaction()
    store.compact(nginx_has=10)
    assert not store.wants_compaction()
    assert [held.key for held in make(folder, problems).after(0)] == ["a", "c", "d"]


def test_a_full_disk_does_not_stop_a_change_and_is_made_good_later(folder, problems, monkeypatch):
    store = make(folder, problems)
    store.apply(entries(entry(1)))

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as broken:
        broken.setattr(store_module.os, "fsync", full)
        assert store.apply(entries(entry(2)))
        assert problems.names() == {"disk"}
        assert store.get("key", "key2")
        assert make(folder, Problems()).generation == 1, "no half line stays behind"
    store.apply(entries(entry(3)))
    assert problems.names() == set()
    assert [held.generation for held in make(folder, problems).after(0)] == [1, 2, 3]


@pytest.mark.parametrize("rest", [b"", b"{", b'{"kind":"key"', b"\xff\xfe"])
def test_any_rest_of_a_line_is_ignored(folder, problems, rest):
    make(folder, problems).apply(entries(entry(1)))
    with (folder / "entries.jsonl").open("ab") as file:
        file.write(rest)
    assert make(folder, problems).generation == 1


def test_nobody_else_may_read_the_entries_for_they_hold_private_keys(folder, problems):
    path = folder / "entries.jsonl"
    path.touch(mode=0o644)
    store = make(folder, problems)
    store.apply(entries(entry(1)))
    assert path.stat().st_mode & 0o777 == 0o600
    path.chmod(0o644)
    store.compact(nginx_has=1)
    assert path.stat().st_mode & 0o777 == 0o600
