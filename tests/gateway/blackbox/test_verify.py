"""keys/verify and keys/authorize answered by the gate itself: verdicts, limits, callers, what is metered."""

import time
from types import SimpleNamespace
from typing import Any

import pytest

from gateway.entries import Api, Caller, KeySource, Quota, Throttle
from tests.gateway.desk import READER, STAFF, STRANGER, TOKEN, Desk, sha256, told
from tests.gateway.node import Answer, usage_lines
from tests.gateway.world import make_key, operation


@pytest.fixture
def desk(gate: SimpleNamespace) -> Desk:
    return Desk(gate)


def test_a_valid_key_is_told_whole(desk: Desk) -> None:
    sold = desk.sell(throttle=Throttle(rate=5, burst=10))
    answer = desk.verify({"key": sold.key, "api": sold.name, "method": "get", "path": "/orders/7?x=1"})
    found = answer.json
    assert (answer.status, answer.headers["content-type"]) == (200, "application/json")
    assert found.pop("request_id") == answer.headers["x-request-id"]
    assert found.pop("cache") == {"ttl_s": 5, "generation": desk.world.generation}
    assert found == {
        "valid": True,
        "code": "VALID",
        "message": "The key is valid.",
        "consumed": False,
        "key": {
            "id": f"key-s-{sold.name}", "start": "gh_test_0000", "name": "server", "environment": "test",
            "not_before": None, "expires_at": None, "grace_until": None, "replaced_by": None,
        },
        "application": {"id": "app0000001", "name": "Weather \u201capp\u201d", "state": "active"},
        "account": {"id": "developer1", "name": "Charlie's", "state": "active"},
        "subscription": {
            "id": f"s-{sold.name}", "state": "active", "plan": f"plan-s-{sold.name}", "plan_name": "",
            "started_at": None, "period_start": None, "period_end": None,
        },
        "api": {
            "id": f"api-{sold.name}", "slug": sold.name, "version": "v1", "version_id": sold.stage["version_id"],
            "stage": "live", "stage_id": sold.name, "lifecycle": "published", "sunset_at": None,
        },
        "operation": {"id": "op", "method": "GET", "path": "/orders/{id}", "key_required": True},
        "limits": [
            {
                "name": "rate", "kind": "rate", "metric": "requests", "scope": "subscription", "limit": 5, "burst": 10,
                "used": None, "remaining": 10, "window_s": 1, "resets_at": None, "reset_after_s": 0,
                "exceeded": False, "source": "plan", "accuracy": {"mode": "node"},
            },
        ],
        "binding_limit": "rate",
    }  # fmt: skip


def test_the_stage_can_be_named_in_many_ways(desk: Desk) -> None:
    sold = desk.sell()
    for names in (
        {"api": sold.name},
        {"api": f"api-{sold.name}", "version": "v1"},
        {"api": sold.name, "version": sold.stage["version_id"], "stage": "live"},
        {"api": sold.name, "stage": sold.name},
        {"version": sold.stage["version_id"]},
        {"version": sold.stage["version_id"], "stage": sold.name},
        {"stage": sold.name},
    ):
        found = desk.verify({"key": sold.key, **names}).json
        assert (found["code"], found["api"]["stage_id"]) == ("VALID", sold.name), names
    alone = desk.verify({"key": sold.key}).json
    assert (alone["code"], alone["api"], alone["limits"], alone["binding_limit"]) == ("VALID", None, [], None)


def test_an_api_with_two_versions_asks_which(desk: Desk) -> None:
    sold = desk.sell()
    names = {sold.name: ["live", "v000000001", "v1"], "other": ["live", "v000000002", "v2"]}
    desk.world.put("api", f"~{sold.name}", Api("x", sold.name, "provider01", names))
    answer = desk.verify({"key": sold.key, "api": sold.name})
    assert answer.status == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json["errors"][0]["field"] == "version"
    assert answer.json["errors"][0]["code"] == "ambiguous"


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"active": False, "about": told(state="disabled")}, "DISABLED"),
        ({"active": False, "subscriptions": [], "about": told(state="revoked")}, "REVOKED"),
        ({"about": told(application={"id": "a", "name": "b", "state": "suspended"})}, "VALID"),
        ({"expires_at": 1.0}, "EXPIRED"),
        ({"grace_until": 1.0}, "ROTATED_OUT"),
        ({"not_before": 9e9}, "NOT_YET_VALID"),
        ({"ips": ["10.0.0.0/8"]}, "IP_NOT_ALLOWED"),
        ({"referrers": ["*.example.com"]}, "REFERRER_NOT_ALLOWED"),
        ({"subscriptions": []}, "NOT_SUBSCRIBED"),
    ],
)
def test_what_is_wrong_with_the_key_is_its_code(desk: Desk, fields: dict[str, Any], code: str) -> None:
    sold = desk.sell()
    usual = {"id": "k", "active": True, "subscriptions": [f"s-{sold.name}"], "about": told()}
    desk.world.put_key(sold.key, **{**usual, **fields})
    found = desk.verdict(sold)
    assert (found["valid"], found["code"]) == (code == "VALID", code)
    assert found["key"]["id"] == "k"


