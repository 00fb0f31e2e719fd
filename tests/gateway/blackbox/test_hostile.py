"""Input that means harm: it is refused in our own words, or passes as the plain text that it is."""

import re

import pytest

from tests.gateway.node import wait_until
from tests.gateway.world import operation

HEAD = b"Host: gate.test\r\nConnection: close\r\n"
BOTH = b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n"


def request(gate, text):
    """Send a raw request; returns status, head and body of the (first) answer."""
    answer = gate.node.raw(text, seconds=3)
    head, _, body = answer.partition(b"\r\n\r\n")
    return int(head.split()[1]), head, body


@pytest.mark.parametrize(
    ("text", "status"),
    [
        (b"GET /open/x HTTP/1.1\r\nConnection: close\r\n\r\n", 400),
        (b"GET /open/x HTTP/1.1\r\nHost: a\r\nHost: b\r\nConnection: close\r\n\r\n", 400),
        (b"GET /open/%00 HTTP/1.1\r\n" + HEAD + b"\r\n", 400),
        (b"GET /open/%zz HTTP/1.1\r\n" + HEAD + b"\r\n", 400),
        (b"GET /open/a\x01b HTTP/1.1\r\n" + HEAD + b"\r\n", 400),
        (b"GET /open/x#y HTTP/1.1\r\n" + HEAD + b"\r\n", 400),
        (b"nonsense\r\n\r\n", 400),
        (b"POST /open/x HTTP/1.1\r\n" + HEAD + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nab", 400),
        (b"POST /open/x HTTP/1.1\r\n" + HEAD + BOTH + b"\r\n0\r\n\r\n", 400),
        (b"POST /open/x HTTP/1.1\r\n" + HEAD + b"Content-Length: -1\r\n\r\n", 400),
        (b"GET /open/" + b"x" * 20000 + b" HTTP/1.1\r\n" + HEAD + b"\r\n", 414),
        (b"GET /open/x HTTP/1.1\r\n" + HEAD + b"X-Long: " + b"y" * 20000 + b"\r\n\r\n", 431),
    ],
)  # fmt: skip
def test_what_nginx_itself_refuses_is_said_in_our_words(gate, text, status):
    got, head, body = request(gate, text)
    assert (got, body) == (status, b'{"message":"Bad Request"}')
    assert b"x-amzn-ErrorType: BadRequestException" in head
    assert re.search(rb"x-amzn-RequestId: [0-9a-f-]{36}\r\n", head)
    assert b"Server:" not in head


def test_an_unknown_transfer_encoding_is_refused(gate):
    text = b"POST /open/x HTTP/1.1\r\n" + HEAD + b"Transfer-Encoding: gzip\r\n\r\n"
    status, _, body = request(gate, text)
    assert status in (400, 501)
    assert body.startswith(b'{"message":')


@pytest.mark.parametrize(
    "path",
    [
        "/open/%0d%0aX-Evil:%201",
        "/open/%27%22%5C%3B",
        "/open/$host",
        "/open/${request_uri}",
        "/open/'\"\\",
        "/open/@x",
    ],
)
def test_odd_characters_reach_the_backend_as_they_were_sent(gate, path):
    seen = gate.node.call("GET", path).json
    assert seen["path"] == path.removeprefix("/open")
    assert "x-evil" not in seen["headers"]


@pytest.mark.parametrize("path", ["/./refused", "/%2e/refused", "//refused", "/.//refused"])
def test_the_internal_location_cannot_be_asked_for(gate, path):
    assert gate.node.call("GET", path).status in (400, 403)


def test_odd_hosts_are_only_unknown_hosts(gate):
    for host in ("*", "open|x", "..", "a" * 300, "execute-api", ".execute-api.x", "$host"):
        assert gate.node.call("GET", "/nowhere/x", host=host).status in (400, 403)


def test_a_refused_call_with_a_body_does_not_become_the_next_call(gate):
    gate.world.publish("locked", {"op": operation("POST", "/", key_required=True)})
    inner = b"GET /open/smuggled HTTP/1.1\r\nHost: gate.test\r\n\r\n"
    outer = b"POST /locked HTTP/1.1\r\nHost: gate.test\r\nContent-Length: %d\r\n\r\n" % len(inner)
    last = b"GET /open/last HTTP/1.1\r\n" + HEAD + b"\r\n"
    answer = gate.node.raw(outer + inner + last, seconds=3)
    assert re.findall(rb"HTTP/1.1 (\d+)", answer) == [b"403", b"200"]
    assert b"smuggled" not in answer


def test_a_body_without_a_length_that_grows_too_large_is_cut_off(gate):
    head = b"POST /open/x HTTP/1.1\r\nHost: gate.test\r\nTransfer-Encoding: chunked\r\n\r\n"
    chunk = b"100000\r\n" + b"z" * 0x100000 + b"\r\n"
    before = len(gate.node.usage())
    answer = gate.node.raw(head + chunk * 11 + b"0\r\n\r\n", seconds=5)
    assert answer.startswith(b"HTTP/1.1 413 ") or answer == b""
    wait_until(
        lambda: "REQUEST_TOO_LARGE" in [line["verdict"] for line in gate.node.usage()[before:]],
        seconds=3,
        what="the line of the refusal",
    )
