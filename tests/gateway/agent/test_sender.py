import asyncio

import pytest

from gateway.agent.control_plane import Unreachable
from gateway.agent.sender import Sender
from gateway.agent.spool import Spool
from gateway.agent.usage_log import Position
from gateway.batches import Row
from tests.gateway.agent.fakes import eventually

ROW = Row(1763889120, "s", "k", "st", "op", 2, "", 1, 2, 3, 4, 5, [1])


@pytest.fixture
def spool(folder):
    made = Spool(folder / "spool")
    made.open()
    return made


@pytest.fixture
def sender(spool, client, problems):
    return Sender(spool, client, problems)


def add(spool, count=1):
    for _ in range(count):
        spool.add([ROW], 0, Position("j", spool.sequence + 1), generation=1)


async def test_batches_go_oldest_first_and_leave_the_spool(control_plane, spool, sender):
    add(spool, 3)
    assert await sender.send_all() == 3
    assert [sequence for _, sequence in control_plane.batches] == [1, 2, 3]
    assert spool.pending() == []


async def test_a_batch_that_came_already_leaves_the_spool_too(control_plane, spool, sender):
    add(spool)
    place = next((spool._folder).glob("*.batch"))
    content = place.read_bytes()
    await sender.send_all()
    place.write_bytes(content)
    await sender.send_all()
    assert (control_plane.repeats, control_plane.calls(), spool.pending()) == (1, 1, [])


@pytest.mark.parametrize("mood", [500, 503, 401, 404])
async def test_nothing_leaves_the_spool_without_an_answer(control_plane, spool, sender, mood):
    control_plane.mood = mood
    add(spool)
    with pytest.raises(Unreachable):
        await sender.send_all()
    assert spool.pending() == [1]


async def test_a_rejected_batch_is_put_aside_and_the_next_ones_go(control_plane, spool, sender, problems):
    add(spool, 1)
    control_plane.refuse_usage = True
    await sender.send_all()
    control_plane.refuse_usage = False
    add(spool, 1)
    await sender.send_all()
    assert [sequence for _, sequence in control_plane.batches] == [2]
    assert spool.rejected_count() == 1
    assert problems.names() == {"rejected batches"}


async def test_counts_arrive_soon_after_the_control_plane_is_back(control_plane, spool, sender):
    await control_plane.stop()
    add(spool, 2)
    task = asyncio.create_task(sender.run())
    await asyncio.sleep(1)
    await control_plane.start()
    await eventually(lambda: control_plane.calls() == 2, seconds=4)
    add(spool)
    sender.wake()
    await eventually(lambda: control_plane.calls() == 3, seconds=1)
    task.cancel()
