"""Shared memory for counters that is full: nobody gets more than the quota, and the log says what to do."""

import hashlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from http.client import HTTPConnection
from types import SimpleNamespace

import pytest

from gateway.entries import Key, Plan, Quota, Subscription, Throttle
from portal.embedded.ports import free_port
from tests.gateway.backends import Backend, FakeAgent
from tests.gateway.node import node_folder, start_nginx
from tests.gateway.world import World, make_key, operation

SUBSCRIPTIONS, LIMIT, CALLS, CLIENTS = 4_400, 1, 2, 8


@pytest.fixture(scope="module")
def small() -> Iterator[SimpleNamespace]:
    """A node with the least memory for counters, and a key for each of many subscriptions."""
    with ExitStack() as stack:
        folder = stack.enter_context(node_folder())
        node = start_nginx(folder, free_port(), counters_memory=2**20)
        stack.callback(node.stop)
        agent = FakeAgent(folder / "agent.sock", slice_size=LIMIT)
        stack.callback(agent.stop)
        backend = Backend("one")
        stack.callback(backend.stop)
        world = World(node)
        world.backend("backend", "127.0.0.1", backend.port)
        world.publish("api", {"op": operation("GET", "/", key_required=True)})
        plan = Plan(["api"], quota=Quota(LIMIT, "MONTH"), throttle=Throttle(rate=100, burst=100))
        world.put("plan", "plan", plan)
        keys = [make_key() for _ in range(SUBSCRIPTIONS)]
        entries = []
        for number, text in enumerate(keys):
            name = f"s{number:09}"
            agent.allow(name, LIMIT)
            entries.append(world.entry("subscription", name, Subscription("plan", active=True)))
            key = Key(id=f"k{number:09}", active=True, subscriptions=[name])
            entries.append(world.entry("key", hashlib.sha256(text.encode()).hexdigest(), key))
        assert node.push(entries).status == 200
        yield SimpleNamespace(node=node, keys=keys, backend=backend)


def test_a_full_memory_refuses_rather_than_to_admit_more_than_the_quota(small):
    def calls(keys: list[str]) -> list[int]:
        connection = HTTPConnection("127.0.0.1", small.node.settings.port, timeout=60)
        admitted = []
        for key in keys:
            seen = []
            for _ in range(CALLS):
                connection.request("GET", "/api", headers={"x-api-key": key})
                answer = connection.getresponse()
                answer.read()
                seen.append(answer.status)
            assert set(seen) <= {200, 429}
            admitted.append(seen.count(200))
        connection.close()
        return admitted

    parts = [small.keys[number::CLIENTS] for number in range(CLIENTS)]
    with ThreadPoolExecutor(CLIENTS) as clients:
        admitted = [number for part in clients.map(calls, parts) for number in part]
    assert max(admitted) == LIMIT
    assert admitted.count(LIMIT) > SUBSCRIPTIONS / 4
    assert admitted.count(0) > 0, "the memory was not filled"
    assert set(admitted) == {0, LIMIT}
    assert sum(admitted) == len(small.backend.seen)
    assert "raise GATEHOUSE_COUNTERS_MEMORY" in small.node.errors()
