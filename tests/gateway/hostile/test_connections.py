"""More connections than a worker has: those that wait are let go, those that call are served."""

import contextlib
import resource
import socket
from contextlib import ExitStack
from http.client import HTTPException
from types import SimpleNamespace

import pytest

from portal.embedded.ports import free_port
from tests.gateway.hostile.recorder import Recorder
from tests.gateway.node import node_folder, start_nginx, wait_until
from tests.gateway.world import World, operation

CONNECTIONS = 8192  # of nginx.conf
HALF_HEAD = 15  # seconds, client_header_timeout


@pytest.fixture(scope="module")
def narrow():
    """A node with one worker."""
    if resource.getrlimit(resource.RLIMIT_NOFILE)[0] < 2 * CONNECTIONS:
        pytest.skip("this shell allows too few open files")
    with ExitStack() as stack:
        folder = stack.enter_context(node_folder())
        node = start_nginx(folder, free_port(), workers="1")
        stack.callback(node.stop)
        backend = Recorder()
        stack.callback(backend.stop)
        world = World(node)
        world.backend("backend", "127.0.0.1", backend.port)
        world.publish("api", {"open": operation("ANY", "/open/{proxy+}")})
        yield SimpleNamespace(node=node)


def call(node):
    """Call as a client does: one whose connection was let go before its call was read tries again, once."""
    try:
        return node.call("GET", "/api/open/x", timeout=5)
    except ConnectionResetError:
        return node.call("GET", "/api/open/x", timeout=5)


@pytest.fixture
def hold(narrow):
    """Opens more connections than a worker has, sends each of them some bytes, and keeps them."""
    held = []

    def hold(sent: bytes) -> list[socket.socket]:
        for _ in range(CONNECTIONS + 200):
            connection = socket.create_connection(("127.0.0.1", narrow.node.settings.port), timeout=5)
            held.append(connection)
            if sent:
                connection.sendall(sent)
        return held

    workers = narrow.node.workers()
    yield hold
    for connection in held:
        connection.close()
    assert narrow.node.call("GET", "/api/open/x").status == 200
    assert narrow.node.workers() == workers


def test_connections_that_say_nothing_leave_room_for_calls_and_for_the_agent(narrow, hold):
    held = hold(b"")
    for _ in range(20):
        assert call(narrow.node).status == 200
    assert narrow.node.control("GET", "/status").status == 200
    held[0].settimeout(5)
    assert held[0].recv(1) == b""  # who waited longest was let go
    assert "[alert]" not in narrow.node.errors()


def test_half_heads_hold_their_connections_for_fifteen_seconds_at_most(narrow, hold):
    hold(b"GET /api/open/x HTTP/1.1\r\nHost: a\r\nX-Slow: ")
    for ask, path in ((narrow.node.control, "/status"), (narrow.node.call, "/api/open/x")):
        wait_until(lambda: answers(ask, path), seconds=HALF_HEAD + 5, what=path)  # noqa: B023 -- called at once


def answers(ask, path: str) -> bool:
    with contextlib.suppress(OSError, HTTPException):
        return ask("GET", path).status == 200
    return False
