"""How many: quotas spent from leases that the agent hands out."""

import time

import pytest

from gateway.entries import Quota, Throttle
from tests.gateway.blackbox.test_throttle import flood
from tests.gateway.node import wait_until
from tests.gateway.world import operation


@pytest.fixture(scope="module", autouse=True)
def stage(gate):
    gate.world.publish("metered", {"op": operation("GET", "/", key_required=True)})


@pytest.fixture(autouse=True)
def reachable(gate):
    yield
    gate.agent.reachable, gate.agent.slice_size, gate.agent.seconds = True, 10, 0.0


def subscribe(gate, name, limit, *, offline=0, pool=None, **more):
    gate.agent.allow(name, limit if pool is None else pool)
    quota = Quota(limit=limit, period="MONTH", offline_allowance=offline)
    return gate.world.subscribe(name, ["metered"], quota=quota, **more)


def asks(gate, name):
    return [ask for ask in gate.agent.asked if ask["subscription"] == name]


@pytest.mark.parametrize("slice_size", [1, 7, 10, 1000])
def test_a_quota_of_n_admits_exactly_n_with_50_parallel_clients(gate, slice_size):
    gate.agent.slice_size = slice_size
    name = f"exact-{slice_size}"
    key = subscribe(gate, name, 100)
    assert flood(gate, "/metered", key=key) == {200: 100, 429: 100}
    assert gate.agent.pools[name] == 0


def test_a_spent_quota_says_until_when(gate):
    key = subscribe(gate, "spent", 1)
    assert gate.node.call("GET", "/metered", key=key).status == 200
    answer = gate.node.call("GET", "/metered", key=key)
    assert (answer.status, answer.json) == (429, {"message": "Limit Exceeded"})
    assert answer.headers["x-amzn-errortype"] == "LimitExceededException"
    assert abs(int(answer.headers["retry-after"]) - (gate.agent.window[1] - time.time())) < 3


def test_a_flood_of_refused_calls_asks_about_once_a_second(gate):
    key = subscribe(gate, "flood", 0)
    assert flood(gate, "/metered", key=key, calls=10) == {429: 500}
    assert len(asks(gate, "flood")) <= 4


def test_calls_that_find_the_lease_empty_join_in_one_ask(gate):
    gate.agent.slice_size, gate.agent.seconds = 1000, 0.2
    key = subscribe(gate, "join", 1000)
    assert flood(gate, "/metered", key=key, calls=1) == {200: 50}
    assert len(asks(gate, "join")) == 1


def test_more_is_asked_for_before_the_lease_is_spent(gate):
    key = subscribe(gate, "ahead", 100)
    for _ in range(9):
        assert gate.node.call("GET", "/metered", key=key).status == 200
    wait_until(lambda: len(asks(gate, "ahead")) == 2, seconds=2, what="the second ask")
    assert gate.agent.pools["ahead"] == 80


def test_the_headers_tell_what_is_left_and_a_refused_call_costs_nothing(gate):
    key = subscribe(gate, "headers", 50, throttle=Throttle(rate=0.001, burst=3))
    answers = [gate.node.call("GET", "/metered", key=key) for _ in range(6)]
    assert [answer.status for answer in answers] == [200, 200, 200, 429, 429, 429]
    assert {answer.headers["ratelimit-policy"] for answer in answers} == {
        '"plan";q=3;w=3000, "quota";q=50;w=7200'
    }
    left = [answer.headers["ratelimit"].split(", ")[1].split(";")[1] for answer in answers]
    assert left == ["r=49", "r=48", "r=47", "r=47", "r=47", "r=47"]


def test_a_call_over_quota_takes_no_token(gate):
    key = subscribe(gate, "no-token", 2, throttle=Throttle(rate=0.001, burst=4))
    answers = [gate.node.call("GET", "/metered", key=key) for _ in range(6)]
    assert [answer.json["message"] for answer in answers[2:]] == ["Limit Exceeded"] * 4
    assert answers[-1].headers["ratelimit"].startswith('"plan";r=2;')


def test_a_new_window_starts_anew(gate):
    before = gate.agent.window
    try:
        gate.agent.window = (time.time() - 10, time.time() + 0.7)
        key = subscribe(gate, "window", 3)
        assert [gate.node.call("GET", "/metered", key=key).status for _ in range(4)] == [200, 200, 200, 429]
        gate.agent.window = (gate.agent.window[1], gate.agent.window[1] + 100)
        gate.agent.allow("window", 3)
        time.sleep(0.8)
        assert [gate.node.call("GET", "/metered", key=key).status for _ in range(4)] == [200, 200, 200, 429]
    finally:
        gate.agent.window = before


def test_without_the_control_plane_the_allowance_is_admitted_and_reported(gate):
    gate.agent.reachable = False
    key = subscribe(gate, "offline", 100, offline=7)
    assert flood(gate, "/metered", key=key, calls=1) == {200: 7, 429: 43}
    answer = gate.node.call("GET", "/metered", key=key)
    assert (answer.status, answer.json, answer.headers["retry-after"]) == (
        429,
        {"message": "Limit Exceeded"},
        "10",
    )
    gate.agent.reachable = True
    time.sleep(1.1)
    assert gate.node.call("GET", "/metered", key=key).status == 200
    assert asks(gate, "offline")[-1]["offline_spent"] == 7
    gate.node.control("POST", "/leases/take")
    assert gate.node.call("GET", "/metered", key=key).status == 200
    assert asks(gate, "offline")[-1]["offline_spent"] == 0


def test_a_lease_is_spent_first_and_the_allowance_holds_for_the_whole_window(gate):
    key = subscribe(gate, "outage", 100, offline=3)
    assert gate.node.call("GET", "/metered", key=key).status == 200
    gate.agent.reachable = False
    assert flood(gate, "/metered", key=key, calls=1) == {200: 9 + 3, 429: 38}
    time.sleep(1.1)
    assert gate.node.call("GET", "/metered", key=key).status == 429


def test_without_an_allowance_an_outage_refuses(gate):
    gate.agent.reachable = False
    key = subscribe(gate, "refuse", 100)
    assert gate.node.call("GET", "/metered", key=key).status == 429


def test_an_agent_that_does_not_answer_holds_a_call_for_two_seconds_at_most(gate):
    gate.agent.seconds = 4
    key = subscribe(gate, "silent", 100, offline=5)
    started = time.monotonic()
    assert gate.node.call("GET", "/metered", key=key).status == 200
    assert time.monotonic() - started < 3


def test_unspent_leases_can_be_taken_back_once(gate):
    gate.node.control("POST", "/leases/take")
    key = subscribe(gate, "taken", 100)
    gate.node.call("GET", "/metered", key=key)
    taken = gate.node.control("POST", "/leases/take").json
    assert taken == {
        "leases": [
            {
                "subscription": "taken",
                "key": "",
                "starts_at": gate.agent.window[0],
                "epoch": 0,
                "units": 9,
            }
        ]
    }
    assert gate.node.control("POST", "/leases/take").json == {"leases": []}


def test_a_quota_that_the_control_plane_does_not_know_is_not_held_against_the_caller(gate):
    key = gate.world.subscribe("stale", ["metered"], quota=Quota(limit=5, period="DAY"))
    assert [gate.node.call("GET", "/metered", key=key).status for _ in range(8)] == [200] * 8
