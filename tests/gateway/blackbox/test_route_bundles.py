"""Operations that look alike share parts of the route tree and most of what is prepared; each stays itself."""

import pytest

from gateway.entries import Canary, Integration, IpRules, Policy, Target, Throttle
from gateway.trie import build
from tests.gateway.world import operation

RESOURCES = 40
BELOW = 50  # more than one bundle takes


def named(gate, name, method, path, *, mark="", **more):
    """An operation that answers with its mark, its name and what its variables caught, as the backend's path."""
    captured = [piece for number in range(path.count("{")) for piece in ("/", number)]
    target = Target("http", "127.0.0.1", gate.backend.port)
    integration = Integration(type="http_proxy", target=target, path=[f"/{mark}{name}", *captured])
    return operation(method, path, integration=integration, **more)


def alike(gate, *, mark="", numbers=range(RESOURCES)):
    """Resources of one shape, and one with more operations than a bundle takes."""
    paths = {}
    for n in numbers:
        paths[f"list{n}"] = ("GET", f"/r{n}")
        paths[f"make{n}"] = ("POST", f"/r{n}")
        paths[f"read{n}"] = ("GET", f"/r{n}/{{id}}")
        paths[f"file{n}"] = ("GET", f"/r{n}/{{id}}.json")
        paths[f"rest{n}"] = ("GET", f"/r{n}/{{id}}/all/{{rest+}}")
    for n in range(BELOW):
        paths[f"part{n}"] = ("GET", f"/large/{{id}}/p{n}/{{part}}")
    return {name: named(gate, name, *each, mark=mark) for name, each in paths.items()}


def reached(gate, method, path):
    answer = gate.node.call(method, path)
    return answer.json["path"] if answer.status == 200 else answer.status


@pytest.mark.parametrize("turn", ["first", "again"])
def test_resources_of_one_shape_keep_their_own_operations(gate, turn):
    if turn == "first":
        gate.world.publish("alike", alike(gate))
    for n in range(RESOURCES):
        assert reached(gate, "GET", f"/alike/r{n}") == f"/list{n}"
        assert reached(gate, "POST", f"/alike/r{n}/") == f"/make{n}"
        assert reached(gate, "GET", f"/alike/r{n}/{n}x") == f"/read{n}/{n}x"
        assert reached(gate, "GET", f"/alike/r{n}/a.json") == f"/file{n}/a"
        assert reached(gate, "GET", f"/alike/r{n}/a.json/all/b/c/") == f"/rest{n}/a.json/b/c/"
        assert reached(gate, "POST", f"/alike/r{n}/a") == 403
    for n in range(BELOW):
        assert reached(gate, "GET", f"/alike/large/{n}/p{n}/x") == f"/part{n}/{n}/x"
        assert reached(gate, "GET", f"/alike/large/{n}/p{n}") == 403


def test_a_new_push_of_the_stage_replaces_operations_of_the_same_shape(gate):
    for mark in ("old-", "new-", "newest-"):
        gate.world.publish("pushed", alike(gate, mark=mark))
        for n in (0, 7, 0):
            assert reached(gate, "GET", f"/pushed/r{n}/a") == f"/{mark}read{n}/a"
            assert reached(gate, "GET", f"/pushed/large/a/p{n}/b") == f"/{mark}part{n}/a/b"
    gate.world.publish("pushed", alike(gate, numbers=range(1, 3)))
    assert reached(gate, "GET", "/pushed/r0/a") == 403
    assert reached(gate, "GET", "/pushed/r1/a") == "/read1/a"


def test_a_canary_has_its_own_operations_in_a_tree_of_the_same_shape(gate):
    new = alike(gate, mark="canary-", numbers=range(5, 15))
    trie = build((name, each.method, each.path) for name, each in new.items())
    for percent, mark in ((100.0, "canary-"), (0.0, "")):
        canary = Canary(percent=percent, deployment="d2", operations=new, trie=trie)
        gate.world.publish("canaried", alike(gate, numbers=range(10)), canary=canary)
        for n in (5, 9, 5):
            assert reached(gate, "GET", f"/canaried/r{n}/a") == f"/{mark}read{n}/a"
        assert reached(gate, "GET", "/canaried/r12") == ("/canary-list12" if mark else 403)
        assert reached(gate, "GET", "/canaried/r2") == (403 if mark else "/list2")


def test_operations_of_one_kind_keep_their_own_limits_and_those_of_another_their_policies(gate):
    operations = {
        "free": named(gate, "free", "GET", "/free/{id}"),
        "throttled": named(gate, "throttled", "GET", "/throttled/{id}", throttle=Throttle(0, 0)),
        "closed": named(
            gate, "closed", "GET", "/closed/{id}", policy=Policy(ip=IpRules(deny=["127.0.0.0/8"]))
        ),
        "keyed": named(gate, "keyed", "GET", "/keyed/{id}", key_required=True),
        "unserved": operation("GET", "/unserved/{id}", integration=Integration(type="unserved", reason="no")),
    }
    gate.world.publish("kinds", operations)
    for _ in range(2):
        assert reached(gate, "GET", "/kinds/free/1") == "/free/1"
        assert reached(gate, "GET", "/kinds/throttled/1") == 429
        assert reached(gate, "GET", "/kinds/closed/1") == 403
        assert reached(gate, "GET", "/kinds/keyed/1") == 403
        assert reached(gate, "GET", "/kinds/unserved/1") == 500
    key = gate.world.subscribe("kinds-keyed", ["kinds"])
    before = len(gate.node.usage())
    assert gate.node.call("GET", "/kinds/keyed/1", key=key).json["path"] == "/keyed/1"
    assert [line["operation"] for line in gate.node.usage_after(before)] == ["keyed"]
