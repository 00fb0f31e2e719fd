import asyncio
import time

import pytest

from gateway.agent.control_plane import Unreachable
from gateway.agent.store import EntryStore
from gateway.agent.sync import Sync
from tests.gateway.agent.fakes import entry


class Follower:
    """A sync with its store, and what it announced."""

    def __init__(self, folder, client, problems):
        self.store = EntryStore(folder / "entries.jsonl", problems)
        self.store.load()
        self.heard: list = []
        self.sync = Sync(self.store, client, problems, self.changed, self.replaced)

    async def changed(self, entries):
        self.heard.append([one.key for one in entries])

    async def replaced(self):
        self.heard.append("snapshot")

    def keys(self):
        return [held.key for held in self.store.after(0) if not held.gone]


@pytest.fixture
def follower(folder, client, problems):
    return Follower(folder, client, problems)


async def test_the_first_answer_is_the_snapshot_and_changes_follow(control_plane, follower):
    control_plane.write(entry(1), entry(2))
    await follower.sync.step(wait=0)
    control_plane.write(entry(3), entry(4, key="key1", data=None))
    await follower.sync.step(wait=0)
    assert follower.heard == ["snapshot", ["key3", "key1"]]
    assert follower.keys() == ["key2", "key3"]


async def test_a_long_snapshot_comes_in_pages_and_is_taken_over_at_once(control_plane, follower):
    control_plane.page = 3
    control_plane.write(*(entry(number) for number in range(1, 9)))
    for _ in range(2):
        await follower.sync.step(wait=0)
        assert follower.keys() == []
    await follower.sync.step(wait=0)
    assert len(follower.keys()) == 8
    assert control_plane.entry_asks == [0, 3, 6]


async def test_a_change_is_heard_at_once(control_plane, follower):
    control_plane.write(entry(1))
    await follower.sync.step()
    task = asyncio.create_task(follower.sync.step())
    await asyncio.sleep(0.1)
    started = time.monotonic()
    control_plane.write(entry(2))
    await task
    assert time.monotonic() - started < 0.5
    assert follower.heard[-1] == ["key2"]


async def test_a_restart_goes_on_where_it_was(control_plane, client, folder, problems):
    control_plane.write(entry(1), entry(2))
    await Follower(folder, client, problems).sync.step(wait=0)
    control_plane.write(entry(3))
    again = Follower(folder, client, problems)
    assert again.keys() == ["key1", "key2"]
    await again.sync.step(wait=0)
    assert control_plane.entry_asks == [0, 2]
    assert again.heard == [["key3"]]


async def test_a_bad_entry_is_reported_and_the_old_one_stays(control_plane, follower, problems):
    control_plane.write(entry(1, key="good"), entry(2, key="bad"))
    await follower.sync.step(wait=0)
    control_plane.write(entry(3, key="bad", data=["not", "an", "object"]), entry(4, key="other"))
    await follower.sync.step(wait=0)
    assert follower.keys() == ["good", "bad", "other"]
    assert problems.report_list()[0]["name"] == "refused entry key bad"
    assert "data must be an object" in problems.report_list()[0]["text"]
    control_plane.write(entry(5, key="bad"))
    await follower.sync.step(wait=0)
    assert problems.names() == set()


async def test_a_control_plane_from_a_backup_replaces_everything(control_plane, follower):
    control_plane.write(*(entry(number) for number in range(1, 7)))
    await follower.sync.step(wait=0)
    control_plane.held = [entry(1), entry(2), entry(3, key="new")]
    await follower.sync.step(wait=0)
    assert follower.keys() == ["key1", "key2", "new"]
    assert follower.heard == ["snapshot", "snapshot"]
    control_plane.write(entry(4, key="newer"))
    await follower.sync.step(wait=0)
    assert follower.keys()[-1] == "newer"


async def test_an_empty_control_plane_is_not_believed(control_plane, follower, problems):
    control_plane.write(entry(1))
    await follower.sync.step(wait=0)
    control_plane.held = []
    with pytest.raises(Unreachable):
        await follower.sync.step(wait=0)
    assert follower.keys() == ["key1"]
    assert problems.names() == {"empty snapshot"}
    control_plane.held = [entry(1)]
    await follower.sync.step(wait=0)
    assert problems.names() == set()


async def test_an_empty_control_plane_is_asked_calmly_at_the_beginning(control_plane, follower):
    task = asyncio.create_task(follower.sync.run())
    await asyncio.sleep(0.7)
    task.cancel()
    assert 1 <= len(control_plane.entry_asks) <= 3
