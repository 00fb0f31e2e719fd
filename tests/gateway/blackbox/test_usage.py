"""The usage log: one line for each call, whatever became of it."""

import os
import re
import signal
import time

import pytest

from gateway.entries import Integration, Quota, Throttle
from portal.embedded.ports import free_port
from tests.gateway.blackbox.test_throttle import flood
from tests.gateway.node import wait_until
from tests.gateway.world import operation, proxy


def one_line(gate, *call, **more):
    """Make one call; returns its answer and its only usage line."""
    before = len(gate.node.usage())
    answer = gate.node.call(*call, **more)
    found = gate.node.usage_after(before)
    assert len(found) == 1
    assert found[0]["status"] == str(answer.status)
    return answer, found[0]


@pytest.fixture(scope="module")
def key(gate):
    gate.world.publish("used", {"op-1": operation("GET", "/x", key_required=True)})
    return gate.world.subscribe("user", ["used"])


def test_an_answered_call_has_all_dimensions_and_real_sizes(gate, key):
    started = time.time()
    _, line = one_line(gate, "GET", "/used/x?bytes=5000", key=key)
    names = ("subscription", "key", "stage", "operation", "status", "verdict")
    assert [line[name] for name in names] == ["user", "key-user", "used", "op-1", "200", "-"]
    assert re.fullmatch(r"\d{10}\.\d{3}", line["msec"])
    assert started - 0.01 <= float(line["msec"]) <= time.time() + 0.01
    assert 5000 < int(line["bytes_sent"]) < 6000
    assert 60 < int(line["request_length"]) < 400
    assert 0 <= float(line["upstream_response_time"]) < 5
    assert 0 <= float(line["request_time"]) < 5


def test_refused_calls_are_logged_with_their_verdict(gate, key):
    gate.world.publish("tight", {"op": operation("GET", "/")}, throttle=Throttle(rate=0.001, burst=1))
    gate.world.publish("shut", {"op": operation("GET", "/")}, suspended=True)
    gate.world.publish("none", {"op": operation("GET", "/", integration=Integration(type="unserved"))})
    gate.node.call("GET", "/tight")
    gate.agent.allow("dry", 0)
    dry = gate.world.subscribe("dry", ["used"], quota=Quota(limit=1, period="DAY"))
    off = gate.world.subscribe("logged-off", ["used"])
    gate.world.put_key(off, id="key-logged-off", active=False, subscriptions=["logged-off"])
    calls = {
        ("/nowhere", ""): ("- - - -", "MISSING_AUTHENTICATION_TOKEN"),
        ("/used/unknown", key): ("- key-user used -", "MISSING_AUTHENTICATION_TOKEN"),
        ("/used/x", ""): ("- - used op-1", "INVALID_API_KEY"),
        ("/used/x", off): ("- key-logged-off used op-1", "INVALID_API_KEY"),
        ("/used/x", dry): ("dry key-dry used op-1", "QUOTA_EXCEEDED"),
        ("/tight", ""): ("- - tight op", "THROTTLED"),
        ("/shut", ""): ("- - shut -", "ACCESS_DENIED"),
        ("/none", ""): ("- - none op", "API_CONFIGURATION_ERROR"),
        ("/open/../x", ""): ("- - - -", "BAD_REQUEST"),
    }
    for (path, text), (dimensions, verdict) in calls.items():
        _, line = one_line(gate, "GET", path, key=text)
        names = ("subscription", "key", "stage", "operation")
        assert " ".join(line[name] for name in names) == dimensions, path
        assert (line["verdict"], line["upstream_response_time"]) == (verdict, "-"), path


def test_a_failed_integration_keeps_its_dimensions_and_has_its_verdict(gate):
    gate.world.backend("away", "127.0.0.1", free_port())
    gate.world.backend("late", "127.0.0.1", gate.backend.port, timeout_ms=100)
    gate.world.publish(
        "failing",
        {
            "op-away": operation("GET", "/away", key_required=True, integration=proxy("away")),
            "op-late": operation("GET", "/late", key_required=True, integration=proxy("late")),
        },
    )
    key = gate.world.subscribe("failing", ["failing"])
    _, line = one_line(gate, "GET", "/failing/away", key=key)
    names = ("subscription", "key", "stage", "operation", "verdict")
    assert [line[name] for name in names] == [
        "failing", "key-failing", "failing", "op-away", "INTEGRATION_FAILURE",
    ]  # fmt: skip
    _, line = one_line(gate, "GET", "/failing/late?sleep=0.3", key=key)
    assert [line[name] for name in names] == [
        "failing", "key-failing", "failing", "op-late", "INTEGRATION_TIMEOUT",
    ]  # fmt: skip


def test_a_backends_own_error_is_no_verdict(gate):
    _, line = one_line(gate, "GET", "/open/x?status=502")
    assert (line["status"], line["verdict"]) == ("502", "-")


def test_killed_workers_leave_no_lock_and_lose_at_most_the_call_they_were_ending(gate):
    """The kills come right after an answer: nginx writes a line some microseconds after the answer's last byte."""
    gate.world.publish("killed", {"op": operation("GET", "/")}, throttle=Throttle(rate=1e6, burst=1_000_000))
    answered, kills = 0, 6
    before = len(gate.node.usage())
    for _ in range(kills):
        os.kill(gate.node.workers()[0], signal.SIGKILL)
        for _ in range(40):
            try:
                answered += gate.node.call("GET", "/killed").status == 200
            except OSError:
                time.sleep(0.01)
    wait_until(lambda: len(gate.node.workers()) == 2, seconds=3, what="a new worker")
    answered += flood(gate, "/killed", calls=2)[200]
    assert answered > 200
    time.sleep(0.3)
    lines = [line for line in gate.node.usage()[before:] if line["stage"] == "killed"]
    served = [line["status"] for line in lines].count("200")
    assert answered - kills <= served <= answered + kills
