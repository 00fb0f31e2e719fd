"""The request log: what happened to a call, and why, in a ring that the agent empties."""

import struct
import time

import pytest

from gateway.agent.request_lines import parse
from gateway.entries import KeySource, Policy, Quota, Throttle
from gateway.nginx.start import prepare
from gateway.request_log import RequestLog
from gateway.settings import NodeSettings
from portal.embedded.ports import free_port
from tests.gateway.node import node_folder
from tests.gateway.world import make_key, operation, proxy


def lines_of(node):
    """Take all lines out of the node's ring."""
    with RequestLog(node.settings.request_log).open() as ring:
        raw, mark = ring.lines(10_000)
        ring.done(mark)
    return [parse(line) for line in raw]


def asked(gate, *call, **more):
    """Make one call; returns its answer and its only line."""
    lines_of(gate.node)
    answer = gate.node.call(*call, **more)
    (line,) = lines_of(gate.node)
    assert line.id == answer.headers["x-amzn-requestid"]
    assert line.status == answer.status
    return answer, line


SIZE, WRITTEN, READ, LOST, DUE, SHARES = 32, 40, 48, 56, 64, 80  # where the ring's head has its numbers


def peek(node, place, number=1):
    raw = node.settings.request_log.read_bytes()[place : place + 8 * number]
    return struct.unpack(f"={number}d", raw)


def poke(node, place, *values):
    with node.settings.request_log.open("r+b") as file:
        file.seek(place)
        file.write(struct.pack(f"={len(values)}d", *values))


def budget(node, spent_until):
    """Take all unread lines out, and say up to when every budget is spent."""
    lines_of(node)
    poke(node, DUE, *[spent_until] * (2 + 2 * 256))


@pytest.fixture(scope="module")
def key(gate):
    gate.world.publish("asked", {"op-1": operation("GET", "/x/{name}", key_required=True)})
    return gate.world.subscribe(
        "asker", ["asked"], throttle=Throttle(rate=1000, burst=900), quota=Quota(limit=1000, period="DAY")
    )


def test_an_answered_call_has_its_line(gate, key):
    gate.agent.allow("asker", 100)
    _, line = asked(
        gate, "GET", "/asked/x/one?bytes=2000&sleep=0.05&token=abc", key=key, headers={"Cookie": "a=b"}
    )
    assert [line.subscription, line.key, line.stage, line.operation] == [
        "asker",
        "key-asker",
        "asked",
        "op-1",
    ]
    assert [line.method, line.host, line.path] == ["GET", "gate.test", "/asked/x/one"]
    assert line.query == "bytes=2000&sleep=0.05&token=***"
    assert [line.status, line.verdict, line.why, line.tries, line.address] == [
        200,
        "",
        "",
        "200",
        "127.0.0.1",
    ]
    assert 2000 < line.bytes_out < 3000
    assert line.latency_ms >= line.backend_ms >= 50
    assert line.limit_policy == '"plan";q=900;w=1, "quota";q=1000;w=7200'
    assert line.limit_left.startswith('"plan";r=899;t=1, "quota";r=')


def test_no_key_and_no_header_is_in_the_file(gate, key):
    gate.node.call(
        "GET", "/asked/x/one", key=key, headers={"Authorization": "Bearer sesame", "Cookie": "c=raisin"}
    )
    raw = gate.node.settings.request_log.read_bytes()
    assert key.encode() not in raw
    assert b"sesame" not in raw
    assert b"raisin" not in raw


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (None, "MISSING"),
        ("wrong", "MALFORMED"),
        ("unknown", "NOT_FOUND"),
        ({"active": False}, "DISABLED"),
        ({"active": True, "expires_at": 1000}, "EXPIRED"),
        ({"active": True, "subscriptions": []}, "NOT_SUBSCRIBED"),
        ({"active": True, "ips": ["10.0.0.0/8"]}, "IP_NOT_ALLOWED"),
    ],
)
def test_a_refused_key_says_why(gate, key, change, why):
    text = (
        {None: "", "wrong": "nonsense", "unknown": make_key()}.get(change)
        if not isinstance(change, dict)
        else None
    )
    if text is None:
        text = make_key()
        gate.world.put_key(text, **{"id": "key-odd", "subscriptions": ["asker"], **change})
    _, line = asked(gate, "GET", "/asked/x/one", key=text)
    assert (line.verdict, line.why) == ("INVALID_API_KEY", why)
    assert line.key == ("key-odd" if isinstance(change, dict) else "")