@pytest.mark.parametrize(
    ("state", "about", "code"),
    [
        ("pending", told(), "SUBSCRIPTION_PENDING"),
        ("suspended", told(), "NOT_SUBSCRIBED"),
        ("", told(application={"id": "a", "name": "b", "state": "suspended"}), "APPLICATION_SUSPENDED"),
        ("", told(account={"id": "a", "name": "b", "state": "suspended"}), "ACCOUNT_SUSPENDED"),
        ("", told(), "NOT_SUBSCRIBED"),
    ],
)
def test_a_subscription_that_is_not_active_says_why(
    desk: Desk, state: str, about: dict[str, Any], code: str
) -> None:
    from gateway.entries import Subscription

    sold = desk.sell(about=about)
    more = {"state": state} if state else {}
    desk.world.put(
        "subscription", f"s-{sold.name}", Subscription(f"plan-s-{sold.name}", active=False, about=more)
    )
    assert desk.verdict(sold)["code"] == code


def test_a_retired_version_and_a_suspended_provider_are_told(desk: Desk) -> None:
    assert desk.verdict(desk.sell(stage={"state": "retired"}))["code"] == "API_RETIRED"
    assert desk.verdict(desk.sell(stage={"suspended": True}))["code"] == "ACCOUNT_SUSPENDED"


def test_where_a_key_is_used_from_is_told_by_who_asks(desk: Desk) -> None:
    sold = desk.sell(ips=["10.0.0.0/8"], referrers=["*.example.com"])
    right = {"client_ip": "10.1.2.3", "referrer": "https://app.example.com/x"}
    assert desk.verdict(sold, **right)["code"] == "VALID"
    assert desk.verdict(sold, **right | {"client_ip": "11.1.2.3"})["code"] == "IP_NOT_ALLOWED"
    assert desk.verdict(sold, **right | {"referrer": "https://example.org"})["code"] == "REFERRER_NOT_ALLOWED"


def test_what_is_no_key_is_known_without_a_look_up(desk: Desk) -> None:
    sold = desk.sell()
    for text, code in (("", "MISSING"), ("secret", "MALFORMED"), (sold.key[:-1] + "_", "MALFORMED")):
        found = desk.verify({"key": text, "api": "nothing-like-this"}).json
        assert (found["code"], found["key"], found["api"]) == (code, None, None)


def test_strangers_learn_nothing(desk: Desk) -> None:
    sold = desk.sell()
    asked = {"key": sold.key, "api": sold.name}
    answers = [
        desk.verify(asked, token=STRANGER).json,
        desk.verify({**asked, "key": make_key()}, token=STRANGER).json,
        desk.verify({**asked, "api": "nothing-like-this"}).json,
        desk.verify({"key": sold.key, "stage": sold.name}, token=STRANGER).json,
        desk.verify({"key": sold.key, "version": sold.stage["version_id"]}, token=STRANGER).json,
    ]
    for found in answers:
        found.pop("request_id")
        assert (found["code"], found["key"], found["api"]) == ("NOT_FOUND", None, None)
    assert all(found == answers[0] for found in answers)
    unknown = desk.verify({**asked, "key": make_key()}).json
    desk.world.put_key(foreign := make_key(), id="k", active=True, subscriptions=[], about=told(providers=[]))
    other = desk.verify({**asked, "key": foreign}).json
    unknown.pop("request_id")
    unknown.pop("cache")
    other.pop("request_id")
    other.pop("cache")
    assert other == unknown
    assert desk.verify(asked, token=STAFF).json["valid"] is True


