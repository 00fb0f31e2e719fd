"""Compression of answers from a size on, and unpacking of packed request bodies."""

import gzip
import zlib

import pytest

from gateway.entries import Cache, Policy, Quota
from tests.gateway.scripted import Reply, Scripted
from tests.gateway.world import operation, proxy

TEXT = b"all work and no play makes a dull text " * 100
GZIP = {"Accept-Encoding": "br, gzip;q=0.8"}


@pytest.fixture(scope="module")
def server():
    server = Scripted(lambda request: server.reply(request))  # noqa: PLW0108 -- it changes
    yield server
    server.stop()


@pytest.fixture(scope="module")
def published(gate, server):
    """Stages `packs` (from 1000 bytes) and `plain`."""
    gate.world.backend("texts", "127.0.0.1", server.port)
    op = operation("ANY", "/{proxy+}", integration=proxy("texts"))
    cached = operation("GET", "/cached", integration=proxy("texts"), policy=Policy(cache=Cache(ttl=60)))
    small = operation("POST", "/small", integration=proxy("texts"), policy=Policy(max_body=3000))
    operations = {"op": op, "cached": cached, "small": small}
    gate.world.publish("packs", operations, compress_from=1000)
    gate.world.publish("plain", operations)


@pytest.fixture
def call(gate, server, published):
    def call(path="/packs/x", *, reply=None, method="GET", **more):
        server.reply = reply if callable(reply) else lambda _: reply or Reply(TEXT)
        return gate.node.call(method, path, **more)

    return call


def test_a_large_answer_is_packed_for_who_accepts_it(call):
    answer = call(headers=GZIP, reply=Reply(TEXT, headers=[("ETag", '"v1"'), ("Vary", "Origin")]))
    assert answer.headers["content-encoding"] == "gzip"
    assert gzip.decompress(answer.body) == TEXT
    assert len(answer.body) < len(TEXT) / 4
    assert answer.headers["etag"] == 'W/"v1"'
    assert answer.headers["vary"] == "Origin, Accept-Encoding"
    assert "content-length" not in answer.headers


@pytest.mark.parametrize("accepts", [{}, {"Accept-Encoding": "br"}, {"Accept-Encoding": "gzip;q=0"}])
def test_others_get_it_as_it_is_and_caches_are_told(call, accepts):
    answer = call(headers=accepts, reply=Reply(TEXT, headers=[("ETag", '"v1"')]))
    assert (answer.body, answer.headers["etag"]) == (TEXT, '"v1"')
    assert "content-encoding" not in answer.headers
    assert answer.headers["vary"] == "Accept-Encoding"


@pytest.mark.parametrize(("size", "packed"), [(999, False), (1000, True)])
def test_the_size_decides(call, size, packed):
    answer = call(headers=GZIP, reply=Reply(b"x" * size))
    assert ("content-encoding" in answer.headers) is packed


def test_an_answer_of_unknown_length_counts_as_large(call):
    answer = call(headers=GZIP, reply=Reply([b"short"]))
    assert (answer.headers["content-encoding"], gzip.decompress(answer.body)) == ("gzip", b"short")


def test_what_the_backend_packed_is_not_packed_again(call):
    packed = gzip.compress(TEXT * 10)
    answer = call(headers=GZIP, reply=Reply(packed, headers=[("Content-Encoding", "gzip")]))
    assert (answer.headers["content-encoding"], answer.body) == ("gzip", packed)


def test_a_stage_that_does_not_ask_for_it_packs_nothing(call, gate):
    answer = call("/plain/x", headers=GZIP)
    assert (answer.body, "vary" in answer.headers) == (TEXT, False)
    answer = call("/plain/cached", headers=GZIP)
    assert (answer.body, answer.headers["x-cache"], "vary" in answer.headers) == (TEXT, "Miss", False)


