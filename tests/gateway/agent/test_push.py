import pytest

from gateway.agent import push as push_module
from gateway.agent.push import Pusher
from gateway.agent.store import EntryStore
from gateway.entries import Entry
from tests.gateway.agent.fakes import entry


@pytest.fixture
def store(folder, problems):
    return EntryStore(folder / "entries.jsonl", problems)


@pytest.fixture
def starts():
    return []


@pytest.fixture
def pusher(store, socket, problems, starts):
    return Pusher(store, socket, problems, lambda: starts.append(1))


def add(store, *raw):
    store.apply([Entry.from_dict(one) for one in raw])


async def test_changes_are_pushed_at_once_and_once(nginx, store, pusher):
    await pusher.check()
    add(store, entry(1), entry(2))
    await pusher.push_changes()
    await pusher.push_changes()
    await pusher.check()
    assert nginx.live() == {"key1", "key2"}
    assert nginx.pushes == [2]
    assert pusher.generation() == 2


async def test_a_restarted_nginx_gets_everything_again(nginx, store, pusher, starts):
    add(store, entry(1), entry(2), entry(3, key="key1", data=None))
    await pusher.check()
    await nginx.restart()
    await pusher.check()
    assert nginx.live() == {"key2"}
    assert len(starts) == 2


async def test_an_nginx_that_read_the_file_itself_gets_only_what_is_missing(nginx, store, pusher):
    add(store, entry(1), entry(2))
    nginx.entries = {("key", f"key{number}"): entry(number) for number in (1, 2)}
    nginx.generation = 2
    await pusher.check()
    assert nginx.pushes == []


async def test_an_nginx_with_the_right_generation_but_holes_gets_everything(nginx, store, pusher):
    add(store, entry(1), entry(2))
    nginx.entries, nginx.generation = {("key", "key2"): entry(2)}, 2
    await pusher.check()
    assert nginx.live() == {"key1", "key2"}


async def test_nginx_away_is_a_problem_until_it_is_back(nginx, store, pusher, problems):
    await nginx.stop()
    add(store, entry(1))
    await pusher.check()
    assert problems.names() == {"nginx"}
    assert pusher.generation() == 0
    await nginx.restart()
    await pusher.check()
    assert problems.names() == set()
    assert nginx.live() == {"key1"}


async def test_many_entries_go_in_pieces(nginx, store, pusher, monkeypatch):
    monkeypatch.setattr(push_module, "PUSH_LINES", 3)
    add(store, *(entry(number) for number in range(1, 9)))
    await pusher.check()
    assert nginx.pushes == [3, 3, 2]
    assert len(nginx.live()) == 8


async def test_a_bad_entry_is_reported_and_the_others_get_through(nginx, store, pusher, problems):
    nginx.bad = {"key2"}
    add(store, *(entry(number) for number in range(1, 5)))
    await pusher.check()
    assert nginx.live() == {"key1", "key3", "key4"}
    assert problems.names() == {"bad entry key key2"}
    assert "data is wrong" in problems.report_list()[0]["text"]


async def test_full_memory_holds_the_generation_back_but_lets_revocations_through(
    nginx, store, pusher, problems, monkeypatch
):
    add(store, entry(1, key="revoked"), entry(2, key="switched off"))
    await pusher.check()
    nginx.room = 2
    add(store, *(entry(number) for number in range(3, 9)))
    add(
        store,
        entry(9, key="revoked", data=None),
        entry(10, key="switched off", data={"id": "k", "active": False, "subscriptions": []}),
    )
    await pusher.push_changes()
    assert nginx.entries["key", "revoked"]["data"] is None
    assert nginx.entries["key", "switched off"]["data"]["active"] is False
    assert problems.names() == {"memory"}
    assert pusher.generation() == 2, "generation 3 found no room"
    monkeypatch.setattr(push_module, "RETRY_SECONDS", 0)
    nginx.room = 100
    await pusher.check()
    assert len(nginx.live()) == 7
    assert pusher.generation() == 10
    assert problems.names() == set()


async def test_a_gone_entry_that_found_no_room_is_not_tried_for_ever(nginx, store, pusher, monkeypatch):
    monkeypatch.setattr(push_module, "RETRY_SECONDS", 0)
    nginx.room = 1
    add(store, entry(1), entry(2))
    await pusher.check()
    assert pusher.generation() == 1
    nginx.room = 2
    add(store, entry(3, key="key2", data=None))
    await pusher.check()
    assert pusher.generation() == 3


async def test_an_empty_store_still_tells_nginx_that_it_is_complete(nginx, store, pusher):
    await pusher.check()
    await pusher.push_all()
    assert nginx.pushes == [0]


async def test_a_corrected_entry_is_no_problem_any_more(nginx, store, pusher, problems):
    nginx.bad = {"key1"}
    add(store, entry(1))
    await pusher.check()
    assert problems.names() == {"bad entry key key1"}
    nginx.bad = set()
    add(store, entry(2, key="key1"))
    await pusher.push_changes()
    assert problems.names() == set()