def test_a_check_takes_nothing_and_a_consumed_call_is_charged_and_metered_like_any_other(desk: Desk) -> None:
    sold = desk.sell(throttle=Throttle(rate=0.001, burst=2), quota=Quota(limit=100, period="MONTH"))
    desk.gate.agent.allow(f"s-{sold.name}", 100)
    before = len(desk.node.usage())
    for _ in range(3):
        found = desk.verdict(sold)
        rate, quota = found["limits"]
        assert (found["consumed"], rate["remaining"], quota["remaining"], quota["used"]) == (False, 2, 100, 0)
    consume = {"mode": "consume", "method": "GET", "path": "/orders/7"}
    for left in (1, 0):
        found = desk.verdict(sold, **consume)
        rate, quota = found["limits"]
        assert (found["valid"], found["consumed"], rate["remaining"]) == (True, True, left)
        assert quota["remaining"] == 98 + left
        assert found["cache"]["ttl_s"] == 0
    found = desk.verdict(sold, **consume)
    rate, quota = found["limits"]
    assert (found["valid"], found["consumed"], found["code"]) == (False, False, "RATE_LIMITED")
    assert (rate["exceeded"], found["binding_limit"], quota["remaining"]) == (True, "rate", 98)
    assert rate["reset_after_s"] > 0
    assert desk.node.call("GET", f"/{sold.name}/orders/7", key=sold.key).status == 429
    lines = desk.node.usage_after(before + 3)
    ours = [line for line in desk.node.usage()[before:] if line["stage"] == sold.name]
    assert sorted((line["verdict"], line["flags"], line["operation"]) for line in ours) == [
        ("-", "v", "op"), ("-", "v", "op"), ("THROTTLED", "-", "op"), ("THROTTLED", "v", "op"),
    ], lines  # fmt: skip
    assert {(line["subscription"], line["key"]) for line in ours} == {
        (f"s-{sold.name}", f"key-s-{sold.name}")
    }


def test_every_limit_that_the_call_meets_is_told(desk: Desk) -> None:
    from gateway.entries import Plan

    wide, narrow = Throttle(rate=1, burst=9), Throttle(rate=0.001, burst=2)
    sold = desk.sell(
        throttle=wide,
        quota=Quota(limit=5, period="DAY"),
        stage={"throttle": wide},
        operation={"throttle": wide},
    )
    desk.gate.agent.allow(f"s-{sold.name}", 5)
    by_operation = {sold.name: {"op": narrow}}
    plan = Plan([sold.name], wide, Quota(limit=5, period="DAY"), by_operation, {"name": "Pro"})
    desk.world.put("plan", f"plan-s-{sold.name}", plan)
    asked = {"mode": "consume", "method": "GET", "path": "/orders/7"}
    found = desk.verdict(sold, **asked)
    assert [(each["name"], each["source"], each["limit"], each["remaining"]) for each in found["limits"]] == [
        ("rate", "plan", 1, 8), ("rate_operation", "plan", 0.001, 1), ("operation", "stage", 1, 8),
        ("stage", "stage", 1, 8), ("daily", "plan", 5, 4),
    ]  # fmt: skip
    assert (found["binding_limit"], found["subscription"]["plan_name"]) == ("rate_operation", "Pro")
    query, told_of = (
        f"?mode=check&api={sold.name}",
        {"X_Forwarded_Method": "GET", "X_Forwarded_Uri": "/orders/7"},
    )
    looked = desk.authorize(query, key=sold.key, **told_of)
    assert looked.headers["ratelimit"].startswith('"operation";r=1;t=1000, "plan";r=8;t=1, "quota";r=4;t=')
    direct = desk.node.call("GET", f"/{sold.name}/orders/7", key=sold.key)
    assert direct.headers["ratelimit-policy"] == looked.headers["ratelimit-policy"]
    assert desk.verdict(sold, **asked)["code"] == "RATE_LIMITED"


def test_a_spent_quota_refuses_and_tells_when_it_starts_anew(desk: Desk) -> None:
    sold = desk.sell(quota=Quota(limit=2, period="MONTH"))
    desk.gate.agent.allow(f"s-{sold.name}", 2)
    codes = [desk.verdict(sold, mode="consume")["code"] for _ in range(3)]
    assert codes == ["VALID", "VALID", "QUOTA_EXCEEDED"]
    found = desk.verdict(sold)
    (quota,) = found["limits"]
    assert (quota["used"], quota["remaining"], quota["exceeded"], found["binding_limit"]) == (
        2,
        0,
        True,
        "monthly",
    )
    assert found["valid"] is True  # a check judges the key; what is spent is in limits
    assert quota["resets_at"] == found["subscription"]["period_end"]
    assert 0 < quota["reset_after_s"] <= quota["window_s"]