def test_the_cache_keeps_the_plain_form_and_each_caller_gets_her_own(call):
    answers = [call("/packs/cached", headers=headers) for headers in (GZIP, {}, GZIP)]
    assert [answer.headers["x-cache"] for answer in answers] == ["Miss", "Hit", "Hit"]
    assert [answer.headers.get("content-encoding") for answer in answers] == ["gzip", None, "gzip"]
    assert [gzip.decompress(answers[0].body), answers[1].body, gzip.decompress(answers[2].body)] == [TEXT] * 3
    assert {answer.headers["vary"] for answer in answers} == {"Accept-Encoding"}


def raw_deflate(text):
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(text) + packer.flush()


@pytest.mark.parametrize(
    ("encoding", "pack"),
    [
        ("gzip", gzip.compress),
        ("GZIP", gzip.compress),
        ("deflate", zlib.compress),
        ("deflate", raw_deflate),
        ("gzip", lambda text: gzip.compress(text[:50]) + gzip.compress(text[50:])),
    ],
)
@pytest.mark.parametrize("size", [2, 1000, 400_000])
def test_packed_bodies_reach_the_backend_unpacked(call, server, encoding, pack, size):
    text = bytes(number * number % 251 for number in range(size))
    assert call(method="POST", body=pack(text), headers={"Content-Encoding": encoding}).status == 200
    seen = server.seen[-1]
    assert (seen.body == text, "content-encoding" in seen.headers) == (True, False)
    assert seen.headers["content-length"] == str(len(text))


def test_a_chunked_packed_body_is_unpacked_too(call, server):
    packed = gzip.compress(TEXT)
    call(method="PUT", body=iter([packed[:40], packed[40:]]), headers={"Content-Encoding": "gzip"})
    assert server.seen[-1].body == TEXT


@pytest.mark.parametrize(("path", "encoding"), [("/plain/x", "gzip"), ("/packs/x", "br")])
def test_other_bodies_pass_untouched(call, server, path, encoding):
    packed = gzip.compress(TEXT)
    call(path, method="POST", body=packed, headers={"Content-Encoding": encoding})
    seen = server.seen[-1]
    assert (seen.body, seen.headers["content-encoding"]) == (packed, encoding)


def test_a_bomb_is_refused_at_the_limit_of_bodies(call, server, gate):
    before = len(server.seen)
    bomb = gzip.compress(bytes(11 * 2**20))
    assert len(bomb) < 20_000
    answer = call(method="POST", body=bomb, headers={"Content-Encoding": "gzip"})
    assert (answer.status, answer.headers["x-amzn-errortype"]) == (413, "RequestTooLargeException")
    answer = call(
        "/packs/small", method="POST", body=gzip.compress(bytes(3001)), headers={"Content-Encoding": "gzip"}
    )
    assert answer.status == 413
    assert len(server.seen) == before
    answer = call(
        "/packs/small", method="POST", body=gzip.compress(bytes(3000)), headers={"Content-Encoding": "gzip"}
    )
    assert answer.status == 200


@pytest.mark.parametrize(
    "body",
    [b"no gzip at all", gzip.compress(TEXT)[:-20], gzip.compress(TEXT) + b"garbage"],
    ids=["no-gzip", "cut-short", "garbage-behind"],  # the bytes hold the time, and names must not
)
def test_a_broken_body_is_a_bad_request_and_costs_no_unit(call, gate, body):
    op = operation("POST", "/", key_required=True, integration=proxy("texts"))
    gate.world.publish("packs-keyed", {"op": op}, compress_from=0)
    gate.agent.allow("packing", 2)
    key = gate.world.subscribe("packing", ["packs-keyed"], quota=Quota(limit=2, period="DAY"))
    for _ in range(3):
        how = {"method": "POST", "key": key, "headers": {"Content-Encoding": "gzip"}}
        assert call("/packs-keyed/", body=body, **how).status == 400
    assert call("/packs-keyed/", body=gzip.compress(b"good"), **how).status == 200
