import asyncio
import time

import aiohttp
import pytest
from aiohttp import web

from gateway.agent import leases as leases_module
from gateway.agent.control_plane import Unreachable
from gateway.agent.leases import Leases, application


@pytest.fixture
def leases(client):
    return Leases(client)


async def test_a_grant_comes_from_the_control_plane(control_plane, leases):
    grant = await leases.ask("s1", 0)
    assert (grant["granted"], grant["slice"], grant["left"]) == (50, 50, 950)
    assert control_plane.asks[0]["offline_spent"] == 0


async def test_no_quota_is_told(leases):
    assert await leases.ask("free", 0) is None


async def test_concurrent_asks_become_one_and_no_unit_is_given_twice(control_plane, leases):
    control_plane.lease_delay = 0.1
    grants = await asyncio.gather(*(leases.ask("s1", 0) for _ in range(7)))
    assert len(control_plane.asks) == 1
    assert sum(grant["granted"] for grant in grants) == 50
    assert all(grant["granted"] > 0 for grant in grants)


async def test_more_askers_than_units_ask_on_until_the_window_is_spent(control_plane, leases):
    control_plane.left, control_plane.lease_delay = 3, 0.05
    grants = await asyncio.gather(*(leases.ask("s1", 0) for _ in range(8)))
    assert sum(grant["granted"] for grant in grants) == 3
    assert control_plane.left == 0


async def test_demand_raises_what_is_asked_for(control_plane, leases):
    for _ in range(4):
        await leases.ask("s1", 0)
    assert [ask["want"] for ask in control_plane.asks] == [50, 100, 200, 400]


async def test_an_outage_is_told_within_the_time(control_plane, leases):
    control_plane.mood = "hang"
    started = time.monotonic()
    with pytest.raises(Unreachable):
        await leases.ask("s1", 0)
    assert 1.4 < time.monotonic() - started < 1.8


async def test_units_that_come_too_late_are_for_the_next_asker(control_plane, leases, monkeypatch):
    monkeypatch.setattr(leases_module, "ANSWER_SECONDS", 0.1)
    control_plane.lease_delay = 0.3
    with pytest.raises(Unreachable):
        await leases.ask("s1", 4)
    await asyncio.sleep(0.4)
    grant = await leases.ask("s1", 4)
    assert grant["granted"] == 50
    assert len(control_plane.asks) == 1, "the four offline calls are not counted again"
    assert control_plane.left == 1_000 - 4 - 50


async def test_offline_calls_beyond_the_booked_ones_are_reported(control_plane, leases, monkeypatch):
    monkeypatch.setattr(leases_module, "ANSWER_SECONDS", 0.1)
    control_plane.lease_delay = 0.3
    with pytest.raises(Unreachable):
        await leases.ask("s1", 4)
    await asyncio.sleep(0.4)
    control_plane.lease_delay = 0
    await leases.ask("s1", 6)
    assert [ask["offline_spent"] for ask in control_plane.asks] == [4, 2]


async def test_an_ask_whose_answer_was_lost_is_repeated_with_its_own_id(control_plane, leases):
    control_plane.mood = 503
    with pytest.raises(Unreachable):
        await leases.ask("s1", 5)
    control_plane.mood = "ok"
    first = dict(leases._desks["s1", ""].pending)
    grant = await leases.ask("s1", 8)
    assert control_plane.asks[0] == first
    assert [ask["offline_spent"] for ask in control_plane.asks] == [5, 3]
    assert grant["granted"] == sum(control_plane.granted.values())
    assert control_plane.left == 1_000 - 8 - grant["granted"]


async def test_a_refused_ask_is_not_repeated(control_plane, leases):
    control_plane.mood = 400
    with pytest.raises(Unreachable):
        await leases.ask("s1", 0)
    assert leases._desks["s1", ""].pending is None


async def test_units_that_nobody_took_are_left_over(control_plane, leases, monkeypatch):
    monkeypatch.setattr(leases_module, "ANSWER_SECONDS", 0.1)
    control_plane.lease_delay = 0.2
    with pytest.raises(Unreachable):
        await leases.ask("s1", 0)
    await asyncio.sleep(0.2)
    left = {"subscription": "s1", "key": "", "starts_at": 1_000, "epoch": 0, "units": 50}
    assert leases.left_over([("s1", "k1")]) == []
    assert leases.left_over() == [left]
    assert leases.left_over() == []


async def test_each_key_with_a_quota_of_its_own_has_a_desk_of_its_own(control_plane, leases):
    control_plane.lease_delay = 0.05
    await asyncio.gather(leases.ask("s1", 0, key="k1"), leases.ask("s1", 0, key="k2"), leases.ask("s1", 0))
    assert sorted(ask.get("key", "") for ask in control_plane.asks) == ["", "k1", "k2"]


async def test_units_of_an_older_epoch_are_dropped_when_the_gate_knows_a_newer_one(
    control_plane, leases, monkeypatch
):
    monkeypatch.setattr(leases_module, "ANSWER_SECONDS", 0.1)
    control_plane.lease_delay = 0.2
    with pytest.raises(Unreachable):
        await leases.ask("s1", 0)
    await asyncio.sleep(0.2)
    control_plane.lease_delay, control_plane.epoch = 0, 1
    grant = await leases.ask("s1", 0, epoch=1)
    assert (grant["granted"], grant["epoch"]) == (100, 1), "the 50 that came too late are void"


async def test_while_nodes_give_up_void_units_the_agent_asks_on(control_plane, leases):
    control_plane.settling = 3
    grant = await leases.ask("s1", 4)
    assert grant["granted"] > 0
    assert [ask["offline_spent"] for ask in control_plane.asks] == [4, 0, 0, 0]


async def test_who_waits_too_long_for_void_units_is_refused_and_takes_no_offline_allowance(
    control_plane, leases, monkeypatch
):
    monkeypatch.setattr(leases_module, "ANSWER_SECONDS", 0.2)
    control_plane.settling = 1_000
    grant = await leases.ask("s1", 0)
    assert grant["granted"] == 0


async def test_the_gate_asks_over_a_unix_socket(control_plane, leases, folder):
    runner = web.AppRunner(application(leases))
    await runner.setup()
    await web.UnixSite(runner, str(folder / "agent.sock")).start()
    connector = aiohttp.UnixConnector(str(folder / "agent.sock"))
    async with aiohttp.ClientSession("http://agent", connector=connector) as session:

        async def ask(body):
            async with session.post("/lease", data=body) as answer:
                return answer.status, await answer.json()

        assert (await ask('{"subscription": "s1", "offline_spent": 0}'))[1]["granted"] == 50
        assert (await ask('{"subscription": "free", "offline_spent": 0}'))[0] == 404
        assert (await ask("[1]"))[0] == 400
        control_plane.mood = 503
        assert await ask('{"subscription": "s1", "offline_spent": 1}') == (503, {"error": "unreachable"})
    await runner.cleanup()
