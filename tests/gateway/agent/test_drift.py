"""The comparison of a node's entries with the control plane's, and the cure."""

import json

import pytest

from gateway.agent import push as push_module
from gateway.agent.drift import Drift, digest
from gateway.agent.push import Pusher
from gateway.agent.store import EntryStore
from gateway.agent.sync import Sync
from gateway.entries import Entry
from tests.gateway.agent.fakes import entry


class Node:
    """Store, sync and comparison of one node, without nginx."""

    def __init__(self, folder, client, problems):
        self.store = EntryStore(folder / "entries.jsonl", problems)
        self.store.load()
        self.snapshots = 0
        self.sync = Sync(self.store, client, problems, self.changed, self.replaced)
        self.drift = Drift(
            self.store, client, problems, generation=self.sync.generation, start_over=self.sync.start_over
        )

    async def changed(self, entries):
        pass

    async def replaced(self):
        self.snapshots += 1


@pytest.fixture
def node(folder, client, problems):
    return Node(folder, client, problems)


async def test_equal_entries_are_left_alone(control_plane, node, problems):
    control_plane.write(entry(1), entry(2), entry(3, key="key1", data=None))
    await node.sync.step(wait=0)
    await node.drift.compare()
    await node.sync.step(wait=0)
    assert (node.snapshots, problems.names()) == (1, set())


@pytest.mark.parametrize("harm", ["lost", "older", "left over"])
async def test_a_node_that_differs_fetches_everything_again(control_plane, node, problems, harm):
    control_plane.write(entry(1), entry(2), entry(3))
    await node.sync.step(wait=0)
    if harm == "lost":
        del node.store._held["key", "key2"]
    elif harm == "older":
        node.store._held["key", "key2"] = node.store._held["key", "key2"]._replace(generation=1)
    else:
        control_plane.held = [one for one in control_plane.held if one["key"] != "key2"]
    await node.drift.compare()
    assert problems.names() == {"drift"}
    await node.sync.step(wait=0)
    await node.drift.compare()
    assert (node.snapshots, problems.names()) == (2, set())


async def test_nothing_is_compared_while_a_change_is_on_its_way(control_plane, node, problems):
    control_plane.write(entry(1))
    await node.sync.step(wait=0)
    control_plane.write(entry(2))
    await node.drift.compare()
    assert problems.names() == set()


async def test_a_control_plane_that_cannot_tell_is_not_a_drift(control_plane, node, problems):
    control_plane.write(entry(1))
    await node.sync.step(wait=0)
    control_plane.mood = 404
    await node.drift.compare()
    assert "drift" not in problems.names()


def test_the_digest_does_not_depend_on_the_order():
    rows = [("key", "a", 1), ("stage", "b", 2)]
    assert digest(rows) == digest(rows[::-1]) != digest([("key", "a", 2), ("stage", "b", 1)])


async def test_an_nginx_with_other_entries_than_the_store_is_filled_anew(nginx, folder, socket, problems):
    store = EntryStore(folder / "entries.jsonl", problems)
    pusher = Pusher(store, socket, problems)
    store.apply([Entry.from_dict(entry(number)) for number in (1, 2, 3)])
    await pusher.check()
    del nginx.entries["key", "key2"]
    nginx.entries["key", "stray"] = entry(2, key="stray")
    nginx.entries["key", "other"] = entry(2, key="other")
    for _ in range(push_module.UNLIKE_LIMIT):
        await pusher.check()
    assert nginx.live() == {"key1", "key2", "key3"}
    await pusher.check()
    assert pusher.generation() == 3


async def test_a_control_plane_that_was_restored_is_followed_back(nginx, folder, socket, problems):
    store = EntryStore(folder / "entries.jsonl", problems)
    pusher = Pusher(store, socket, problems)
    store.apply([Entry.from_dict(entry(number)) for number in (7, 8, 9)])
    await pusher.check()
    store.replace([Entry.from_dict(entry(4, key="key7")), Entry.from_dict(entry(5, key="key8"))], 5)
    await pusher.push_all()
    assert nginx.live() == {"key7", "key8"}
    assert json.dumps(nginx.entries["key", "key7"]) == json.dumps(entry(4, key="key7"))
    assert (pusher.generation(), problems.names()) == (5, set())
