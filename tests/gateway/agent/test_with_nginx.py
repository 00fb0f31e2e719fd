"""The real agent beside a real nginx: what clients saw, the control plane must count, to the call."""

import asyncio
import hashlib
import os
import signal
import sys
import time
from dataclasses import asdict
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from gateway import entries as shapes
from gateway.journal import Journal
from portal.embedded.ports import free_port
from tests.gateway.agent.fakes import TOKEN, eventually
from tests.gateway.node import node_folder, start_nginx
from tests.gateway.world import make_key, operation, stage

PROJECT = Path(__file__).resolve().parents[3]


def contract(generation, kind, key, data):
    return asdict(shapes.Entry(kind, key, generation, shapes.compact(data)))


class RealNode:
    """nginx, agent, and a backend; the control plane is the test's."""

    def __init__(self, folder, control_plane):
        self.folder = folder
        self.control_plane = control_plane
        self.port = free_port()
        self.nginx = None
        self.agent = None
        self.key = make_key()

    async def start_nginx(self):
        self.nginx = await asyncio.to_thread(start_nginx, self.folder, self.port, journal_size=4 * 2**20)

    async def start_agent(self):
        environment = {
            "PATH": os.environ["PATH"],
            "GATEHOUSE_NODE_DIR": str(self.folder),
            "GATEHOUSE_CONTROL_URL": self.control_plane.url,
            "GATEHOUSE_NODE_TOKEN": TOKEN,
        }
        with (self.folder / "agent.err").open("ab") as errors:
            self.agent = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "gateway.agent", cwd=PROJECT, env=environment, stderr=errors
            )

    async def end_agent(self, number):
        if self.agent is not None and self.agent.returncode is None:
            self.agent.send_signal(number)
            await asyncio.wait_for(self.agent.wait(), 10)

    def publish(self, backend_port, quota=None, host="localhost"):
        target = shapes.Target("http", host, backend_port)
        digest = hashlib.sha256(self.key.encode()).hexdigest()
        operations = {"op1": operation("GET", "/get", key_required=True)}
        self.control_plane.write(
            contract(1, "backend", "backend", shapes.Backend(target, 1000, 5000)),
            contract(2, "stage", "stage1", stage(operations)),
            contract(3, "mapping", "*|api", shapes.Mapping("stage1")),
            contract(4, "plan", "plan1", shapes.Plan(["stage1"], quota=quota)),
            contract(5, "subscription", "sub1", shapes.Subscription("plan1", active=True)),
            contract(6, "key", digest, shapes.Key("key1", active=True, subscriptions=["sub1"])),
        )

    async def call(self, session, key=None, path="/api/get"):
        headers = {"x-api-key": self.key if key is None else key}
        async with session.get(f"http://127.0.0.1:{self.port}{path}", headers=headers) as answer:
            await answer.read()
            return answer.status


@pytest.fixture
def folder():
    with node_folder() as path:
        yield path


@pytest.fixture
async def backend():
    async def hello(_):
        return web.json_response({"hello": "world"})

    app = web.Application()
    app.router.add_get("/{any:.*}", hello)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    port = free_port()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    yield port
    await runner.cleanup()


@pytest.fixture
async def node(folder, control_plane):
    made = RealNode(folder, control_plane)
    await made.start_nginx()
    yield made
    await made.end_agent(signal.SIGKILL)
    await asyncio.to_thread(made.nginx.stop)
    assert "Traceback" not in (folder / "agent.err").read_text()


@pytest.fixture
async def session():
    async with aiohttp.ClientSession() as made:
        yield made


async def live(node, session):
    async def answers():
        while await node.call(session) != 200:
            await asyncio.sleep(0.02)

    await asyncio.wait_for(answers(), 8)


async def test_publish_call_revoke(node, control_plane, backend, session):
    await node.start_agent()
    node.publish(backend)
    await live(node, session)
    digest = hashlib.sha256(node.key.encode()).hexdigest()
    started = time.monotonic()
    control_plane.write(asdict(shapes.Entry("key", digest, 7, None)))
    while await node.call(session) != 403:
        await asyncio.sleep(0.01)
    assert time.monotonic() - started < 0.5
    await eventually(lambda: control_plane.statuses[-1]["generation"] == 7)
    assert control_plane.statuses[-1]["status"]["problems"] == []