def test_a_refused_key_takes_nothing(desk: Desk) -> None:
    sold = desk.sell(throttle=Throttle(rate=0.001, burst=5))
    usual = {"id": "k", "active": True, "subscriptions": [f"s-{sold.name}"], "about": told()}
    desk.world.put_key(sold.key, **usual, expires_at=1.0)
    assert desk.verdict(sold, mode="consume")["code"] == "EXPIRED"
    desk.world.put_key(sold.key, **usual)
    assert desk.verdict(sold)["limits"][0]["remaining"] == 5


def test_a_verdict_is_kept_no_longer_than_the_key_lives(desk: Desk) -> None:
    assert desk.verdict(desk.sell(expires_at=time.time() + 2.5))["cache"]["ttl_s"] <= 2


def problem(answer: Answer, status: int, slug: str) -> Any:
    assert answer.status == status, answer.body
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json["type"] == f"/api/v1/problems/{slug}"
    assert (answer.json["status"], answer.json["instance"][:12]) == (status, "/api/v1/keys")
    return answer.json


@pytest.mark.parametrize("token", ["", "gat_wrong_wrong", TOKEN[:-1] + "x"])
def test_who_asks_must_have_a_token(desk: Desk, token: str) -> None:
    answer = desk.verify({"key": "x"}, token=token)
    problem(answer, 401, "unauthenticated")
    assert answer.headers["www-authenticate"].startswith('Bearer realm="gatehouse"')
    desk.world.put(
        "caller", sha256(old := "gat_" + "e" * 32 + "_abcdef"), Caller("e", "provider01", expires_at=1.0)
    )
    problem(desk.verify({"key": "x"}, token=old), 401, "unauthenticated")


def test_a_revoked_token_is_refused_at_once(desk: Desk) -> None:
    token = "gat_" + "f" * 32 + "_abcdef"
    desk.world.put("caller", sha256(token), Caller("f", "provider01"))
    assert desk.verify({"key": "x"}, token=token).status == 200
    desk.world.put("caller", sha256(token), None)
    problem(desk.verify({"key": "x"}, token=token), 401, "unauthenticated")


def test_a_read_only_token_checks_but_does_not_consume(desk: Desk) -> None:
    sold = desk.sell()
    asked = {"key": sold.key, "api": sold.name}
    assert desk.verify(asked, token=READER).json["valid"] is True
    problem(desk.verify({**asked, "mode": "consume"}, token=READER), 403, "forbidden")
    answer = desk.authorize(f"?api={sold.name}", key=sold.key, token=READER)
    assert (answer.status, answer.headers["x-gatehouse-code"]) == (403, "CALLER_FORBIDDEN")
    assert desk.authorize(f"?api={sold.name}&mode=check", key=sold.key, token=READER).status == 200


@pytest.mark.parametrize(
    ("body", "status", "slug", "fault"),
    [
        (b"{", 400, "malformed", None),
        (b"[1]", 422, "invalid-input", ("", "invalid")),
        (b"5", 422, "invalid-input", ("", "invalid")),
        ({}, 422, "invalid-input", ("key", "required")),
        ({"key": None}, 422, "invalid-input", ("key", "null")),
        ({"key": ["x"]}, 422, "invalid-input", ("key", "invalid")),
        ({"key": "x" * 513}, 422, "invalid-input", ("key", "max_length")),
        ({"key": "x", "apis": "y"}, 422, "invalid-input", ("apis", "unknown_field")),
        ({"key": "x", "api": ""}, 422, "invalid-input", ("api", "blank")),
        ({"key": "x", "mode": "guess"}, 422, "invalid-input", ("mode", "invalid_choice")),
        ({"key": "x", "mode": "reserve"}, 422, "invalid-input", ("mode", "not_offered")),
        ({"key": "x", "mode": "consume"}, 422, "invalid-input", ("api", "required")),
        ({"key": "x", "method": "GET /"}, 422, "invalid-input", ("method", "invalid")),
        ({"key": "x", "path": "orders"}, 422, "invalid-input", ("path", "invalid")),
        ({"key": "x", "client_ip": "1.2.3"}, 422, "invalid-input", ("client_ip", "invalid")),
        (b'{"key":"' + b"x" * 70000 + b'"}', 413, "too-large", None),
    ],
)
def test_bad_input_names_the_field_and_the_way_out(
    desk: Desk, body: Any, status: int, slug: str, fault: tuple[str, str] | None
) -> None:
    found = problem(desk.verify(body), status, slug)
    if fault:
        assert (found["errors"][0]["field"], found["errors"][0]["code"]) == fault
    assert found["detail"]


