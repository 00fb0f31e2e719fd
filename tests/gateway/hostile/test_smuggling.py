"""Request smuggling: no way of writing a body's length makes one request into two, here or at the backend."""

import re

import pytest

from tests.gateway.hostile.recorder import ANSWER

SMUGGLED = b"GET /api/open/smuggled HTTP/1.1\r\nHost: gate.test\r\n\r\n"
HEAD = b"POST /api/open/outer HTTP/1.1\r\nHost: gate.test\r\n"
CHUNKED_END = b"0\r\n\r\n"
LENGTH = b"%d" % len(CHUNKED_END + SMUGGLED)


@pytest.mark.parametrize(
    "lengths",
    [
        b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
        b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n",
        b"Content-Length: " + LENGTH + b"\r\nTransfer-Encoding: chunked\r\n",
        b"Content-Length: " + LENGTH + b"\r\nTransfer-Encoding: identity\r\n",
        b"Content-Length: " + LENGTH + b"\r\nTransfer_Encoding: chunked\r\n",
        b"Content-Length: " + LENGTH + b"\r\nTransfer-Encoding : chunked\r\n",
        b"Content-Length: " + LENGTH + b"\r\n Transfer-Encoding: chunked\r\n",
        b"Content-Length: " + LENGTH + b"\r\nX: y\nTransfer-Encoding: chunked\r\n",
        b"Content-Length: " + LENGTH + b"\r\nX: y\rTransfer-Encoding: chunked\r\n",
        b"Content-Length: " + LENGTH + b"\r\nTransfer-Encoding: xchunked\r\n",
        b"Content-Length: " + LENGTH + b"\r\nTransfer-Encoding: chunked, identity\r\n",
        b"Content-Length: " + LENGTH + b"\r\nTransfer-Encoding: \x0bchunked\r\n",
        b"Content-Length: " + LENGTH + b"\r\nTransfer-Encoding:\tchunked\r\n",
        b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n",
        b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
        b"Transfer-Encoding: gzip, chunked\r\n",
        b"Content-Length: 5\r\nContent-Length: " + LENGTH + b"\r\n",
        b"Content-Length: 5, " + LENGTH + b"\r\n",
        b"Content-Length: +5\r\n",
        b"Content-Length: 0x5\r\n",
        b"Content-Length: 5 5\r\n",
        b"Content-Length: 99999999999999999999999\r\n",
        b"Content-Length: \r\n",
        b"Content_Length: 5\r\nContent-Length: " + LENGTH + b"\r\n",
    ],
)  # fmt: skip
def test_two_ways_to_say_a_length_never_make_two_requests(hostile, lengths):
    answer = hostile.node.raw(HEAD + lengths + b"\r\n" + CHUNKED_END + SMUGGLED, seconds=1)
    statuses = [int(status) for status in re.findall(rb"HTTP/1\.1 (\d+) ", answer)]
    assert hostile.backend.garbage == []
    reached = hostile.backend.paths()
    if "/open/smuggled" in reached:
        # then the gate read it as a second request of its own, and said so to the client with a second answer
        assert len(statuses) == 2
        assert reached == ["/open/outer", "/open/smuggled"]
        assert dict(hostile.backend.requests).popitem()[1] == b""
        assert unambiguous(lengths)
    else:
        assert len(statuses) <= 1


def unambiguous(lengths: bytes) -> bool:
    """One way only to read these headers: chunked, and nothing else is said."""
    return b"Content-Length" not in lengths and lengths.lower().count(b"transfer-encoding: chunked") >= 1


@pytest.mark.parametrize(
    "body",
    [
        b"5\r\nhello\r\n0\r\n\r\n",
        b"5;name=value\r\nhello\r\n0\r\n\r\n",
        b"5\nhello\n0\n\n",
        b"-1\r\nhello\r\n0\r\n\r\n",
        b"0x5\r\nhello\r\n0\r\n\r\n",
        b"ffffffffffffffff1\r\nhello\r\n0\r\n\r\n",
        b"5 \r\nhello\r\n0\r\n\r\n",
        b"5\r\nhelloXX0\r\n\r\n",
        b"6\r\nhello\r\n0\r\n\r\n",
        b"5\r\nhello\r\n0\r\nX-Trailer: evil\r\nx-api-key: forged\r\n\r\n",
        b"g\r\nhello\r\n0\r\n\r\n",
        b"\r\n5\r\nhello\r\n0\r\n\r\n",
    ],
)
def test_chunks_reach_the_backend_clean_or_not_at_all(hostile, body):
    hostile.node.raw(HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + body + SMUGGLED, seconds=1)
    assert hostile.backend.garbage == []
    for head, read in hostile.backend.requests:
        assert head.split(b" ")[1] in (b"/open/outer", b"/open/smuggled")
        assert b"forged" not in head
        assert read in (b"hello", b"hello\r", b"")  # a chunk of 6 holds the carriage return


def test_a_body_behind_a_refusal_is_not_the_next_request(hostile):
    secret = b"POST /api/secret HTTP/1.1\r\nHost: gate.test\r\nContent-Length: %d\r\n\r\n" % len(SMUGGLED)
    answer = hostile.node.raw(secret + SMUGGLED, seconds=1)
    assert re.findall(rb"HTTP/1\.1 (\d+) ", answer) == [b"403"]
    assert hostile.backend.requests == []


def test_an_answer_of_the_backend_with_two_lengths_does_not_become_two_answers(hostile):
    second = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil"
    hostile.backend.answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 60\r\n\r\nok" + second
    try:
        answer = hostile.node.raw(b"GET /api/open/a HTTP/1.1\r\nHost: gate.test\r\n\r\n", seconds=1)
    finally:
        hostile.backend.answer = ANSWER
    assert (
        len(re.findall(rb"Content-Length: \d+", answer)) <= 2
    )  # the second lies inside the body of the first
    for _ in range(20):
        assert hostile.node.call("GET", "/api/open/b").body == b"ok"
