"""Request lines that no client should send, and random damage to those that it should."""

import random
import re

import pytest

GOOD = b"GET /api/open/x HTTP/1.1\r\nHost: gate.test\r\nX-Some: thing\r\nConnection: close\r\n\r\n"


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"\r\n\r\n\r\n",
        b"GET\r\n\r\n",
        b"GET /api/open/x HTTP/9.9\r\n\r\n",
        b"GET /api/open/x HTTP/1.1 extra\r\nHost: a\r\n\r\n",
        b"GET  /api/open/x  HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
        b"G\x00T /api/open/x HTTP/1.1\r\nHost: a\r\n\r\n",
        b"get /api/open/x HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET api/open/x HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET \\api\\open HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET /api/open/x\tHTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET /api/open/\x7f HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
        b"CONNECT 127.0.0.1:22 HTTP/1.1\r\nHost: a\r\n\r\n",
        b"TRACE /api/open/x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 64,
        b"OPTIONS * HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
    ],
)  # fmt: skip
def test_an_odd_request_line_gets_an_answer_in_our_words_or_none(hostile, line):
    answer = hostile.node.raw(line, seconds=1)
    assert answer == b"" or re.match(rb"HTTP/1\.[01] [2-5]\d\d ", answer), answer
    status = int(answer.split()[1]) if answer else 400
    assert status < 500 or status == 505
    if status >= 400 and answer:
        assert b'{"message":' in answer
        assert b"nginx" not in answer


@pytest.mark.parametrize("version", [b"HTTP/0.9", b"HTTP/1.0"])
def test_old_versions_are_answered_or_refused_but_never_confuse(hostile, version):
    answer = hostile.node.raw(b"GET /api/secret " + version + b"\r\nHost: a\r\n\r\n", seconds=1)
    assert b"ok" not in answer
    assert hostile.backend.requests == []


def test_a_request_without_a_version_is_answered_as_http_0_9_asks(hostile):
    assert hostile.node.raw(b"GET /api/open/x\r\n\r\n", seconds=1) == b"ok"
    assert hostile.node.raw(b"GET /api/secret\r\n\r\n", seconds=1) == b'{"message":"Forbidden"}'


def test_random_damage_crashes_nothing_and_reaches_no_guarded_operation(hostile):
    chance = random.Random(20261123)
    alphabet = b"\r\n\t\x00 :;,%/.\\?#\x7f\x80\xff0aZ"
    for _ in range(400):
        text = bytearray(GOOD.replace(b"open", chance.choice([b"open", b"secret"])))
        for _ in range(chance.randint(1, 6)):
            at = chance.randrange(len(text))
            how = chance.randrange(3)
            if how == 0:
                text[at] = chance.choice(alphabet)
            elif how == 1:
                text[at:at] = bytes([chance.choice(alphabet)] * chance.choice([1, 2, 300]))
            else:
                del text[at : at + chance.randint(1, 9)]
        hostile.node.raw(bytes(text) + b"\r\n\r\n", seconds=0.05)
    assert hostile.backend.garbage == []
    assert not [path for path in hostile.backend.paths() if path.lower().startswith("/secret")]
