"""`POST keys/verify`: a verdict for any key, 200 for any verdict, and nothing leaks."""

import logging
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils.timezone import now

from access.models import KeyState, SubscriptionState
from access.verdicts import KeyVerdict
from accounts.models import Role
from accounts.secret_text import new_secret
from rest.operation_match import find_operation
from tests.billing.factories import use
from tests.factories import (
    make_api,
    make_application,
    make_key,
    make_member,
    make_plan,
    make_stage,
    make_subscription,
    make_user,
    make_version,
)
from tests.rest.problems import fault, problem


class Sold:
    """Alice's API weather v1 with a plan, and a key of Charlie's that is subscribed to it."""

    def __init__(self, provider, developer, **limits):
        self.api = make_api(provider, slug="weather")
        self.version = make_version(self.api, name="v1")
        self.stage = make_stage(self.version)
        self.plan = make_plan(self.stage, **limits)
        self.application = make_application(developer)
        self.subscription = make_subscription(self.application, self.plan)
        self.key, self.text = make_key(self.application, name="server")
        self.asked = {"key": self.text, "api": "weather", "version": "v1"}


@pytest.fixture
def sold(alice, charlie):
    limits = {"throttle_rate": 5, "throttle_burst": 10, "quota_limit": 1000}
    return Sold(alice.organization, charlie.organization, **limits)


def test_a_valid_key_is_told_whole(alice, charlie, sold):
    use(sold.subscription, now(), 400)
    response = alice.post("keys/verify", sold.asked)
    assert response.status_code == 200
    found = response.json()
    rate, quota = found.pop("limits")
    assert found["subscription"].pop("period_start") < found["subscription"].pop("period_end")
    assert found["subscription"].pop("started_at")
    assert found == {
        "valid": True,
        "code": "VALID",
        "message": KeyVerdict.VALID.message,
        "request_id": response["X-Request-Id"],
        "consumed": False,
        "key": {
            "id": sold.key.pk,
            "start": sold.text[:12],
            "name": "server",
            "environment": "live",
            "not_before": None,
            "expires_at": None,
            "grace_until": None,
            "replaced_by": None,
        },
        "application": {"id": sold.application.pk, "name": sold.application.name, "state": "active"},
        "account": {"id": charlie.organization.pk, "name": "Charlie's", "state": "active"},
        "subscription": {
            "id": sold.subscription.pk,
            "state": "active",
            "plan": sold.plan.pk,
            "plan_name": sold.plan.name,
        },
        "api": {
            "id": sold.api.pk,
            "slug": "weather",
            "version": "v1",
            "version_id": sold.version.pk,
            "stage": "live",
            "stage_id": sold.stage.pk,
            "lifecycle": "published",
            "sunset_at": None,
        },
        "operation": None,
        "binding_limit": "monthly",
        "cache": {"ttl_s": 5, "generation": 0},
    }
    assert (rate["kind"], rate["limit"], rate["burst"], rate["remaining"]) == ("rate", 5.0, 10, None)
    assert (quota["name"], quota["used"], quota["remaining"]) == ("monthly", 400, 600)
    assert quota["exceeded"] is False
    assert 0 < quota["reset_after_s"] <= quota["window_s"]


def test_a_quota_is_told_with_its_offset_and_its_scope(alice, sold):
    sold.plan.quota_limit, sold.plan.quota_offset, sold.plan.quota_scope = 100, 40, "key"
    sold.plan.save()
    (quota,) = [each for each in alice.done("keys/verify", sold.asked)["limits"] if each["kind"] == "quota"]
    assert (quota["scope"], quota["limit"], quota["used"], quota["remaining"]) == ("key", 60, 0, 60)


def test_a_quota_that_is_used_up_is_exceeded(alice, sold):
    use(sold.subscription, now(), 1000)
    quota = alice.done("keys/verify", sold.asked)["limits"][1]
    assert (quota["remaining"], quota["exceeded"]) == (0, True)


def test_the_stage_can_be_named_in_many_ways(alice, sold):
    for names in (
        {"api": sold.api.pk, "version": "v1"},
        {"api": "weather"},
        {"version": sold.version.pk},
        {"stage": sold.stage.pk},
        {"api": "weather", "version": "v1", "stage": "live"},
    ):
        found = alice.done("keys/verify", {"key": sold.text, **names})
        assert (found["code"], found["api"]["stage_id"]) == ("VALID", sold.stage.pk), names


def test_an_api_with_two_versions_asks_which(alice, sold):
    make_stage(make_version(sold.api, name="v2"))
    fault(alice.post("keys/verify", {"key": sold.text, "api": "weather"}), "version", "ambiguous")


def test_without_a_stage_the_key_alone_is_judged(alice, sold):
    found = alice.done("keys/verify", {"key": sold.text})
    assert (found["code"], found["api"], found["limits"]) == ("VALID", None, [])


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"state": KeyState.REVOKED}, "REVOKED"),
        ({"state": KeyState.DISABLED}, "DISABLED"),
        ({"expires_at": datetime(2020, 1, 1, tzinfo=UTC)}, "EXPIRED"),
        ({"grace_until": datetime(2020, 1, 1, tzinfo=UTC)}, "ROTATED_OUT"),
        ({"not_before": datetime(2200, 1, 1, tzinfo=UTC)}, "NOT_YET_VALID"),
    ],
)
def test_what_is_wrong_with_the_key_is_its_code(alice, sold, change, code):
    for name, value in change.items():
        setattr(sold.key, name, value)
    sold.key.save()
    found = alice.done("keys/verify", sold.asked)
    assert (found["valid"], found["code"]) == (False, code)
    assert found["key"]["id"] == sold.key.pk


