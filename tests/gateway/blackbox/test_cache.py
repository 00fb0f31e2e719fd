"""The response cache: what is shared by whom, for how long, and what never is."""

import itertools
import os
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from gateway.entries import Cache, Cors, Policy, Quota, Throttle
from portal.embedded.ports import free_port
from tests.gateway.node import node_folder, start_nginx, wait_until
from tests.gateway.scripted import Reply, Scripted
from tests.gateway.world import World, operation, proxy

names = (f"cached-{number}" for number in itertools.count())


@pytest.fixture(scope="module")
def counting():
    """A backend whose answers carry a number of their own; `reply` of the server changes them."""
    numbers = itertools.count(1)

    def answer(request):
        reply = server.reply(request) if server.reply else Reply()
        if reply.body == b"ok":
            reply.body = b"%d" % next(numbers)
        return reply

    server = Scripted(answer)
    server.reply = None
    yield server
    server.stop()


@pytest.fixture
def cached(gate, counting):
    """A function that publishes a stage with the policy's cache; returns a function that calls it."""
    counting.reply = None
    gate.world.backend("counting", "127.0.0.1", counting.port)

    def publish(ttl=60, *, verb="GET", name="", policy=None, **more):
        name = name or next(names)
        values = {key: more.pop(key) for key in ("keys", "invalidation") if key in more}
        of_operation = {key: more.pop(key) for key in ("key_required",) if key in more}
        policy = policy or Policy(cache=Cache(ttl=ttl, **values))
        gate.world.publish(
            name,
            {
                "op": operation(
                    verb, "/{proxy+}", integration=proxy("counting"), policy=policy, **of_operation
                )
            },
            **more,
        )

        def call(path="/x", method="GET", **how):
            return gate.node.call(method, f"/{name}{path}", **how)

        call.name = name
        return call

    return publish


def test_an_answer_is_served_again_for_its_time_to_live_and_no_longer(cached):
    call = cached(ttl=1)
    started = time.monotonic()
    first, second = call(), call()
    assert (first.headers["x-cache"], second.headers["x-cache"]) == ("Miss", "Hit")
    assert first.body == second.body
    assert second.headers["age"] == "0"
    assert "age" not in first.headers
    while (answer := call()).headers["x-cache"] == "Hit":
        assert time.monotonic() - started < 1.5
        time.sleep(0.02)
    assert time.monotonic() - started >= 0.99
    assert answer.body != first.body


def test_only_what_is_listed_is_in_the_key(cached):
    call = cached(keys=["query.a", "header.X-Lang"])
    first = call("/x?a=1&b=1", headers={"X-Lang": "de"})
    same = call("/x?b=2&a=1&c=3", headers={"X-Lang": "de", "X-Other": "1", "Cookie": "a=b"})
    assert (same.headers["x-cache"], same.body) == ("Hit", first.body)
    for path, headers in [
        ("/x?a=2", {"X-Lang": "de"}),
        ("/x?a=1&a=2", {"X-Lang": "de"}),
        ("/x?a", {"X-Lang": "de"}),
        ("/x?a=", {"X-Lang": "de"}),
        ("/x", {"X-Lang": "de"}),
        ("/x?a=1", {"X-Lang": "en"}),
        ("/x?a=1", {}),
        ("/x?a=1", {"X-Lang": "de", "X_Lang": "de"}),
        ("/y?a=1", {"X-Lang": "de"}),
        ("/x/?a=1", {"X-Lang": "de"}),
    ]:
        assert call(path, headers=headers).headers["x-cache"] == "Miss", (path, headers)


def test_a_listed_parameter_counts_behind_a_hundred_others(cached):
    call = cached(keys=["query.a"])
    many = "&".join(f"p{number}=1" for number in range(150))
    assert call(f"/x?{many}&a=1").body != call(f"/x?{many}&a=2").body


