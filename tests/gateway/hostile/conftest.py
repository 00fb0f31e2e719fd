"""A gate of its own for harm: `/api/open/{proxy+}` needs no key, `/api/secret` and what is below it do."""

from collections.abc import Iterator
from contextlib import ExitStack
from types import SimpleNamespace

import pytest

from portal.embedded.ports import free_port
from tests.gateway.backends import FakeAgent
from tests.gateway.hostile.recorder import Recorder
from tests.gateway.node import node_folder, start_nginx
from tests.gateway.world import World, operation


@pytest.fixture(scope="package")
def hostile() -> Iterator[SimpleNamespace]:
    """`node`, `world`, `agent`, `backend` (a Recorder) and `key`, which opens `/api/secret`."""
    with ExitStack() as stack:
        folder = stack.enter_context(node_folder())
        node = start_nginx(folder, free_port())
        stack.callback(node.stop)
        agent = FakeAgent(folder / "agent.sock")
        stack.callback(agent.stop)
        backend = Recorder()
        stack.callback(backend.stop)
        world = World(node)
        world.backend("backend", "127.0.0.1", backend.port)
        operations = {
            "open": operation("ANY", "/open/{proxy+}"),
            "named": operation("GET", "/named/{name}"),
            "secret": operation("ANY", "/secret", key_required=True),
            "below": operation("ANY", "/secret/{proxy+}", key_required=True),
        }
        world.publish("api", operations)
        key = world.subscribe("subscriber", ["api"])
        yield SimpleNamespace(node=node, world=world, agent=agent, backend=backend, key=key)


@pytest.fixture(autouse=True)
def unharmed(hostile: SimpleNamespace) -> Iterator[None]:
    """After every test the same workers live, no Lua failed, and a plain call is answered."""
    hostile.backend.clear()
    workers, errors = hostile.node.workers(), len(hostile.node.errors())
    yield
    assert hostile.node.call("GET", "/api/open/fine").status == 200
    assert hostile.node.workers() == workers
    said = hostile.node.errors()[errors:]
    for trouble in ("lua entry thread aborted", "failed to run", "signal 11", "exited on signal", "[alert]"):
        assert trouble not in said, said