def test_what_is_wrong_with_the_subscription_is_its_code(alice, sold):
    for state, code in (
        (SubscriptionState.PENDING, "SUBSCRIPTION_PENDING"),
        (SubscriptionState.CANCELLED, "NOT_SUBSCRIBED"),
    ):
        sold.subscription.state = state
        sold.subscription.save()
        found = alice.done("keys/verify", sold.asked)
        assert (found["valid"], found["code"]) == (False, code)


def test_a_malformed_key_is_known_without_a_look_up(alice, sold):
    broken = sold.text[:-1] + ("0" if sold.text[-1] != "0" else "1")
    alice.done("keys/verify", {**sold.asked, "key": broken})
    with CaptureQueriesContext(connection) as caught:
        found = alice.done("keys/verify", {**sold.asked, "key": broken})
    assert (found["code"], found["key"], found["api"]) == ("MALFORMED", None, None)
    assert not any("access_apikey" in query["sql"] for query in caught)
    assert alice.done("keys/verify", {"key": ""})["code"] == "MISSING"


def test_strangers_learn_nothing(alice, charlie, sold, program):
    from tests.factories import make_organization

    stranger = program(make_organization())
    unknown = {**sold.asked, "key": new_secret("gh_live")}
    answers = [
        stranger.done("keys/verify", sold.asked),
        stranger.done("keys/verify", unknown),
        stranger.done("keys/verify", {**sold.asked, "api": "nothing-like-this"}),
    ]
    for found in answers:
        found.pop("request_id")
        assert found["code"] == "NOT_FOUND"
        assert found["key"] is None
    assert answers[0] == answers[1] == answers[2]
    # a key that is not a subscriber's is as unknown as one that does not exist
    _, foreign = make_key(make_application())
    other = alice.done("keys/verify", {**sold.asked, "key": foreign})
    missing = alice.done("keys/verify", unknown)
    other.pop("request_id")
    missing.pop("request_id")
    assert other == missing
    # nor does a developer verify her keys for an API that somebody else provides
    assert charlie.done("keys/verify", sold.asked)["code"] == "NOT_FOUND"


def test_a_verdict_is_kept_no_longer_than_the_key_lives(alice, sold):
    sold.key.expires_at = now() + timedelta(seconds=2)
    sold.key.save()
    assert alice.done("keys/verify", sold.asked)["cache"]["ttl_s"] <= 2


def test_other_modes_are_refused_clearly(alice, sold):
    assert "use `check` or `consume`" in fault(
        alice.post("keys/verify", {**sold.asked, "mode": "reserve"}), "mode", "not_offered"
    )
    fault(alice.post("keys/verify", {"key": sold.text, "mode": "consume"}), "api", "required")
    fault(alice.post("keys/verify", {**sold.asked, "client_ip": "1.2.3"}), "client_ip", "invalid")
    fault(alice.post("keys/verify", {**sold.asked, "mode": "guess"}), "mode", "invalid_choice")
    fault(alice.post("keys/verify", {**sold.asked, "path": "orders"}), "path")
    fault(alice.post("keys/verify", {**sold.asked, "method": "GET /"}), "method")
    fault(alice.post("keys/verify", {"api": "weather"}), "key", "required")


def test_the_key_is_never_told_again(alice, sold, caplog):
    caplog.set_level(logging.DEBUG)
    for body in (sold.asked, {**sold.asked, "mode": "x"}, {**sold.asked, "version": 5, "kex": 1}):
        response = alice.post("keys/verify", body)
        assert sold.text.encode() not in response.content
    response = alice.post("keys/verify", {"key": sold.text * 20})
    fault(response, "key", "max_length")
    assert sold.text.encode() not in response.content
    assert sold.text not in caplog.text


def test_every_member_and_every_token_may_ask(alice, sold, program, stranger):
    billing = make_member(alice.organization, make_user(), Role.BILLING)
    for fields in ({"read_only": True}, {}):
        asker = program(alice.organization, billing.user, **fields)
        assert asker.done("keys/verify", sold.asked)["valid"] is True
    problem(stranger.post("keys/verify", sold.asked), 401)
    problem(alice.get("keys/verify"), 405)


def test_staff_may_ask_about_every_key(staff, sold):
    assert staff.done("keys/verify", sold.asked)["valid"] is True


def test_verifying_is_a_handful_of_queries(alice, sold):
    alice.done("keys/verify", sold.asked)
    with CaptureQueriesContext(connection) as caught:
        alice.done("keys/verify", sold.asked)
    assert len(caught) <= 10


OPERATIONS = [
    {"method": "GET", "path": "/orders/{id}"},
    {"method": "GET", "path": "/orders/latest"},
    {"method": "ANY", "path": "/orders/{id}"},
    {"method": "GET", "path": "/files/{name}.json"},
    {"method": "GET", "path": "/files/{name}"},
    {"method": "ANY", "path": "/{proxy+}"},
]


@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [
        ("GET", "/orders/latest", 1),
        ("get", "/orders/7?x=1", 0),
        ("POST", "/orders/7", 2),
        ("GET", "/files/a.json", 3),
        ("GET", "/files/a.txt", 4),
        ("GET", "/files/a/b", 5),
        ("GET", "/", None),
        ("HEAD", "/orders/latest", 1),
        ("GET", "/orders/7/", 5),
    ],
)
def test_method_and_path_reach_the_operation_that_the_gate_would_take(method, path, expected):
    found = find_operation(OPERATIONS, method, path)
    assert found == (None if expected is None else OPERATIONS[expected])


def test_one_slash_at_the_end_does_not_matter():
    assert find_operation(OPERATIONS[:2], "GET", "/orders/latest/") == OPERATIONS[1]
    assert find_operation(OPERATIONS[:2], "GET", "/orders/latest//") is None
