"""Several servers behind one backend: weights, retries, passive health."""

import socket
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest

from gateway.entries import Backend, Health, Policy, Retries, Target, WeightedTarget
from portal.embedded.ports import free_port
from tests.gateway.scripted import Reply, Scripted
from tests.gateway.world import operation, proxy


def named(name):
    return Scripted(lambda _: Reply(name.encode(), headers=[("X-Server", name)]))


@pytest.fixture
def servers():
    """Servers `a` and `b`; a test may change what they answer."""
    made = {name: named(name) for name in "ab"}
    yield made
    for server in made.values():
        server.stop()


@pytest.fixture
def publish(gate, request):
    """A function that publishes `/{name}` with these targets (`(port, weight)`, `(host, port)`) and policy."""
    name = f"b-{abs(hash(request.node.nodeid))}"

    def make(targets, *, retries=None, health=None, timeout_ms=2000, connect_timeout_ms=500, **policy):
        weighted = [
            WeightedTarget(Target("http", host, port), weight) for host, port, weight in map(_whole, targets)
        ]
        backend = Backend(
            target=weighted[0].target,
            targets=weighted,
            connect_timeout_ms=connect_timeout_ms,
            timeout_ms=timeout_ms,
            health=health,
        )
        gate.world.put("backend", name, backend)
        asked = Policy(retries=retries, **policy) if retries or policy else None
        gate.world.publish(name, {"op": operation("ANY", "/{p+}", integration=proxy(name), policy=asked)})
        return lambda method="GET", path="/x", **more: gate.node.call(method, f"/{name}{path}", **more)

    return make


def _whole(target):
    if len(target) == 3:
        return target
    return ("127.0.0.1", *target)


