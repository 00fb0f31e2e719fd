"""One real nginx for the whole session, with a fake agent and a real backend."""

from collections.abc import Iterator
from contextlib import ExitStack
from types import SimpleNamespace

import pytest

from portal.embedded.ports import free_port
from tests.gateway.backends import Backend, FakeAgent
from tests.gateway.node import node_folder, start_nginx
from tests.gateway.world import World, operation


@pytest.fixture(scope="session")
def gate() -> Iterator[SimpleNamespace]:
    """`node`, `world`, `agent`, `backend`; stage `open` answers at `/open/...` without a key."""
    with ExitStack() as stack:
        folder = stack.enter_context(node_folder())
        node = start_nginx(folder, free_port())
        stack.callback(node.stop)
        agent = FakeAgent(folder / "agent.sock")
        stack.callback(agent.stop)
        backend = Backend("one")
        stack.callback(backend.stop)
        world = World(node)
        world.backend("backend", "127.0.0.1", backend.port)
        world.publish("open", {"op-any": operation("ANY", "/{proxy+}"), "op-root": operation("ANY", "/")})
        yield SimpleNamespace(node=node, world=world, agent=agent, backend=backend)


@pytest.fixture(autouse=True)
def no_errors_of_lua(gate: SimpleNamespace) -> Iterator[None]:
    """No call may meet an error in our own code."""
    before = len(gate.node.errors())
    yield
    assert "lua entry thread aborted" not in gate.node.errors()[before:], gate.node.errors()[before:]
    assert "failed to run" not in gate.node.errors()[before:], gate.node.errors()[before:]