def test_a_throttled_call_says_which_limit(gate):
    gate.world.publish("slow", {"op": operation("GET", "/")}, throttle=Throttle(rate=0.01, burst=1))
    gate.node.call("GET", "/slow")
    _, line = asked(gate, "GET", "/slow")
    assert (line.verdict, line.why) == ("THROTTLED", "stage 0.01 1")
    key = gate.world.subscribe("slower", ["slow-plan"], throttle=Throttle(rate=0.02, burst=1))
    gate.world.publish(
        "slow-plan", {"op": operation("GET", "/", key_required=True)}, throttle=Throttle(9000, 9000)
    )
    gate.node.call("GET", "/slow-plan", key=key)
    _, line = asked(gate, "GET", "/slow-plan", key=key)
    assert (line.verdict, line.why) == ("THROTTLED", "plan 0.02 1")


def test_other_refusals_say_why(gate, key):
    world = gate.world
    gate.agent.allow("spent", 0)
    spent = world.subscribe("spent", ["asked"], quota=Quota(limit=1, period="DAY"))
    world.publish("shut-off", {"op": operation("GET", "/")}, suspended=True)
    world.publish(
        "fenced", {"op": operation("GET", "/")}, policy=Policy(ip={"allow": ["10.0.0.0/8"], "deny": []})
    )
    world.backend("nobody", "127.0.0.1", free_port())
    world.publish("broken", {"op": operation("GET", "/", integration=proxy("nobody"))})
    expected = {
        "/asked/x/one": ("QUOTA_EXCEEDED", ""),
        "/asked/y": ("MISSING_AUTHENTICATION_TOKEN", ""),
        "/shut-off": ("ACCESS_DENIED", "suspended"),
        "/fenced": ("ACCESS_DENIED", "networks"),
        "/broken": ("INTEGRATION_FAILURE", ""),
        "/to/nowhere": ("MISSING_AUTHENTICATION_TOKEN", ""),
    }
    for path, (verdict, why) in expected.items():
        _, line = asked(gate, "GET", path, key=spent)
        assert (line.verdict, line.why) == (verdict, why), path
        # whoever called finds it, though nobody looked at the key to refuse it
        assert line.key == ("" if path == "/broken" else "key-spent"), path


def test_a_key_in_the_query_is_masked_whatever_its_name_and_whoever_refused_the_call(gate):
    world = gate.world
    source = KeySource(place="query", name="who")
    operations = {"op": operation("GET", "/", key_required=True)}
    world.publish("queried", operations, key_source=source)
    world.publish(
        "queried-fenced", operations, key_source=source, policy=Policy(ip={"allow": ["10.0.0.0/8"]})
    )
    key = world.subscribe("queried", ["queried", "queried-fenced"])
    for path in ("/queried", "/queried-fenced"):
        _, line = asked(gate, "GET", f"{path}?who={key}&a=1")
        assert (line.query, line.key) == ("who=***&a=1", "key-queried")
        _, line = asked(gate, "GET", f"{path}?who=short&a=1")
        assert line.query == "who=***&a=1"


def test_each_line_takes_from_the_budget_of_its_kind_and_of_its_stage(gate):
    lines_of(gate.node)
    poke(gate.node, DUE, *[0.0] * (2 + 2 * 256))
    started = time.time()
    for path in ("/open/x", "/open/x?status=500", "/open/x?status=404"):
        gate.node.call("GET", path)
    answered, failed = (due - started for due in peek(gate.node, DUE, 2))
    # one line of twenty a second, by nginx's clock, which is some ms behind
    assert 0.04 <= answered < 2
    assert answered + 0.04 < failed < answered + 2
    shares = [due - started for due in peek(gate.node, SHARES, 512) if due]
    assert len(shares) == 2
    assert 0.09 <= min(shares) <= max(shares) < 2.2


