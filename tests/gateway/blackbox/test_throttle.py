"""How fast: token buckets, exact with many clients and two workers."""

import http.client
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest

from gateway.entries import Installation, Plan, Throttle
from tests.gateway.world import make_key, operation

CLIENTS = 50


def flood(gate, path, *, key="", calls=4, clients=CLIENTS):
    """Count the statuses of `clients` parallel clients that make `calls` calls each, on kept connections."""

    def client(_number):
        connection = http.client.HTTPConnection("127.0.0.1", gate.node.settings.port, timeout=20)
        statuses = []
        for _ in range(calls):
            connection.request("GET", path, headers={"x-api-key": key} if key else {})
            answer = connection.getresponse()
            answer.read()
            statuses.append(answer.status)
        connection.close()
        return statuses

    with ThreadPoolExecutor(clients) as pool:
        return Counter(status for statuses in pool.map(client, range(clients)) for status in statuses)


def test_a_burst_admits_exactly_its_size_with_50_parallel_clients(gate):
    """A slow rate, so that nothing comes back during the test."""
    gate.world.publish("burst", {"op": operation("GET", "/")}, throttle=Throttle(rate=0.001, burst=60))
    assert flood(gate, "/burst") == {200: 60, 429: 140}
    assert flood(gate, "/burst", calls=1) == {429: 50}


def test_tokens_come_back_at_the_rate_and_never_above_the_burst(gate):
    gate.world.publish("rate", {"op": operation("GET", "/")}, throttle=Throttle(rate=20, burst=5))
    assert [gate.node.call("GET", "/rate").status for _ in range(4)] == [200] * 4
    time.sleep(1)
    started = time.monotonic()
    got = flood(gate, "/rate")
    elapsed = time.monotonic() - started
    assert 5 <= got[200] <= 5 + 20 * elapsed + 1


def test_a_throttled_call_is_told_when_to_come_back(gate):
    gate.world.publish("wait", {"op": operation("GET", "/")}, throttle=Throttle(rate=0.2, burst=1))
    assert gate.node.call("GET", "/wait").status == 200
    answer = gate.node.call("GET", "/wait")
    assert (answer.status, answer.json) == (429, {"message": "Too Many Requests"})
    assert answer.headers["x-amzn-errortype"] == "TooManyRequestsException"
    assert answer.headers["retry-after"] == "5"


@pytest.mark.parametrize(("rate", "burst"), [(0, 0), (0, 5), (5, 0)])
def test_a_rate_or_burst_of_zero_blocks(gate, rate, burst):
    gate.world.publish("zero", {"op": operation("GET", "/")}, throttle=Throttle(rate=rate, burst=burst))
    assert gate.node.call("GET", "/zero").status == 429


def test_a_call_refused_by_one_bucket_takes_from_none(gate):
    """The operation's bucket refuses most calls; they must cost the stage and the plan nothing."""
    operations = {
        "narrow": operation("GET", "/narrow", key_required=True, throttle=Throttle(rate=0.001, burst=5)),
        "wide": operation("GET", "/wide", key_required=True),
    }
    gate.world.publish("several", operations, throttle=Throttle(rate=0.001, burst=30))
    key = gate.world.subscribe("several", ["several"], throttle=Throttle(rate=0.001, burst=20))
    assert flood(gate, "/several/narrow", key=key) == {200: 5, 429: 195}
    assert flood(gate, "/several/wide", key=key) == {200: 15, 429: 185}
    other = gate.world.subscribe("several-2", ["several"], throttle=Throttle(rate=0.001, burst=20))
    assert flood(gate, "/several/wide", key=other) == {200: 10, 429: 190}


def test_the_plans_bucket_is_of_the_subscription_not_of_the_key_or_the_plan(gate):
    gate.world.publish("mine", {"op": operation("GET", "/", key_required=True)})
    key = gate.world.subscribe("mine", ["mine"], throttle=Throttle(rate=0.001, burst=2))
    assert [gate.node.call("GET", "/mine", key=key).status for _ in range(3)] == [200, 200, 429]
    second = make_key()
    gate.world.put_key(second, id="second", active=True, subscriptions=["mine"])
    assert gate.node.call("GET", "/mine", key=second).status == 429
    other = gate.world.subscribe("mine-2", ["mine"], throttle=Throttle(rate=0.001, burst=2))
    assert gate.node.call("GET", "/mine", key=other).status == 200


