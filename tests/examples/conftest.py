"""A real node with a sold API, for the examples."""

from collections.abc import Iterator
from contextlib import ExitStack
from types import SimpleNamespace

import pytest

from portal.embedded.ports import free_port
from tests.gateway.backends import Backend, FakeAgent
from tests.gateway.desk import Desk
from tests.gateway.node import node_folder, start_nginx
from tests.gateway.world import World


@pytest.fixture(scope="session")
def desk() -> Iterator[Desk]:
    """`desk.sell()` makes an API with a key; `desk.gate.backend` is a server that the examples protect."""
    with ExitStack() as stack:
        folder = stack.enter_context(node_folder())
        node = start_nginx(folder, free_port())
        stack.callback(node.stop)
        agent = FakeAgent(folder / "agent.sock")
        stack.callback(agent.stop)
        backend = Backend("protected")
        stack.callback(backend.stop)
        yield Desk(SimpleNamespace(node=node, world=World(node), agent=agent, backend=backend))
