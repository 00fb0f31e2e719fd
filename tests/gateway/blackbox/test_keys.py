"""Who may call: keys, their deadlines, subscriptions and plans."""

import hashlib
import time

import pytest

from gateway.entries import Plan, Subscription
from tests.gateway.world import make_key, operation


@pytest.fixture(scope="module", autouse=True)
def stage(gate):
    gate.world.publish("keyed", {"op": operation("GET", "/", key_required=True)})


def call(gate, key, path="/keyed"):
    return gate.node.call("GET", path, key=key)


def assert_forbidden(answer):
    assert (answer.status, answer.json) == (403, {"message": "Forbidden"})
    assert answer.headers["x-amzn-errortype"] == "ForbiddenException"
    assert answer.headers["content-type"] == "application/json"


def changed(text, position):
    """The text with one character changed."""
    return text[:position] + ("A" if text[position] != "A" else "B") + text[position + 1 :]


def test_a_good_key_opens_the_stages_of_its_plan(gate):
    key = gate.world.subscribe("good", ["keyed"])
    assert [call(gate, key).status for _ in range(5)] == [200] * 5


def test_no_key_and_an_unknown_key_are_refused_alike(gate):
    assert_forbidden(call(gate, ""))
    assert_forbidden(call(gate, make_key()))


@pytest.mark.parametrize(
    "damage",
    [
        lambda key: changed(key, 20),
        lambda key: changed(key, -1),
        lambda key: key + "0",
        lambda key: key[:-1],
        lambda key: key.replace("gh_", "GH_"),
        lambda key: key.replace("_test_", "_prod_"),
        lambda key: key[:20] + "-" + key[21:],
        lambda key: f"{key}, {key}",
        lambda _key: "x" * 5000,
        lambda _key: "\xff'\"\\",
        lambda _key: "../../etc",
    ],
)
def test_a_damaged_key_is_refused(gate, damage):
    key = gate.world.subscribe("damaged", ["keyed"])
    assert call(gate, key).status == 200
    assert_forbidden(call(gate, damage(key)))


def test_a_key_that_is_switched_off_is_refused_by_every_worker_within_a_second(gate):
    key = gate.world.subscribe("off", ["keyed"])
    assert {call(gate, key).status for _ in range(10)} == {200}
    gate.world.put_key(key, id="key-off", active=False, subscriptions=["off"])
    started = time.monotonic()
    assert {call(gate, key).status for _ in range(10)} == {403}
    assert time.monotonic() - started < 1
    gate.world.put_key(key, id="key-off", active=True, subscriptions=["off"])
    assert {call(gate, key).status for _ in range(10)} == {200}


def test_a_deleted_key_is_refused(gate):
    key = gate.world.subscribe("deleted", ["keyed"])
    assert call(gate, key).status == 200
    gate.world.put("key", hashlib.sha256(key.encode()).hexdigest(), None)
    assert_forbidden(call(gate, key))


@pytest.mark.parametrize("deadline", ["expires_at", "grace_until"])
def test_a_key_ends_at_its_deadline_without_anybodys_help(gate, deadline):
    end = time.time() + 0.5
    later = {"expires_at": end + 60, "grace_until": end + 60, deadline: end}
    key = gate.world.subscribe("ends", ["keyed"], **later)
    while time.time() < end - 0.1:
        assert call(gate, key).status == 200
    time.sleep(max(end - time.time(), 0) + 0.005)
    assert_forbidden(call(gate, key))


def test_a_key_starts_at_its_moment(gate):
    start = time.time() + 0.4
    key = gate.world.subscribe("starts", ["keyed"], not_before=start)
    while time.time() < start - 0.1:
        assert_forbidden(call(gate, key))
    time.sleep(max(start - time.time(), 0) + 0.02)
    assert call(gate, key).status == 200


def test_a_plan_opens_only_its_own_stages(gate):
    gate.world.publish("other", {"op": operation("GET", "/", key_required=True)})
    key = gate.world.subscribe("elsewhere", ["other"])
    assert call(gate, key, "/other").status == 200
    assert_forbidden(call(gate, key))
    gate.world.put("plan", "plan-elsewhere", Plan(stages=["other", "keyed"]))
    assert call(gate, key).status == 200


def test_the_subscription_that_opens_the_stage_is_used(gate):
    for name, stages, active in (
        ("first", ["other"], True),
        ("idle", ["keyed"], False),
        ("third", ["keyed"], True),
    ):
        gate.world.subscribe(name, stages, active=active)
    key = make_key()
    gate.world.put_key(key, id="many", active=True, subscriptions=["gone", "first", "idle", "third"])
    before = len(gate.node.usage())
    assert call(gate, key).status == 200
    assert gate.node.usage_after(before)[0]["subscription"] == "third"


def test_a_suspended_subscription_is_refused(gate):
    key = gate.world.subscribe("suspended", ["keyed"])
    gate.world.put("subscription", "suspended", Subscription(plan="plan-suspended", active=False))
    assert_forbidden(call(gate, key))
    gate.world.put("subscription", "suspended", Subscription(plan="plan-suspended", active=True))
    assert call(gate, key).status == 200


def test_an_operation_without_key_ignores_what_is_sent_as_one(gate):
    key = gate.world.subscribe("ignored", [])
    before = len(gate.node.usage())
    answer = call(gate, key, "/open/x")
    assert (answer.status, "ratelimit" in answer.headers) == (200, False)
    assert call(gate, "nonsense", "/open/x").status == 200
    assert {line["key"] for line in gate.node.usage_after(before)} == {"-"}