def test_beyond_the_budget_a_call_leaves_no_line(gate):
    lines_of(gate.node)
    for dues, seen in {(61.0, 0.0): [404], (0.0, 61.0): [200], (61.0, 61.0): []}.items():
        poke(gate.node, DUE, *(time.time() + due for due in dues))
        for status in (200, 404):
            gate.node.call("GET", f"/open/x?status={status}")
        assert [line.status for line in lines_of(gate.node)] == seen
    poke(gate.node, DUE, 0.0, 0.0)
    poke(gate.node, SHARES, *[time.time() + 61] * 512)
    gate.node.call("GET", "/open/x")
    assert lines_of(gate.node) == []
    poke(gate.node, SHARES, *[time.time() + 1_000] * 512)  # the clock was put back
    gate.node.call("GET", "/open/x")
    assert len(lines_of(gate.node)) == 1


def test_a_full_ring_loses_lines_and_goes_on_and_its_end_is_no_end(gate):
    lines_of(gate.node)
    (size,), (written,), (lost,) = (peek(gate.node, place) for place in (SIZE, WRITTEN, LOST))
    poke(gate.node, READ, written - size)
    assert gate.node.call("GET", "/open/x").status == 200
    assert peek(gate.node, LOST) == (lost + 1,)
    poke(gate.node, WRITTEN, 3 * size - 24, 3 * size - 24)
    for _ in range(3):
        gate.node.call("GET", "/open/round")
    assert peek(gate.node, WRITTEN)[0] > 3 * size
    assert [line.path for line in lines_of(gate.node)] == ["/open/round"] * 3


LOGGED = {"": [200, 404], "all": [200, 404], "errors": [404], "off": []}


@pytest.mark.parametrize(("mode", "seen"), LOGGED.items())
def test_a_stage_says_which_of_its_calls_are_logged(gate, mode, seen):
    gate.world.publish("said", {"op": operation("GET", "/")}, request_log=mode)
    budget(gate.node, 0.0)
    for status in (200, 404):
        gate.node.call("GET", f"/said?status={status}")
    assert [line.status for line in lines_of(gate.node)] == seen


@pytest.mark.parametrize(
    ("stage", "plan", "seen"),
    [("", "off", []), ("off", "", []), ("errors", "sample", [404]), ("all", "errors", [404])],
)
def test_of_a_stage_and_a_plan_the_narrower_holds_without_a_reload(gate, stage, plan, seen):
    gate.world.publish("said-both", {"op": operation("GET", "/", key_required=True)}, request_log=stage)
    key = gate.world.subscribe("said-both", ["said-both"], request_log=plan)
    budget(gate.node, 0.0)
    for status in (200, 404):
        gate.node.call("GET", f"/said-both?status={status}", key=key)
    assert [line.status for line in lines_of(gate.node)] == seen


def test_a_sample_is_some_of_the_answered_calls_and_all_of_the_others(gate):
    gate.world.publish("sampled", {"op": operation("GET", "/")}, request_log="sample")
    budget(gate.node, 0.0)
    for status in [200] * 200 + [404] * 3:
        gate.node.call("GET", f"/sampled?status={status}")
    statuses = [line.status for line in lines_of(gate.node)]
    assert statuses.count(404) == 3
    assert 4 <= statuses.count(200) <= 45  # of 200 one in ten; outside of this once in a million


def test_pings_are_nobodys(gate):
    lines_of(gate.node)
    assert gate.node.call("GET", "/ping").status == 200
    assert lines_of(gate.node) == []


def test_without_a_rate_there_is_no_ring():
    with node_folder() as folder:
        prepare(NodeSettings(folder=folder, request_log_rate=0))
        assert not NodeSettings(folder=folder).request_log.exists()
