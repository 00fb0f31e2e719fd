"""The request log: what happened to a call, and why, in a ring that the agent empties."""

import contextlib
import http.client

import pytest

from gateway.agent.request_lines import parse
from gateway.entries import KeySource, Policy, Quota, Throttle
from gateway.request_log import RequestLog
from portal.embedded.ports import free_port
from tests.gateway.node import node_folder, start_nginx, wait_until
from tests.gateway.world import World, make_key, operation, proxy


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


def call_often(node, path, times):
    """Make calls on one connection, and wait until their lines are there."""
    before = len(node.usage())
    connection = http.client.HTTPConnection("127.0.0.1", node.settings.port, timeout=20)
    with contextlib.closing(connection):
        for _ in range(times):
            connection.request("GET", path)
            connection.getresponse().read()
    wait_until(
        lambda: path == "/ping" or len(node.usage()) == before + times, seconds=5, what="all usage lines"
    )


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
        assert line.query == "who=***&a=1"
        _, line = asked(gate, "GET", f"{path}?who=short&a=1")
        assert line.query == "who=***&a=1"


def test_the_budget_keeps_refusals_when_answers_used_theirs_up():
    with node_folder() as folder:
        node = start_nginx(folder, free_port(), workers="1", request_log_rate=1)
        try:
            world = World(node)
            world.publish("busy-stage", {"op": operation("OPTIONS", "/")})
            world.publish("quiet-stage", {"op": operation("GET", "/")})
            call_often(node, "/ping", 50)
            call_often(node, "/busy-stage/none", 100)
            found = lines_of(node)
            # a stage gets half of what 60 seconds allow, and pings are nobody's
            assert 30 <= len(found) <= 34
            assert {line.stage for line in found} == {"busy-stage"}
            call_often(node, "/quiet-stage/none", 1)
            (line,) = lines_of(node)
            assert line.stage == "quiet-stage"
        finally:
            node.stop()


def test_a_full_ring_loses_lines_and_goes_on():
    with node_folder() as folder:
        node = start_nginx(folder, free_port(), workers="1", request_log_rate=10_000, request_log_size=2**16)
        try:
            World(node).publish("full", {"op": operation("GET", "/")})
            call_often(node, "/full/none?" + "a" * 20, 400)
            with RequestLog(node.settings.request_log).open() as ring:
                lost = ring.lost
                kept, mark = ring.lines(10_000)
                ring.done(mark)
            assert len(kept) == 400 - lost
            assert lost > 0
            seen = 0
            for _ in range(5):  # round the ring's end, some times
                call_often(node, "/full/none", 100)
                seen += len(lines_of(node))
            assert seen == 500
        finally:
            node.stop()


def test_without_a_rate_there_is_no_ring():
    with node_folder() as folder:
        node = start_nginx(folder, free_port(), workers="1", request_log_rate=0)
        try:
            World(node).publish("off", {"op": operation("GET", "/")})
            assert node.call("GET", "/off/none").status == 403
            wait_until(lambda: len(node.usage()) == 1, seconds=3, what="the usage line")
            assert not node.settings.request_log.exists()
            assert "request log" not in node.errors()
        finally:
            node.stop()
