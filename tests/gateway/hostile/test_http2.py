"""What HTTP/2 can say that HTTP/1 cannot, and what it must not be able to do to a backend or to other calls."""

from contextlib import ExitStack, closing
from types import SimpleNamespace

import pytest

from gateway.entries import Cache, Certificate, Policy
from portal.embedded.ports import free_port
from tests.gateway.certificates import leaf
from tests.gateway.hostile.http2 import GO_AWAY, HEADERS, Http2, is_ok
from tests.gateway.hostile.recorder import ANSWER, Recorder
from tests.gateway.node import node_folder, start_nginx, wait_until
from tests.gateway.world import World, operation

UPGRADED = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\nraw bytes"
SMUGGLED = b"GET /open/smuggled HTTP/1.1\r\nHost: h.test\r\n\r\n"


@pytest.fixture(scope="module")
def modern():
    """A node with HTTP/2 for `h.test` and `other.test`; `open()` makes a connection."""
    with ExitStack() as stack:
        folder = stack.enter_context(node_folder())
        node = start_nginx(folder, free_port(), tls_port=free_port())
        stack.callback(node.stop)
        backend = Recorder()
        stack.callback(backend.stop)
        world = World(node)
        world.backend("backend", "127.0.0.1", backend.port)
        kept = Policy(cache=Cache(ttl=60))
        operations = {
            "open": operation("ANY", "/open/{proxy+}"),
            "kept": operation("GET", "/kept/{proxy+}", policy=kept),
        }
        for name in ("h.test", "other.test"):
            shown = leaf(name)
            world.put("certificate", name, Certificate(shown.pem, shown.private_key))
            world.publish(name[:-5], operations, at=f"{name}|")
        port = node.settings.tls_port
        yield SimpleNamespace(node=node, backend=backend, open=lambda: closing(Http2(port, "h.test")))


@pytest.fixture(autouse=True)
def alive(modern):
    """The same workers live on and say nothing of alarm."""
    modern.backend.clear()
    workers, errors = modern.node.workers(), len(modern.node.errors())
    yield
    modern.backend.answer = ANSWER
    with modern.open() as connection:
        stream = connection.request("/open/fine")
        assert is_ok(connection.frames(), stream)
    assert modern.node.workers() == workers
    assert "[alert]" not in modern.node.errors()[errors:]
    assert "lua entry thread aborted" not in modern.node.errors()[errors:]


@pytest.mark.parametrize("path", ["/open/x", "/kept/x"])
@pytest.mark.parametrize("upgrade", ["websocket", "h2c", "WebSocket"])
def test_a_backend_that_says_101_gets_no_tunnel_through_a_connection_of_http_2(modern, path, upgrade):
    modern.backend.answer = UPGRADED
    with modern.open() as connection:
        connection.request(path, ("upgrade", upgrade))
        connection.request("/open/beside")
        assert not [each for each in connection.frames() if each[0] > 9 or b"raw bytes" in each[3]]
    assert b"upgrade" not in modern.backend.requests[0][0].lower()


def test_other_upgrades_and_other_methods_get_no_tunnel_either(modern):
    for line, upgrade in (
        (b"GET", b"h2c"),
        (b"POST", b"websocket"),
        (b"GET", b"websocket, h2c"),
        (b"GET", b"TLS/1.0"),
    ):
        modern.backend.answer = UPGRADED
        text = (
            line
            + b" /open/x HTTP/1.1\r\nHost: h.test\r\nUpgrade: "
            + upgrade
            + b"\r\nConnection: upgrade\r\n\r\n"
        )
        assert b"raw bytes" not in modern.node.raw(text, seconds=0.5).partition(b"\r\n\r\n")[0]
        assert b"upgrade" not in modern.backend.requests[-1][0].lower()
        modern.backend.answer = ANSWER
    modern.backend.answer = UPGRADED
    text = b"GET /open/x HTTP/1.1\r\nHost: h.test\r\nUpgrade: WebSocket\r\nConnection: upgrade\r\n\r\n"
    assert modern.node.raw(text, seconds=0.5).endswith(b"raw bytes")


