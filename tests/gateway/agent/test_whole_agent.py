"""The real process between a control plane and an nginx of the test."""

import asyncio
import json
import os
import random
import signal
import sys
import time
from pathlib import Path

import aiohttp
import pytest

from portal.embedded.ports import free_port
from tests.gateway.agent.fakes import TOKEN, backend, entry, eventually
from tests.gateway.agent.writer import JournalWriter

PROJECT = Path(__file__).resolve().parents[3]


class Process:
    """`python -m gateway.agent`, started and stopped at will."""

    def __init__(self, folder, url):
        self.folder = folder
        self.url = url
        self.process = None
        self.errors = folder / "agent.err"

    async def start(self, **more):
        environment = {
            "PATH": os.environ["PATH"],
            "GATEHOUSE_NODE_DIR": str(self.folder),
            "GATEHOUSE_CONTROL_URL": self.url,
            "GATEHOUSE_NODE_TOKEN": TOKEN,
            **more,
        }
        with self.errors.open("ab") as errors:
            self.process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "gateway.agent", cwd=PROJECT, env=environment, stderr=errors
            )

    async def end(self, number=signal.SIGTERM):
        if self.process is not None and self.process.returncode is None:
            self.process.send_signal(number)
            await asyncio.wait_for(self.process.wait(), 10)
        return self.process.returncode

    def log(self):
        return self.errors.read_text()


@pytest.fixture
async def agent(folder, control_plane):
    process = Process(folder, control_plane.url)
    yield process
    await process.end(signal.SIGKILL)
    assert TOKEN not in process.log()
    assert "Traceback" not in process.log()


def write(folder, lines):
    JournalWriter(folder).write(*lines)


def line(number=0):
    return f"{time.time():.3f} s{number % 7} k st op{number % 11} 200 10 20 0.005 - 0.004"


async def lease(folder, subscription="s1", offline_spent=0):
    connector = aiohttp.UnixConnector(str(folder / "agent.sock"))
    async with aiohttp.ClientSession(connector=connector) as session:
        body = {"subscription": subscription, "offline_spent": offline_spent}
        async with session.post("http://agent/lease", json=body) as answer:
            return answer.status, await answer.json()


async def test_deploy_to_live_takes_less_than_a_second(agent, control_plane, nginx):
    control_plane.write(entry(1))
    await agent.start()
    await eventually(lambda: nginx.live() == {"key1"})
    times = []
    for generation in range(2, 12):
        started = time.monotonic()
        control_plane.write(entry(generation))
        await eventually(lambda wanted=f"key{generation}": wanted in nginx.live())
        times.append(time.monotonic() - started)
    assert max(times) < 0.5
    await eventually(lambda: control_plane.statuses and control_plane.statuses[-1]["generation"] == 11)
    status = control_plane.statuses[-1]["status"]
    assert (status["stored_entries"], status["problems"], status["nginx"]["workers"]) == (11, [], 2)


async def test_the_node_starts_from_disk_without_a_control_plane(agent, control_plane, nginx):
    control_plane.write(entry(1), backend(2, "localhost"))
    await agent.start()
    await eventually(lambda: len(nginx.live()) == 2 and nginx.addresses)
    await agent.end(signal.SIGKILL)
    await control_plane.stop()
    await nginx.restart()
    await agent.start()
    await eventually(lambda: len(nginx.live()) == 2 and "localhost" in nginx.addresses)
    assert (await lease(agent.folder))[0] == 503
    await control_plane.start()
    control_plane.write(entry(3))
    await eventually(lambda: "key3" in nginx.live())
    assert (await lease(agent.folder))[1]["granted"] == 50
    assert agent.log().count("unreachable") == 1


async def test_a_restarted_nginx_is_filled_again_without_any_change(agent, control_plane, nginx):
    control_plane.write(entry(1), backend(2, "localhost"))
    await agent.start()
    await eventually(lambda: len(nginx.live()) == 2)
    await nginx.restart()
    await eventually(lambda: len(nginx.live()) == 2 and "localhost" in nginx.addresses, seconds=4)


async def test_usage_arrives_within_seconds(agent, control_plane, nginx, folder):
    await agent.start()
    write(folder, [line(number) for number in range(1_000)])
    started = time.monotonic()
    await eventually(lambda: control_plane.calls() == 1_000)
    assert time.monotonic() - started < 4


async def test_kills_at_any_moment_neither_lose_nor_double_a_line(agent, control_plane, nginx, folder):
    chance = random.Random(3)
    control_plane.write(entry(1))
    written = 0
    for _ in range(7):
        await agent.start()
        deadline = time.monotonic() + chance.uniform(0.5, 2.2)
        while time.monotonic() < deadline:
            lines = [line(number) for number in range(chance.randrange(1, 400))]
            write(folder, lines)
            written += len(lines)
            await asyncio.sleep(0.02)
        await agent.end(signal.SIGKILL)
    await agent.start()
    await eventually(lambda: control_plane.calls() >= written, seconds=20)
    await asyncio.sleep(1.5)
    assert control_plane.calls() == written
    bodies = list(control_plane.batches.values())
    assert await _send_again(control_plane.url, bodies) == {200}
    assert control_plane.calls() == written
    assert len({spool for spool, _ in control_plane.batches}) == 1