def test_parts_of_a_key_cannot_be_mistaken_for_each_other(cached):
    call = cached(keys=["query.a", "query.b"])
    first = call("/x?a=1%20b")
    for path in ("/x?a=1&b=", "/x?a=1&b", "/x?b=1%20b", "/x%20a?a=1"):
        assert call(path).body != first.body


def test_only_get_is_kept_and_head_may_be_served_from_it(cached, counting):
    call = cached(verb="ANY")
    assert "x-cache" not in call(method="POST").headers
    assert call(method="POST").body != call(method="POST").body
    assert call(method="HEAD").headers["x-cache"] == "Miss"
    first = call()
    assert first.headers["x-cache"] == "Miss"
    before = len(counting.seen)
    answer = call(method="HEAD")
    assert (answer.headers["x-cache"], answer.body) == ("Hit", b"")
    assert answer.headers["content-length"] == str(len(first.body))
    assert len(counting.seen) == before


def test_stages_operations_and_deployments_have_answers_of_their_own(cached, gate):
    first, other = cached(), cached()
    assert first().body != other().body
    kept = first().body
    moved = cached(name=first.name, deployment="d2")
    assert moved().headers["x-cache"] == "Miss"
    back = cached(name=first.name)
    assert (back().headers["x-cache"], back().body) == ("Hit", kept)


def test_a_flush_of_the_stage_forgets_all_answers(cached):
    call = cached()
    before = call().body
    flushed = cached(name=call.name, cache_epoch=1)
    assert (flushed().headers["x-cache"], flushed().body == before) == ("Miss", False)


def test_a_shorter_time_to_live_holds_at_once(cached):
    call = cached(ttl=60)
    call()
    time.sleep(1.1)
    assert call().headers["age"] == "1"
    assert cached(name=call.name, ttl=1)().headers["x-cache"] == "Miss"


def test_the_whole_answer_is_replayed_without_what_was_of_one_call(cached, counting):
    fresh = [
        ("X-Mine", "kept"), ("X-Two", "1"), ("X-Two", "2"), ("Content-Type", "text/x-mine"), ("ETag", '"e"'),
        ("Keep-Alive", "timeout=5"), ("X-Request-Id", "of-the-first"), ("traceparent", "00-1-2-3"),
        ("Last-Modified", "Mon, 02 Jan 2006 15:04:05 GMT"), ("Age", "7"),
    ]  # fmt: skip
    counting.reply = lambda _: Reply(status=203, headers=fresh)
    call = cached()
    first, second = call(), call()
    assert (second.status, second.body, second.headers["x-cache"]) == (203, first.body, "Hit")
    for name in (
        "x-mine",
        "x-two",
        "content-type",
        "etag",
        "server",
        "last-modified",
        "content-length",
        "date",
    ):
        assert second.headers[name] == first.headers[name], name
    assert second.headers["x-two"] == "1, 2"
    assert second.headers["age"] == "7"
    for name in ("keep-alive", "x-request-id", "traceparent"):
        assert name not in second.headers
    assert second.headers["x-amzn-requestid"] != first.headers["x-amzn-requestid"]


def test_a_hit_answers_a_conditional_call_with_304(cached, counting):
    counting.reply = lambda _: Reply(headers=[("ETag", '"v1"')])
    call = cached()
    assert call(headers={"If-None-Match": '"v1"'}).status == 200  # fetched whole, to be kept
    assert "if-none-match" not in counting.seen[-1].headers
    assert call(headers={"If-None-Match": '"v1"'}).status == 304
    assert call(headers={"If-None-Match": '"v2"'}).status == 200


def test_ranges_and_encodings_are_not_asked_for_when_an_answer_is_kept(cached, counting):
    call = cached()
    call(headers={"Range": "bytes=0-0", "Accept-Encoding": "gzip", "If-Modified-Since": "now"})
    asked = counting.seen[-1].headers
    assert not {"range", "accept-encoding", "if-modified-since"} & set(asked)
    assert call(headers={"Range": "bytes=0-0"}).status == 200