@pytest.mark.parametrize(
    "fields",
    [
        [("host", "other.test")],
        [(":authority", "other.test")],
        [("x", "a\r\nx-api-key: b")],
        [("x\nevil", "a")],
        [("X-Upper", "a")],
        [(":unknown", "a")],
        [(":path", "/open/y")],
    ],
)
def test_a_call_that_says_two_things_or_injects_lines_does_not_reach_the_backend(modern, fields):
    with modern.open() as connection:
        stream = connection.request("/open/x", *fields)
        assert not is_ok(connection.frames(), stream)
    assert modern.backend.requests == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        (":path", "/open/x HTTP/1.1\r\nevil: y"), (":path", "https://other.test/open/x"), (":path", ""), (":path", "*"),
        (":path", "/open/x y"), (":method", "GET /evil HTTP/1.1\r\nx: y"), (":method", "get"), (":method", "CONNECT"),
        (":scheme", "ht\r\ntp"), (":authority", "h.test/open"), (":authority", ""), (":authority", "a b"),
    ],
)  # fmt: skip
def test_odd_pseudo_headers_do_not_reach_the_backend(modern, name, value):
    usual = {":method": "GET", ":scheme": "https", ":path": "/open/x", ":authority": "h.test"}
    with modern.open() as connection:
        stream = connection.headers((usual | {name: value}).items())
        assert not is_ok(connection.frames(), stream)
    assert modern.backend.requests == []


@pytest.mark.parametrize("length", ["5", "500", "0", "x", "-1"])
def test_a_length_that_is_not_the_bodys_makes_no_second_request(modern, length):
    with modern.open() as connection:
        stream = connection.request("/open/x", ("content-length", length), method="POST", end=False)
        connection.data(stream, SMUGGLED)
        assert not is_ok(connection.frames(), stream)
    assert "/open/smuggled" not in modern.backend.paths()
    assert modern.backend.garbage == []


def test_framing_headers_of_http_1_are_not_believed(modern):
    with modern.open() as connection:
        for more in (
            ("transfer-encoding", "chunked"),
            ("connection", "keep-alive, x-forwarded-for"),
            ("te", "gzip"),
        ):
            stream = connection.request("/open/x", more, method="POST", end=False)
            connection.data(stream, SMUGGLED)
        connection.frames()
    assert set(modern.backend.paths()) <= {"/open/x"}
    for head, body in modern.backend.requests:
        assert body == SMUGGLED
        assert b"te: gzip" not in head.lower()
        assert b"X-Forwarded-For: 127.0.0.1" in head


def test_streams_that_are_reset_at_once_end_the_connection_and_each_admitted_one_has_its_line(modern):
    before = len(modern.node.usage())
    with modern.open() as connection:
        sent = 0
        try:
            for _ in range(5_000):
                connection.reset(connection.request("/open/reset"))
                sent += 1
        except OSError:
            pass
        frames = connection.frames()
    assert [each for each in frames if each[0] == GO_AWAY] or sent < 5_000
    wait_until(lambda: len(modern.node.usage()) > before, seconds=3, what="a usage line")
    lines = [line for line in modern.node.usage()[before:] if line["stage"] == "h"]
    assert len(lines) <= 1_010  # keepalive_requests, and what the fixture asked
    assert {line["status"] for line in lines} <= {"499", "200"}


def test_a_connection_has_at_most_128_streams_at_once(modern):
    with modern.open() as connection:
        try:
            for _ in range(140):
                connection.request("/open/held", method="POST", end=False)
        except OSError:
            pass
        answered = [each for each in connection.frames() if each[0] == HEADERS]
    assert answered == []
    assert len(modern.backend.requests) <= 128