@pytest.fixture
def black_hole():
    """A port where connections are taken by nobody: its queue is full."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        fill = [socket.socket() for _ in range(4)]
        for each in fill:
            each.settimeout(0)
            each.connect_ex(listener.getsockname())
        yield listener.getsockname()[1]
        for each in fill:
            each.close()


def test_calls_are_shared_out_by_weight(publish, servers):
    call = publish([(servers["a"].port, 3), (servers["b"].port, 1)])
    got = Counter(call().body for _ in range(400))
    # Each of two workers is exact within a round of four calls.
    assert 296 <= got[b"a"] <= 304
    assert got.total() == 400


def test_a_servers_weight_is_divided_among_its_addresses(gate, publish):
    port = free_port()
    with ThreadPoolExecutor():
        many = [
            Scripted(lambda _, n=n: Reply(n.encode()), port=port, host=n) for n in ("127.0.0.2", "127.0.0.3")
        ]
    single = Scripted(lambda _: Reply(b"single"))
    gate.node.push_addresses(**{"pair.test": ["127.0.0.2", "127.0.0.3"]})
    call = publish([("pair.test", port, 2), ("127.0.0.1", single.port, 2)])
    got = Counter(call().body for _ in range(200))
    for server in (*many, single):
        server.stop()
    assert 96 <= got[b"single"] <= 104
    assert abs(got[b"127.0.0.2"] - got[b"127.0.0.3"]) <= 4


def test_each_server_is_told_its_own_name(gate, publish, servers):
    gate.node.push_addresses(**{"one.test": ["127.0.0.1"], "two.test": ["127.0.0.1"]})
    dead = free_port()
    call = publish([("one.test", dead, 1), ("two.test", servers["b"].port, 1)])
    for _ in range(6):
        assert call(method="GET").status == 200
        assert servers["b"].seen[-1].headers["host"] == f"two.test:{servers['b'].port}"


@pytest.mark.parametrize("method", ["GET", "POST", "PUT"])
def test_a_dead_address_costs_no_client_an_error(publish, servers, method):
    call = publish(
        [(free_port(), 1), (servers["b"].port, 1), (free_port(), 1)],
        retries=Retries(attempts=2, on=["error"]),
    )
    body = None if method == "GET" else b"x" * 100
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: call(method, body=body), range(60)))
    assert [answer.status for answer in answers] == [200] * 60
    assert {seen.body for seen in servers["b"].seen} == {body or b""}


def test_without_a_policy_a_dead_address_is_passed_over_too(publish, servers):
    call = publish([(free_port(), 1), (servers["b"].port, 1)])
    assert [call("POST", body=b"x" * 200_000).status for _ in range(6)] == [200] * 6
    assert {len(seen.body) for seen in servers["b"].seen} == {200_000}


@pytest.mark.parametrize("retries", [None, Retries(attempts=1, on=["error"])])
def test_a_kept_connection_that_the_server_gave_up_costs_no_client_an_error(gate, publish, retries):
    """The server closes each kept connection when its second request comes."""
    asked = Counter()

    def answer(request):
        asked[request.peer] += 1
        return Reply(drop=asked[request.peer] > 1)

    server = Scripted(answer)
    call = publish([(server.port, 1)], retries=retries)
    gate.world.backend("fickle", "127.0.0.1", server.port)
    gate.world.publish("fickle", {"op": operation("ANY", "/", integration=proxy("fickle"))})
    assert [call().status for _ in range(6)] == [200] * 6
    assert [gate.node.call("GET", "/fickle").status for _ in range(6)] == [200] * 6
    assert [gate.node.call("PUT", "/fickle", body=b"x").status for _ in range(6)] == [200] * 6
    server.stop()


def test_connections_of_calls_with_policies_are_kept(publish, servers):
    call = publish(
        [(server.port, 1) for server in servers.values()],
        retries=Retries(attempts=1, on=["error", "503"]),
        health=Health(failures=2, rest_ms=1000),
    )
    assert [call().status for _ in range(40)] == [200] * 40
    assert sum(len(server.connections) for server in servers.values()) <= 4  # one for each worker and server


def test_a_server_killed_under_load_costs_no_client_an_error(publish):
    first, second = named("first"), named("second")
    call = publish([(first.port, 1), (second.port, 1)], retries=Retries(attempts=1, on=["error"]))
    timer = threading.Timer(0.3, first.stop)
    timer.start()
    end, got = time.monotonic() + 1, Counter()
    while time.monotonic() < end:
        got[call().status] += 1
    timer.join()
    second.stop()
    assert set(got) == {200}
    assert got[200] > 50


@pytest.mark.parametrize("status", [502, 503, 504])
def test_a_status_is_tried_again_only_if_the_policy_says_so(publish, servers, status):
    servers["a"].answer = lambda _: Reply(b"sick", status=status)
    targets = [(servers["a"].port, 1), (servers["b"].port, 1)]
    call = publish(targets, retries=Retries(attempts=1, on=[str(status)]))
    assert [call().body for _ in range(6)] == [b"b"] * 6
    others = [each for each in ("error", "timeout", "502", "503", "504") if each != str(status)]
    call = publish(targets, retries=Retries(attempts=1, on=others))
    assert {call().status for _ in range(8)} == {200, status}


def test_when_all_are_sick_the_client_sees_the_last_answer(publish, servers):
    for name, server in servers.items():
        server.answer = lambda _, name=name: Reply(f"sick {name}".encode(), status=503)
    call = publish([(server.port, 1) for server in servers.values()], retries=Retries(attempts=5, on=["503"]))
    answer = call()
    assert (answer.status, answer.body[:4]) == (503, b"sick")
    assert sum(len(server.seen) for server in servers.values()) == 2  # never twice at one address


@pytest.mark.parametrize("path", ["/small", "/large"])
def test_a_post_that_may_have_run_is_never_made_twice(publish, servers, path):
    for server in servers.values():
        server.answer = lambda _: Reply(drop=True)
    call = publish(
        [(server.port, 1) for server in servers.values()],
        retries=Retries(attempts=3, on=["error", "timeout", "502", "503", "504"]),
    )
    body = b"x" * (10 if path == "/small" else 300_000)
    assert call("POST", path, body=body).status == 502
    assert sum(len(server.seen) for server in servers.values()) == 1
    for server in servers.values():
        server.answer = lambda _: Reply(status=503)
    assert call("POST", path, body=body).status == 503
    assert sum(len(server.seen) for server in servers.values()) == 2


@pytest.mark.parametrize("size", [10, 300_000])
def test_a_put_is_made_again_with_its_whole_body(publish, servers, size):
    servers["a"].answer = lambda _: Reply(status=503)
    call = publish([(server.port, 1) for server in servers.values()], retries=Retries(attempts=1, on=["503"]))
    body = bytes(number % 251 for number in range(size))
    assert [call("PUT", body=body).status for _ in range(4)] == [200] * 4
    assert all(seen.body == body for server in servers.values() for seen in server.seen)


def test_an_error_that_the_policy_leaves_out_is_told_at_once(publish, servers):
    servers["a"].answer = lambda _: Reply(drop=True)
    call = publish([(server.port, 1) for server in servers.values()], retries=Retries(attempts=1, on=["503"]))
    answers = [call() for _ in range(8)]
    assert {answer.status for answer in answers} == {200, 502}
    failed = next(answer for answer in answers if answer.status == 502)
    assert failed.json == {"message": "Network error communicating with endpoint"}


def test_a_timeout_is_tried_again_if_the_policy_says_so_within_one_deadline(publish, servers):
    servers["a"].answer = lambda _: time.sleep(1) or Reply()
    targets = [(server.port, 1) for server in servers.values()]
    call = publish(targets, timeout_ms=300, retries=Retries(attempts=1, on=["error"]))
    assert {call().status for _ in range(6)} == {200, 504}
    call = publish(targets, timeout_ms=600, retries=Retries(attempts=1, on=["timeout"]))
    for _ in range(4):
        started = time.monotonic()
        assert call().status == 200  # each try has its part of the time
        assert time.monotonic() - started < 0.59
    servers["b"].answer = servers["a"].answer
    started = time.monotonic()
    assert call().status == 504
    assert 0.55 < time.monotonic() - started < 1.1


def test_a_connection_that_nobody_takes_leaves_time_for_another_address(publish, servers, black_hole):
    call = publish(
        [(black_hole, 1), (servers["b"].port, 1)],
        timeout_ms=2000,
        connect_timeout_ms=100,
        retries=Retries(attempts=1, on=["error"]),
    )
    for _ in range(4):
        started = time.monotonic()
        assert call("POST", body=b"x").status == 200
        assert time.monotonic() - started < 1


def test_an_address_that_failed_rests_and_gets_one_trial_call(publish, servers):
    servers["a"].answer = lambda _: Reply(drop=True)
    call = publish(
        [(server.port, 1) for server in servers.values()],
        retries=Retries(attempts=1, on=["error"]),
        health=Health(failures=3, rest_ms=1500),
    )
    assert [call().status for _ in range(20)] == [200] * 20
    assert len(servers["a"].seen) == 3  # over both workers
    time.sleep(1.5)
    assert [call().status for _ in range(10)] == [200] * 10
    assert len(servers["a"].seen) == 4  # the trial failed
    time.sleep(1.5)
    servers["a"].answer = lambda _: Reply(b"a")
    got = Counter(call().body for _ in range(40))
    assert 15 <= got[b"a"] <= 25


def test_a_good_answer_forgets_earlier_failures(publish, servers):
    answers = iter([Reply(drop=True), Reply(drop=True), Reply(b"a")] * 100)
    servers["a"].answer = lambda _: next(answers)
    call = publish(
        [(server.port, 1) for server in servers.values()],
        retries=Retries(attempts=1, on=["error"]),
        health=Health(failures=3, rest_ms=60_000),
    )
    assert [call().status for _ in range(30)] == [200] * 30
    assert len(servers["a"].seen) >= 12  # never three in a row, so never at rest


def test_failures_without_retries_count_too(publish, servers):
    servers["a"].answer = lambda _: Reply(drop=True)
    call = publish(
        [(server.port, 1) for server in servers.values()], health=Health(failures=2, rest_ms=60_000)
    )
    got = Counter(call("POST", body=b"x").status for _ in range(20))
    assert got == {200: 18, 502: 2}


def test_when_all_rest_all_are_used(publish, servers):
    for server in servers.values():
        server.answer = lambda _: Reply(drop=True)
    call = publish(
        [(server.port, 1) for server in servers.values()], health=Health(failures=1, rest_ms=60_000)
    )
    assert {call("POST", body=b"x").status for _ in range(6)} == {502}
    for server in servers.values():
        server.answer = lambda _: Reply(b"well")
    assert {call().status for _ in range(6)} == {200}
    assert {call().body for _ in range(6)} == {b"well"}
