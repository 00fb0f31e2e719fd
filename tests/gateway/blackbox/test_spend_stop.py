"""Calls that would cost more than their payer wants: bounded by leases, then refused with a reason."""

import time

import pytest

from gateway.entries import Plan, Quota, Subscription
from tests.gateway.blackbox.test_throttle import flood
from tests.gateway.world import operation

REASON = "The spend cap of this subscription is reached."
BOUND = Quota(limit=900_000_000_000_000, period="MONTH", offline_allowance=0)


@pytest.fixture(scope="module", autouse=True)
def stage(gate):
    gate.world.publish("capped", {"op": operation("GET", "/", key_required=True)})


def subscribe(gate, name, **fields):
    key = gate.world.subscribe(name, ["capped"])
    gate.world.put("subscription", name, Subscription(plan=f"plan-{name}", active=True, **fields))
    return key


def test_a_stopped_subscription_is_refused_with_the_reason_and_until_when(gate):
    key = subscribe(gate, "stopped", stopped_until=time.time() + 500, stopped=REASON)
    answer = gate.node.call("GET", "/capped", key=key)
    assert (answer.status, answer.json) == (429, {"message": REASON})
    assert answer.headers["x-amzn-errortype"] == "LimitExceededException"
    assert 490 <= int(answer.headers["retry-after"]) <= 500


def test_it_is_let_in_from_the_moment_on_without_any_news(gate):
    key = subscribe(gate, "resumes", stopped_until=time.time() + 0.8, stopped=REASON)
    assert gate.node.call("GET", "/capped", key=key).status == 429
    time.sleep(1)
    assert gate.node.call("GET", "/capped", key=key).status == 200


def test_a_subscription_whose_plan_has_no_quota_spends_its_own_lease(gate):
    gate.agent.allow("bounded", 60)
    key = subscribe(gate, "bounded", quota=BOUND)
    answer = gate.node.call("GET", "/capped", key=key)
    assert "ratelimit" not in answer.headers  # it is no quota of the plan
    assert flood(gate, "/capped", key=key, calls=2) == {200: 59, 429: 41}


def test_the_quota_of_the_plan_goes_first(gate):
    gate.agent.allow("both", 10)
    key = subscribe(gate, "both", quota=BOUND)
    gate.world.put("plan", "plan-both", Plan(stages=["capped"], quota=Quota(limit=10, period="MONTH")))
    answer = gate.node.call("GET", "/capped", key=key)
    assert '"quota";r=' in answer.headers["ratelimit"]