def test_only_json_and_post_are_taken(desk: Desk) -> None:
    problem(desk.verify(b"key=x", headers={"Content-Type": "text/plain"}), 415, "unsupported-media-type")
    answer = desk.node.call("GET", "/api/v1/keys/verify", headers={"Authorization": f"Bearer {TOKEN}"})
    problem(answer, 405, "method-not-allowed")
    assert answer.headers["allow"] == "POST"


def test_the_key_is_never_told_again_nor_logged(desk: Desk) -> None:
    sold = desk.sell()
    for body in ({"key": sold.key, "api": sold.name}, {"key": sold.key, "api": sold.name, "mode": "x"}):
        assert sold.key.encode() not in desk.verify(body).body
    assert sold.key not in desk.node.errors()
    assert sold.key not in "\n".join(usage_lines(desk.node.settings.folder))


# --- authorize


def test_a_gateway_gets_status_and_headers(desk: Desk) -> None:
    sold = desk.sell(throttle=Throttle(rate=1, burst=10), quota=Quota(limit=100, period="MONTH"))
    desk.gate.agent.allow(f"s-{sold.name}", 100)
    answer = desk.authorize(f"?api={sold.name}&version=v1", key=sold.key)
    assert (answer.status, answer.body) == (200, b"")
    headers = answer.headers
    assert headers["x-gatehouse-code"] == "VALID"
    assert headers["x-consumer-id"] == "app0000001"
    assert headers["x-consumer-custom-id"] == "developer1"
    assert headers["x-credential-identifier"] == f"key-s-{sold.name}"
    assert headers["x-gatehouse-plan"] == f"plan-s-{sold.name}"
    assert headers["x-gatehouse-subscription"] == f"s-{sold.name}"
    assert headers["ratelimit"].startswith('"plan";r=9;t=1, "quota";r=99;t=')
    assert headers["ratelimit-policy"].startswith('"plan";q=10;w=10, "quota";q=100;w=')
    assert (headers["x-ratelimit-limit"], headers["x-ratelimit-remaining"]) == ("10", "9")
    direct = desk.node.call("GET", f"/{sold.name}/orders/7", key=sold.key).headers
    assert direct["ratelimit-policy"] == headers["ratelimit-policy"]


def test_a_refusal_has_its_own_status(desk: Desk) -> None:
    sold = desk.sell(throttle=Throttle(rate=0.1, burst=1))
    query = f"?api={sold.name}"
    assert desk.authorize(query, key=sold.key).status == 200
    limited = desk.authorize(query, key=sold.key)
    assert (limited.status, limited.headers["x-gatehouse-code"]) == (429, "RATE_LIMITED")
    assert 0 < int(limited.headers["retry-after"]) <= 10
    missing = desk.authorize(query)
    assert (missing.status, missing.headers["x-gatehouse-code"]) == (401, "MISSING")
    assert missing.headers["www-authenticate"] == 'ApiKey realm="gatehouse"'
    retired = desk.sell(stage={"state": "retired"})
    assert desk.authorize(f"?api={retired.name}", key=retired.key).status == 410
    for_nginx = desk.authorize(f"?api={retired.name}&as=auth_request", key=retired.key)
    assert (for_nginx.status, for_nginx.headers["x-gatehouse-status"]) == (403, "410")


def test_gateways_tell_the_call_in_their_own_ways(desk: Desk) -> None:
    sold = desk.sell(operation={"throttle": Throttle(rate=0.001, burst=1)})
    limit = Throttle(rate=0.001, burst=1)
    ways: list[tuple[str, dict[str, str]]] = [
        ("?as=auth_request&api=", {"X_Original_Method": "GET", "X_Original_URI": "/orders/7?x"}),
        ("?api=", {"X_Forwarded_Method": "GET", "X_Forwarded_Uri": "/orders/7"}),
        ("?base_path=/v9/shop/&api=", {"X_Forwarded_Method": "GET", "X_Forwarded_Uri": "/v9/shop/orders/7"}),
    ]
    for query, headers in ways:
        sold = desk.sell(operation={"throttle": limit})
        statuses = [desk.authorize(query + sold.name, key=sold.key, **headers).status for _ in range(2)]
        assert statuses == [200, 403 if "auth_request" in query else 429], query
        other = {name: "/elsewhere" if value.startswith("/") else value for name, value in headers.items()}
        assert desk.authorize(query + sold.name, key=sold.key, **other).status == 200
    sold = desk.sell(operation={"throttle": limit})
    by_path = [
        desk.authorize("/orders/7?api=ignored", key=sold.key, X_Gatehouse_Api=f"{sold.name}/v1/live").status
        for _ in range(2)
    ]
    assert by_path == [200, 429]
    put = desk.authorize("/orders/7", method="PUT", key=sold.key, X_Gatehouse_Api=f"{sold.name}?mode=check")
    assert put.status == 200