def test_a_changed_limit_holds_at_the_next_call_and_keeps_what_was_taken(gate):
    gate.world.publish("edit", {"op": operation("GET", "/", key_required=True)})
    key = gate.world.subscribe("edit", ["edit"], throttle=Throttle(rate=0.001, burst=3))
    assert [gate.node.call("GET", "/edit", key=key).status for _ in range(4)] == [200, 200, 200, 429]
    gate.world.put("plan", "plan-edit", Plan(stages=["edit"], throttle=Throttle(rate=0.001, burst=5)))
    assert [gate.node.call("GET", "/edit", key=key).status for _ in range(3)] == [200, 200, 429]
    gate.world.put("plan", "plan-edit", Plan(stages=["edit"]))
    assert gate.node.call("GET", "/edit", key=key).status == 200


def test_the_ratelimit_headers_come_from_the_bucket_that_decides(gate):
    gate.world.publish("told-limit", {"op": operation("GET", "/", key_required=True)})
    key = gate.world.subscribe("told-limit", ["told-limit"], throttle=Throttle(rate=0.5, burst=3))
    answers = [gate.node.call("GET", "/told-limit", key=key) for _ in range(4)]
    assert [answer.status for answer in answers] == [200, 200, 200, 429]
    assert {answer.headers["ratelimit-policy"] for answer in answers} == {'"plan";q=3;w=6'}
    assert [answer.headers["ratelimit"] for answer in answers] == [
        '"plan";r=2;t=2',
        '"plan";r=1;t=4',
        '"plan";r=0;t=6',
        '"plan";r=0;t=2',
    ]
    assert "ratelimit" not in gate.node.call("GET", "/open/x").headers


def test_a_bucket_of_the_installation_holds_over_all_stages_and_takes_nothing_from_others(gate):
    gate.world.publish("one", {"op": operation("GET", "/")}, throttle=Throttle(rate=0.001, burst=100))
    gate.world.publish("two", {"op": operation("GET", "/")})
    gate.world.put("installation", "installation", Installation(throttle=Throttle(rate=0.001, burst=70)))
    try:
        assert flood(gate, "/one", calls=1) == {200: 50}
        assert flood(gate, "/two", calls=1) == {200: 20, 429: 30}
        assert flood(gate, "/one", calls=1) == {429: 50}
    finally:
        gate.world.put("installation", "installation", None)
    assert flood(gate, "/one", calls=2) == {200: 50, 429: 50}, "what was refused took no token"


def test_a_plan_may_limit_single_operations(gate):
    operations = {
        name: operation("GET", f"/{name}", key_required=True) for name in ("dear", "cheap", "other")
    }
    gate.world.publish("priced", operations)
    key = gate.world.subscribe("narrow", ["priced"])
    throttles = {"priced": {"dear": Throttle(0.001, 5), "*": Throttle(0.001, 12)}}
    plan = Plan(stages=["priced"], throttle=Throttle(0.001, 25), operation_throttles=throttles)
    gate.world.put("plan", "plan-narrow", plan)
    answer = gate.node.call("GET", "/priced/dear", key=key)
    assert answer.headers["ratelimit-policy"] == '"operation";q=5;w=5000, "plan";q=25;w=25000'
    assert answer.headers["ratelimit"].startswith('"operation";r=4;t=')
    assert '"plan";r=24;t=' in answer.headers["ratelimit"]
    assert flood(gate, "/priced/dear", key=key, calls=1) == {200: 4, 429: 46}
    assert flood(gate, "/priced/cheap", key=key, calls=1) == {200: 12, 429: 38}
    assert flood(gate, "/priced/other", key=key, calls=1) == {200: 8, 429: 42}, "the plan's bucket is spent"
