"""What happened to a call: each check in the gate's order, with the rule that decided."""

from datetime import timedelta

import pytest
from django.utils.timezone import now

from metering.billable_rules import set_billable
from metering.models import BillableRule, RequestLine
from metering.request_log.explain import explain
from metering.request_log.rate_limit import read_limits
from metering.request_log.steps import CHECKS
from tests.factories import make_key, make_operation, make_plan, make_stage, make_subscription
from tests.metering.factories import log_call

pytestmark = pytest.mark.django_db
POLICY = '"plan";q=10;w=2, "quota";q=1000;w=86400'
LEFT = '"plan";r=4;t=1, "quota";r=12;t=4000'


@pytest.fixture
def world():
    """A stage with a cache and IP rules, an operation, and a subscription with a key."""
    stage = make_stage(throttle_rate=50, throttle_burst=100)
    stage.policy = {"ip": {"allow": ["192.0.2.0/24"], "deny": []}, "cache": {"ttl": 60}}
    stage.save()
    operation = make_operation(stage.version, path="/orders/{id}")
    stage.operation_policies = {operation.pk: {"timeout_ms": 2500}}
    stage.save()
    plan = make_plan(stage, throttle_rate=5, throttle_burst=10, quota_limit=1000, quota_period="DAY")
    subscription = make_subscription(plan=plan)
    key, _ = make_key(subscription.application)
    return stage, operation, subscription, key


def told(world, *, for_provider=True, **fields):
    stage, operation, subscription, key = world
    known = {"operation": operation.pk, "subscription": subscription.pk, "key": key.pk}
    log_call(stage, **(known | {"at": now() + timedelta(seconds=1)} | fields))
    (line,) = RequestLine.objects.all()
    return explain(line, for_provider=for_provider)


def states(explanation):
    return {step.name: step.state.value for step in explanation.steps}


def step(explanation, check):
    return next(each for each in explanation.steps if each.name == CHECKS[check])


def test_an_answered_call_passed_everything(world):
    found = told(world, flags="m", limit_policy=POLICY, limit_left=LEFT)
    assert found.headline == "Answered 200 by the backend."
    assert states(found) == {
        "Address": "passed", "API is open": "passed", "IP rules": "passed", "Operation": "passed",
        "Authorizer": "not used", "API key": "passed", "Subscription": "passed", "Request": "passed",
        "Throttle": "passed", "Quota": "passed", "Cache": "passed", "Backend": "passed",
    }  # fmt: skip
    assert step(found, "networks").rule == "allow 192.0.2.0/24, of the stage"
    assert step(found, "throttle").text == "4 more at once were left."
    assert (
        step(found, "throttle").rule
        == "50 a second, 100 at once, of the whole stage; 5 a second, 10 at once, of the plan"
    )
    assert step(found, "quota").text == "12 calls were left."
    assert step(found, "quota").rule == "1,000 calls in 1 day, of the plan"
    assert step(found, "cache").rule == "kept for 60 s, of the stage"
    assert step(found, "backend").rule == "at most 2,500 ms, of this operation on the stage"
    assert [(part.name, part.ms) for part in found.times] == [
        ("Gateway, and way to the caller", 2),
        ("Connecting to the backend", 1),
        ("Waiting for the backend's answer", 8),
        ("Receiving the backend's answer", 1),
    ]
    assert (found.billable, found.state, found.changed) == (True, "answered", None)


def test_a_developer_does_not_see_the_providers_networks(world):
    assert step(told(world, for_provider=False), "networks").rule == ""