@pytest.mark.parametrize(
    ("status", "kept"),
    [(200, True), (204, True), (206, False), (301, True), (302, False), (404, True), (410, True), (403, False),
     (429, False), (500, False), (503, False)],
)  # fmt: skip
def test_answers_are_kept_by_their_status(cached, counting, status, kept):
    counting.reply = lambda _: Reply(status=status, body=b"" if status == 204 else b"ok")
    call = cached()
    assert [call().headers["x-cache"] for _ in range(2)] == ["Miss", "Hit" if kept else "Miss"]


@pytest.mark.parametrize(
    "header",
    [("Set-Cookie", "a=b"), ("Content-Encoding", "br"), ("Vary", "*"),
     ("Access-Control-Allow-Origin", "https://a.example")],
)  # fmt: skip
def test_answers_for_one_caller_are_not_kept(cached, counting, header):
    counting.reply = lambda _: Reply(headers=[header])
    call = cached()
    first, second = call(), call()
    assert first.body != second.body
    assert second.headers[header[0].lower()] == header[1]


def test_cors_headers_are_made_for_each_caller(cached, counting):
    counting.reply = lambda _: Reply(headers=[("Access-Control-Allow-Origin", "https://backend.example")])
    cors = Cors(origins=["https://a.example", "https://b.example"], methods=["GET"])
    call = cached(policy=Policy(cache=Cache(ttl=60), cors=cors))
    for number, origin in enumerate(("https://a.example", "https://b.example", "https://a.example")):
        answer = call(headers={"Origin": origin})
        assert answer.headers["access-control-allow-origin"] == origin
        assert answer.headers["x-cache"] == ("Hit" if number else "Miss")
    assert "access-control-allow-origin" not in call(headers={"Origin": "https://c.example"}).headers


def test_errors_of_the_gate_are_not_kept(gate, cached):
    call = cached()
    port = free_port()
    gate.world.backend("counting", "127.0.0.1", port)
    assert [call().status for _ in range(2)] == [502, 502]
    server = Scripted(lambda _: Reply(b"up"), port=port)
    assert (call().status, call().headers["x-cache"]) == (200, "Hit")
    server.stop()


def test_an_answer_up_to_a_mebibyte_is_kept_and_a_larger_one_passes(cached, counting):
    for extra, second in ((0, "Hit"), (1, "Miss")):
        body = b"x" * (2**20 + extra)
        for form in (body, [body[:1000], body[1000:]]):
            counting.reply = lambda _, form=form: Reply(form)
            call = cached()
            assert [len(call().body), len(call().body)] == [len(body)] * 2
            assert call().headers["x-cache"] == second


def test_an_answer_that_was_cut_is_not_kept(cached, counting):
    counting.reply = lambda _: Reply(b"short", length=100)
    call = cached()
    for _ in range(2):
        with pytest.raises(Exception, match="IncompleteRead"):
            call()
    counting.reply = None
    assert call().headers["x-cache"] == "Miss"


def test_many_callers_at_once_make_one_fetch(cached, counting):
    counting.reply = lambda _: time.sleep(0.4) or Reply()
    call = cached()
    before = len(counting.seen)
    with ThreadPoolExecutor(30) as pool:
        answers = list(pool.map(lambda _: call(), range(30)))
    assert len(counting.seen) == before + 1
    assert len({answer.body for answer in answers}) == 1
    assert sorted(answer.headers["x-cache"] for answer in answers) == ["Hit"] * 29 + ["Miss"]


def test_who_waits_for_an_answer_that_cannot_be_kept_goes_on_together(cached, counting):
    counting.reply = lambda _: time.sleep(0.4) or Reply(status=500)
    call = cached()
    started = time.monotonic()
    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(lambda _: call(), range(10)))
    assert [answer.status for answer in answers] == [500] * 10
    assert time.monotonic() - started < 2  # not ten fetches one after another


def test_a_fetch_whose_caller_goes_away_keeps_nobody_waiting(cached, counting, gate):
    gone = threading.Event()
    counting.reply = lambda _: gone.wait(5) and Reply()
    call = cached()
    with pytest.raises(TimeoutError):
        call(timeout=0.3)
    gone.set()
    counting.reply = None
    started = time.monotonic()
    assert call().status == 200
    assert time.monotonic() - started < 2