async def test_every_call_is_counted_through_kills_of_the_agent_and_rotations(
    node, control_plane, backend, session, folder
):
    node.publish(backend)
    await node.start_agent()
    await live(node, session)
    stop = asyncio.Event()
    seen = []

    async def client():
        while not stop.is_set():
            seen.append(await node.call(session))
            seen.append(await node.call(session, key="wrong"))

    clients = [asyncio.create_task(client()) for _ in range(4)]
    for _ in range(4):
        await asyncio.sleep(1.7)
        await node.end_agent(signal.SIGKILL)
        await node.start_agent()
    await asyncio.sleep(1)
    stop.set()
    await asyncio.gather(*clients)
    lines = len(seen) + 1  # `live` saw one 200, after answers that were not
    await eventually(lambda: control_plane.calls() + control_plane.refused_unknown() >= lines, seconds=10)
    await asyncio.sleep(2)
    rows = [row for batch in control_plane.batches.values() for row in batch["rows"]]
    accepted = sum(row["calls"] for row in rows if row["status_class"] == 2)
    refused = sum(row["calls"] for row in rows if row["verdict"] == "INVALID_API_KEY")
    assert accepted == seen.count(200) + 1
    assert refused >= seen.count(403) > 0
    assert set(seen) == {200, 403}
    assert all(row["latency_counts"] and sum(row["latency_counts"]) == row["calls"] for row in rows)
    assert len(Journal(folder).numbers()) < 4, "files that were counted are deleted"


async def test_a_restarted_nginx_serves_the_same_without_a_control_plane(
    node, control_plane, backend, session
):
    await node.start_agent()
    node.publish(backend)
    await live(node, session)
    await control_plane.stop()
    await asyncio.to_thread(node.nginx.stop)
    await node.start_nginx()
    await live(node, session)


async def test_a_quota_of_n_admits_exactly_n(node, control_plane, backend, session):
    control_plane.left = 300
    await node.start_agent()
    node.publish(backend, quota=shapes.Quota(300, "MONTH"))
    await live(node, session)
    answers = [200]
    for _ in range(10):
        answers += await asyncio.gather(*(node.call(session) for _ in range(50)))
    assert answers.count(200) == 300
    assert answers.count(429) == 201
    assert control_plane.left == 0


async def test_a_stop_gives_unspent_units_back(node, control_plane, backend, session):
    await node.start_agent()
    node.publish(backend, quota=shapes.Quota(1000, "MONTH"))
    await live(node, session)
    await asyncio.sleep(0.3)
    await node.end_agent(signal.SIGTERM)
    leased = sum(control_plane.granted.values())
    assert [one["units"] for one in control_plane.returned] == [leased - 1]
    assert control_plane.calls() >= 1


KEYS, KILLS = 20_000, 6


async def test_kills_in_the_middle_of_a_push_leave_every_entry_whole(node, control_plane, backend, session):
    async def held():
        return (await asyncio.to_thread(node.nginx.control, "GET", "/status")).json

    node.publish(backend)
    key = shapes.Key("key2", active=True, subscriptions=["sub1"], not_before=1.0)
    control_plane.held += [
        contract(number, "key", f"{number:064x}", key) for number in range(100, KEYS + 100)
    ]
    for number in range(KILLS):
        await node.start_agent()
        deadline = time.monotonic() + 8
        while (await held())["entries"] < (number + 1) * KEYS / (KILLS + 2) and time.monotonic() < deadline:
            await asyncio.sleep(0.005)
        if number % 2:
            os.kill(node.nginx.workers()[0], signal.SIGKILL)
        await node.end_agent(signal.SIGKILL)
    await node.start_agent()
    await live(node, session)
    deadline = time.monotonic() + 20
    while (await held())["entries"] != KEYS + 6:
        assert time.monotonic() < deadline, await held()
        await asyncio.sleep(0.05)
    assert (await held())["generation"] == KEYS + 99
    assert [await node.call(session) for _ in range(50)] == [200] * 50