async def _send_again(url, batches):
    statuses = set()
    async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {TOKEN}"}) as session:
        for batch in batches:
            async with session.post(url + "/nodes/v1/usage", data=json.dumps(batch)) as answer:
                statuses.add(answer.status)
    return statuses


async def test_counts_wait_for_a_control_plane_that_is_away(agent, control_plane, nginx, folder):
    await control_plane.stop()
    await agent.start()
    for _ in range(3):
        write(folder, [line(number) for number in range(100)])
        await asyncio.sleep(1)
    await control_plane.start()
    await eventually(lambda: control_plane.calls() == 300, seconds=6)


async def test_what_other_nodes_want_is_given_back(agent, control_plane, nginx):
    await agent.start()
    await eventually(lambda: control_plane.statuses)
    nginx.leases = [
        {"subscription": name, "key": "", "starts_at": 1_000, "epoch": 2, "units": 17}
        for name in ("s1", "s2")
    ]
    control_plane.wanted = [{"subscription": "s1", "key": "", "idle": 5.0}]
    await eventually(lambda: control_plane.returned, seconds=5)
    (back,) = control_plane.returned
    assert back.pop("request")
    assert back == {"subscription": "s1", "key": "", "starts_at": 1_000, "epoch": 2, "units": 17}
    assert [each["subscription"] for each in nginx.leases] == ["s2"]


async def test_the_control_plane_hears_at_once_what_nginx_runs(agent, control_plane, nginx):
    await agent.start()
    await eventually(lambda: control_plane.statuses)
    await asyncio.sleep(0.3)
    told = time.monotonic()
    control_plane.write(entry(1))
    await eventually(lambda: control_plane.statuses[-1]["generation"] >= 1, seconds=5)
    assert time.monotonic() - told < 1, "not only with the next report, two seconds later"


async def test_a_stop_delivers_the_rest_and_gives_leases_back_within_5_seconds(
    agent, control_plane, nginx, folder
):
    control_plane.write(entry(1))
    nginx.leases = [{"subscription": "s1", "starts_at": 1_000, "units": 17}]
    await agent.start()
    await eventually(nginx.live)
    write(folder, [line(number) for number in range(50)])
    started = time.monotonic()
    assert await agent.end() == 0
    assert time.monotonic() - started < 5
    assert control_plane.calls() == 50
    back = [
        {name: one[name] for name in ("subscription", "starts_at", "units")} for one in control_plane.returned
    ]
    assert back == [{"subscription": "s1", "starts_at": 1_000, "units": 17}]


async def test_a_stop_takes_less_than_5_seconds_when_nobody_answers(agent, control_plane, nginx, folder):
    await agent.start()
    await eventually(lambda: control_plane.statuses)
    control_plane.mood = "hang"
    nginx.leases = [{"subscription": f"s{number}", "starts_at": 1_000, "units": 1} for number in range(9)]
    write(folder, [line()])
    started = time.monotonic()
    assert await agent.end() == 0
    assert time.monotonic() - started < 5
    await agent.start()
    control_plane.mood = "ok"
    await eventually(lambda: control_plane.calls() == 1)


async def test_a_second_agent_in_the_same_folder_refuses_to_start(agent, control_plane, nginx, folder):
    await agent.start()
    await eventually(lambda: control_plane.statuses)
    second = Process(folder, control_plane.url)
    second.errors = folder / "second.err"
    await second.start()
    assert await asyncio.wait_for(second.process.wait(), 10) == 1
    assert "another agent" in second.log()


async def test_a_missing_token_is_named(agent, folder):
    await agent.start(GATEHOUSE_NODE_TOKEN="")
    assert await asyncio.wait_for(agent.process.wait(), 10) == 2
    assert "GATEHOUSE_NODE_TOKEN" in agent.log()


async def test_metrics_are_served_where_the_operator_asks_for_them(agent, nginx, control_plane):
    port = free_port()
    control_plane.write(entry(1), entry(2))
    await agent.start(GATEHOUSE_METRICS_PORT=str(port))
    await eventually(lambda: nginx.generation == 2)
    text = ""
    while "gatehouse_generation 2.0" not in text:
        await asyncio.sleep(0.1)
        async with (
            aiohttp.ClientSession() as session,
            session.get(f"http://127.0.0.1:{port}/metrics") as answer,
        ):
            text = await answer.text()
    assert "gatehouse_nginx_up 1.0" in text
    assert TOKEN not in text