def test_a_clients_own_headers_add_nothing_to_what_the_gateway_asks(desk: Desk) -> None:
    sold, other = desk.sell(), desk.sell()
    answer = desk.authorize(f"?api={sold.name}", key=sold.key, X_Gatehouse_Api=f"{other.name}?mode=check")
    assert (answer.status, answer.headers["x-gatehouse-subscription"]) == (200, f"s-{sold.name}")


@pytest.mark.parametrize(
    ("query", "field"),
    [("", "api"), ("?api=x&colour=red", "colour"), ("?api=x&as=y", "as"), ("?api=x&mode=y", "mode")],
)
def test_a_gateway_that_asks_wrongly_is_told_so(desk: Desk, query: str, field: str) -> None:
    answer = desk.authorize(query, key="x")
    assert problem(answer, 422, "invalid-input")["errors"][0]["field"] == field
    assert answer.headers["x-gatehouse-code"] == "CALLER_BAD_REQUEST"


def test_the_key_is_where_the_stage_says(desk: Desk) -> None:
    by_query = desk.sell(stage={"key_source": KeySource("query", "apikey")})
    forwarded = {"X_Forwarded_Method": "GET", "X_Forwarded_Uri": f"/orders/7?apikey={by_query.key}"}
    assert desk.authorize(f"?api={by_query.name}", **forwarded).status == 200
    by_bearer = desk.sell(stage={"key_source": KeySource("bearer", "Authorization")})
    answer = desk.node.call(
        "GET",
        f"/api/v1/keys/authorize?api={by_bearer.name}",
        headers={"Authorization": f"Bearer {by_bearer.key}", "X-Gatehouse-Token": TOKEN},
    )
    assert answer.status == 200


def test_a_token_of_the_gateway_is_not_remembered_for_the_clients_authorization(desk: Desk) -> None:
    sold = desk.sell()
    path, client = f"/api/v1/keys/authorize?api={sold.name}", {"Authorization": "Bearer of-the-client"}
    for _ in range(10):
        answer = desk.node.call("GET", path, key=sold.key, headers={**client, "X-Gatehouse-Token": TOKEN})
        assert answer.status == 200
        assert desk.node.call("GET", path, key=sold.key, headers=client).status == 401


def test_the_clients_address_is_the_last_that_a_gateway_added(desk: Desk) -> None:
    sold = desk.sell(ips=["10.0.0.0/8"])
    query = f"?api={sold.name}"
    assert desk.authorize(query, key=sold.key, X_Forwarded_For="1.2.3.4, 10.1.1.1").status == 200
    refused = desk.authorize(query, key=sold.key, X_Forwarded_For="10.1.1.1, 1.2.3.4")
    assert (refused.status, refused.headers["x-gatehouse-code"]) == (403, "IP_NOT_ALLOWED")


def test_a_custom_domain_keeps_its_own_api(desk: Desk) -> None:
    operations = {"op": operation("ANY", "/{proxy+}")}
    desk.world.publish("own", operations, at="own.example.com|")
    for path in ("/api/v1/keys/verify", "/api/v1/keys/authorize?api=x"):
        answer = desk.node.call("POST", path, host="own.example.com", body=b"{}")
        assert (answer.status, answer.json["path"], answer.json["body_length"]) == (200, path, 2)


def test_a_gateway_that_passes_its_clients_host_on_is_not_answered_by_an_api_of_that_host(desk: Desk) -> None:
    desk.world.publish("trap", {"op": operation("ANY", "/{proxy+}")}, at="trap.example.com|")
    sold = desk.sell()
    for token in (TOKEN, TOKEN[:-1] + "x"):
        headers = {"Authorization": f"Bearer {token}", "X-Gatehouse-Api": sold.name}
        answer = desk.node.call(
            "GET", "/api/v1/keys/authorize/orders/7", host="trap.example.com", headers=headers
        )
        assert answer.status == 401
        assert answer.headers["x-gatehouse-code"] in ("MISSING", "CALLER_UNAUTHENTICATED")
