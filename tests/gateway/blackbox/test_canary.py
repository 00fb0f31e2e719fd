"""A canary gets its share of a stage's calls, with a deployment and answers of its own."""

from collections import Counter

import pytest

from gateway.entries import Cache, Canary, Policy, Throttle
from gateway.trie import build
from tests.gateway.scripted import Reply, Scripted
from tests.gateway.world import operation, proxy


@pytest.fixture(scope="module", autouse=True)
def servers(gate):
    made = {}
    for name in ("base", "canary"):
        made[name] = Scripted(lambda request, name=name: Reply(f"{name} {request.path}".encode()))
        gate.world.backend(name, "127.0.0.1", made[name].port)
    yield made
    for server in made.values():
        server.stop()


def canary(operations, percent, **more):
    trie = build((name, each.method, each.path) for name, each in operations.items())
    return Canary(**{"percent": percent, "deployment": "d2", "operations": operations, "trie": trie, **more})


def op(backend, path="/x", **more):
    return operation("GET", path, integration=proxy(backend), **more)


def publish(gate, name, percent, *, policy=None, stage=None, **more):
    new = {"new": op("canary", "/new"), "op": op("canary", policy=policy)}
    gate.world.publish(
        name,
        {"op": op("base", policy=policy)},
        canary=canary(new, percent, **more),
        **(stage or {}),
    )


def test_the_share_is_drawn_for_each_call_and_marked_in_the_usage_line(gate):
    publish(gate, "shared", 30.0)
    before = len(gate.node.usage())
    got = Counter(gate.node.call("GET", "/shared/x").body.split()[0] for _ in range(600))
    # 600 draws of 0.3: the standard deviation is 11.2, five of them are 56
    assert 124 <= got[b"canary"] <= 236
    assert got.total() == 600
    flags = Counter(line["flags"] for line in gate.node.usage_after(before + 599)) + Counter(
        line["flags"] for line in gate.node.usage()[before : before + 599]
    )
    assert flags == {"c": got[b"canary"], "-": got[b"base"]}


@pytest.mark.parametrize(("percent", "served", "new"), [(0.0, b"base /x", 403), (100.0, b"canary /x", 200)])
def test_nothing_and_everything(gate, percent, served, new):
    publish(gate, f"all-{percent:.0f}", percent)
    for _ in range(50):
        assert gate.node.call("GET", f"/all-{percent:.0f}/x").body == served
    assert gate.node.call("GET", f"/all-{percent:.0f}/new").status == new


def test_both_share_the_limits_of_the_stage_and_of_the_operation(gate):
    publish(gate, "limited", 50.0, stage={"throttle": Throttle(rate=0.001, burst=10)})
    got = [gate.node.call("GET", "/limited/x").status for _ in range(30)]
    assert got.count(200) == 10
    limited = {"throttle": Throttle(rate=0.001, burst=5)}
    gate.world.publish(
        "limited-op",
        {"op": op("base", **limited)},
        canary=canary({"op": op("canary", **limited)}, 50.0),
    )
    assert [gate.node.call("GET", "/limited-op/x").status for _ in range(20)].count(200) == 5


def test_promoting_and_removing_hold_at_the_next_call(gate):
    publish(gate, "moving", 0.0)
    assert gate.node.call("GET", "/moving/x").body == b"base /x"
    publish(gate, "moving", 100.0)
    assert gate.node.call("GET", "/moving/x").body == b"canary /x"
    gate.world.publish("moving", {"op": op("base")})
    assert gate.node.call("GET", "/moving/x").body == b"base /x"


def test_a_canary_skips_the_cache_unless_it_may_use_it(gate):
    policy = Policy(cache=Cache(ttl=60))
    publish(gate, "kept", 0.0, policy=policy)
    assert gate.node.call("GET", "/kept/x").headers["x-cache"] == "Miss"
    publish(gate, "kept", 100.0, policy=policy)
    for _ in range(2):
        answer = gate.node.call("GET", "/kept/x")
        assert (answer.body, answer.headers.get("x-cache")) == (b"canary /x", None)
    publish(gate, "kept", 100.0, policy=policy, use_cache=True)
    before = len(gate.node.usage())
    answers = [gate.node.call("GET", "/kept/x") for _ in range(2)]
    assert [(each.body, each.headers["x-cache"]) for each in answers] == [
        (b"canary /x", "Miss"), (b"canary /x", "Hit"),
    ]  # fmt: skip
    gate.node.usage_after(before + 1)
    assert [line["flags"] for line in gate.node.usage()[before:]] == ["cm", "ch"]


def test_the_same_deployment_shares_its_answers(gate):
    policy = Policy(cache=Cache(ttl=60))
    publish(gate, "same", 0.0, policy=policy, deployment="d1", use_cache=True)
    assert gate.node.call("GET", "/same/x").body == b"base /x"
    publish(gate, "same", 100.0, policy=policy, deployment="d1", use_cache=True)
    answer = gate.node.call("GET", "/same/x")
    assert (answer.body, answer.headers["x-cache"]) == (b"base /x", "Hit")