@pytest.mark.parametrize(
    ("fields", "check", "state", "words"),
    [
        ({"verdict": "INVALID_API_KEY", "why": "NOT_FOUND", "status": 403}, "key", "refused", "There is no such key"),
        ({"verdict": "INVALID_API_KEY", "why": "REVOKED", "status": 403}, "key", "refused", "is revoked"),
        ({"verdict": "INVALID_API_KEY", "why": "", "status": 403}, "key", "refused", "does not open"),
        ({"verdict": "INVALID_API_KEY", "why": "NOT_SUBSCRIBED", "status": 403}, "subscription", "refused", "plans"),
        ({"verdict": "THROTTLED", "why": "plan 5 10", "status": 429}, "throttle", "refused", "Too many calls"),
        ({"verdict": "QUOTA_EXCEEDED", "status": 429}, "quota", "refused", "used up"),
        ({"verdict": "QUOTA_EXCEEDED", "why": "stopped", "status": 429}, "quota", "refused", "spend limit"),
        ({"verdict": "ACCESS_DENIED", "why": "networks", "status": 403}, "networks", "refused", "IP rules"),
        ({"verdict": "ACCESS_DENIED", "why": "certificate", "status": 403}, "certificate", "refused", "showed none"),
        ({"verdict": "UNAUTHORIZED", "why": "identity", "status": 401}, "authorizer", "refused", "not sent"),
        ({"verdict": "INTEGRATION_TIMEOUT", "status": 504}, "backend", "failed", "in time"),
        ({"verdict": "REQUEST_TOO_LARGE", "status": 413}, "request", "refused", "larger"),
        ({"verdict": "USAGE_LOG_FULL", "status": 503}, "log", "failed", "no room"),
        ({"verdict": "API_CONFIGURATION_ERROR", "why": "unserved", "status": 500}, "settings", "failed", "integration"),
    ],
)  # fmt: skip
def test_a_call_that_ended_says_where_and_what_was_not_reached(world, fields, check, state, words):
    found = told(world, **fields)
    ended = step(found, check)
    assert ended.state.value == state
    assert words in ended.text
    assert words in found.headline
    after = found.steps[found.steps.index(ended) + 1 :]
    assert {each.state.value for each in after} <= {"not reached"}
    assert {each.state.value for each in found.steps[: found.steps.index(ended)]} <= {"passed", "not used"}
    assert found.billable == (check == "backend")


def test_the_limit_that_throttled_is_named_with_its_values(world):
    found = told(world, verdict="THROTTLED", why="plan 5 10", status=429)
    assert (
        step(found, "throttle").rule
        == "5 a second, 10 at once, for the plan, all keys of the subscription together"
    )


def test_a_cache_hit_reaches_no_backend(world):
    found = told(world, flags="h", backend_ms=None, connect_ms=None, header_ms=None, tries="")
    assert found.headline == "Answered 200 from the cache."
    assert (step(found, "cache").text, states(found)["Backend"]) == (
        "Answered from the cache.",
        "not reached",
    )
    assert [(part.ms) for part in found.times] == [12]
    assert found.billable


def test_tries_are_told(world):
    assert step(told(world, tries="504, 200"), "backend").text == "2 tries: 504, 200."


def test_a_call_that_reached_no_operation_or_no_api(world):
    nothing = {"operation": "", "key": "", "subscription": "", "status": 403}
    found = told(world, verdict="MISSING_AUTHENTICATION_TOKEN", **nothing)
    assert step(found, "operation").state.value == "refused"
    assert "no operation with this method and path" in found.headline
    RequestLine.objects.all().delete()
    log_call("", verdict="MISSING_AUTHENTICATION_TOKEN", status=403)
    found = explain(RequestLine.objects.get(), for_provider=True)
    assert found.headline == "No API answers at this host and path."
    assert states(found)["Address"] == "refused"


def test_what_the_provider_bills_decides(world):
    subscription = world[2]
    rule = set_billable(organization=subscription.provider, verdicts=[""], status_classes=[2], actor=None)
    BillableRule.objects.filter(pk=rule.pk).update(effective_from=now() - timedelta(hours=1))
    assert not told(world, status=404, tries="404").billable
    RequestLine.objects.all().delete()
    assert told(world).billable
    RequestLine.objects.all().delete()
    assert told(world, subscription="").not_billed_because.startswith("It was made on no subscription")


def test_settings_that_changed_after_the_call_are_said(world):
    stage = world[0]
    assert told(world, at=now() - timedelta(hours=1)).changed == stage.updated_at


def test_a_call_whose_things_were_deleted_is_still_explained():
    log_call("", operation="gone000001", key="gone000002", subscription="gone000003")
    found = explain(RequestLine.objects.get(), for_provider=True)
    assert (found.stage, found.operation, found.key, found.subscription) == (None, None, None, None)


def test_headers_are_read():
    quota = read_limits(POLICY, LEFT)[1]
    assert (quota.name, quota.limit, quota.left, quota.window_words) == ("quota", 1000, 12, "1 day")
    assert read_limits("", "") == []