def test_a_worker_killed_while_it_fetches_keeps_nobody_waiting(cached, counting, gate):
    stuck = threading.Event()
    counting.reply = lambda _: stuck.wait(10) and Reply()
    call = cached()
    with ThreadPoolExecutor(1) as pool:
        lost = pool.submit(call)
        wait_until(lambda: counting.seen[-1].path.endswith("/x"), seconds=3, what="the fetch")
        time.sleep(0.2)
        counting.reply = None
        for worker in gate.node.workers():
            os.kill(worker, signal.SIGKILL)
        started = time.monotonic()
        while True:
            try:
                assert call().status == 200
                break
            except OSError:
                time.sleep(0.05)
        assert time.monotonic() - started < 2  # the time-out is 5 s
        assert isinstance(lost.exception(timeout=5), OSError)
        stuck.set()


@pytest.mark.parametrize(
    ("mode", "status", "cache", "warns"),
    [("allow", 200, "Miss", False), ("warn", 200, "Hit", True), ("ignore", 200, "Hit", False),
     ("refuse", 403, None, False)],
)  # fmt: skip
def test_max_age_0_does_what_the_policy_says(cached, mode, status, cache, warns):
    call = cached(invalidation=mode)
    first = call().body
    answer = call(headers={"Cache-Control": "no-transform, Max-Age=0"})
    assert (answer.status, answer.headers.get("x-cache")) == (status, cache)
    assert ("199 " in answer.headers.get("warning", "")) is warns
    after = call()
    assert after.headers["x-cache"] == "Hit"
    assert (after.body == first) is (mode != "allow")
    assert call(headers={"Cache-Control": "max-age=01"}).headers["x-cache"] == "Hit"


def test_keys_throttles_and_quotas_hold_for_hits_too(gate, cached):
    call = cached(key_required=True)
    gate.agent.allow("of-cache", 3)
    key = gate.world.subscribe("of-cache", [call.name], quota=Quota(limit=3, period="DAY"))
    assert call().status == 403
    answers = [call(key=key) for _ in range(4)]
    assert [answer.status for answer in answers] == [200, 200, 200, 429]
    assert [answer.headers.get("x-cache") for answer in answers] == ["Miss", "Hit", "Hit", None]
    assert call().status == 403
    tight = cached(throttle=Throttle(rate=0.001, burst=2))
    assert [tight().status for _ in range(3)] == [200, 200, 429]


def test_a_refused_invalidation_takes_nothing(gate, cached):
    call = cached(invalidation="refuse", throttle=Throttle(rate=0.001, burst=1))
    assert call(headers={"Cache-Control": "max-age=0"}).status == 403
    assert call().status == 200


def test_the_usage_line_tells_hits_and_misses(gate, cached):
    call = cached()
    for path, flag in (("/x", "m"), ("/x", "h")):
        before = len(gate.node.usage())
        call(path)
        assert gate.node.usage_after(before)[0]["flags"] == flag


def test_a_full_memory_drops_what_was_used_longest_ago():
    with node_folder() as folder:
        node = start_nginx(folder, free_port(), cache_memory=2**20)
        server = Scripted(lambda request: Reply(b"x" * 50_000))
        try:
            world = World(node)
            world.backend("b", "127.0.0.1", server.port)
            policy = Policy(cache=Cache(ttl=60))
            world.publish("s", {"op": operation("GET", "/{p}", integration=proxy("b"), policy=policy)})
            for number in range(60):
                assert node.call("GET", f"/s/{number}").headers["x-cache"] == "Miss"
                assert node.call("GET", "/s/0").headers["x-cache"] == "Hit"  # in use all the time
            assert node.call("GET", "/s/59").headers["x-cache"] == "Hit"
            assert node.call("GET", "/s/1").headers["x-cache"] == "Miss"
        finally:
            server.stop()
            node.stop()
