"""The whole story on real parts: publish, subscribe, call, meter, bill, revoke."""

import io
import json
import time
from dataclasses import dataclass
from typing import Any

import pytest
import requests

from tests.scenarios.running import Running, eventually

FORBIDDEN = (403, {"message": "Forbidden"})


@dataclass
class Story:
    """What the earlier steps of the story made."""

    api: dict[str, Any]
    backend: dict[str, Any]
    version: dict[str, Any]
    stage: dict[str, Any]
    free: dict[str, Any]
    pro: dict[str, Any]


@pytest.fixture(scope="module")
def story(running: Running) -> Story:
    """A provider publishes httpbin's own document under a name of her own, with two plans."""
    api = running.rest("POST", "apis", json={"name": "Bin", "slug": "bin"})
    backend = running.rest("POST", "backends", json={"name": "bin", "url": running.facts["httpbin"]})
    document_url = f"{running.facts['httpbin']}/spec.json"
    version = running.rest(
        "POST",
        "versions",
        json={"api": api["id"], "name": "v1", "document_url": document_url, "backend": backend["id"]},
    )
    stage = deploy(running, version)
    free = running.rest(
        "POST",
        "usage-plans",
        json={
            "name": "Small",
            "throttle_rate": 5,
            "throttle_burst": 10,
            "quota_limit": 40,
            "quota_period": "MONTH",
            "stages": [stage["id"]],
        },
    )
    card = running.rest(
        "POST", "rate-cards", json={"name": "As AWS", "currency": "USD", "preset": "aws-rest"}
    )
    pro = running.rest(
        "POST",
        "usage-plans",
        json={
            "name": "Large",
            "throttle_rate": 50,
            "throttle_burst": 100,
            "stages": [stage["id"]],
            "rate_card": card["id"],
        },
    )
    return Story(api, backend, version, stage, free, pro)


def deploy(running: Running, version: dict[str, Any], stage: str = "live") -> dict[str, Any]:
    deployment = running.rest("POST", "deployments", json={"version": version["id"], "stage": stage})
    made = next(each for each in deployment["stages"] if each["name"] == stage)
    return running.rest("GET", f"stages/{made['id']}")


def subscriber(running: Running, plan: dict[str, Any], name: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Make an application with a subscription and a key; return (subscription, key)."""
    application = running.rest("POST", "applications", json={"name": name})
    subscription = running.rest(
        "POST", "subscriptions", json={"application": application["id"], "plan": plan["id"]}
    )
    key = running.rest("POST", "keys", json={"application": application["id"], "name": name})
    eventually(lambda: running.rest("GET", "nodes")["results"], 1)
    return subscription, key


def works(running: Running, path: str, key: str) -> bool:
    return running.call(path, key).status_code == 200


def answer(response: requests.Response) -> tuple[int, Any]:
    return response.status_code, response.json()


def used(running: Running, subscription: dict[str, Any]) -> dict[str, Any]:
    return running.rest("GET", f"usage?subscription={subscription['id']}&by=operation")


def test_a_deployed_version_answers_within_a_second_at_both_addresses(running: Running, story: Story) -> None:
    _, key = subscriber(running, story.pro, "addresses")
    version = running.rest(
        "POST",
        "versions",
        files={
            "file": ("spec.json", requests.get(f"{running.facts['httpbin']}/spec.json", timeout=5).content)
        },
        data={"api": story.api["id"], "name": "v2", "backend": story.backend["id"]},
    )
    begun = time.monotonic()
    stage = deploy(running, version)
    eventually(lambda: running.call("/bin/v2/get").json() == {"message": "Forbidden"}, 5)
    assert time.monotonic() - begun < 1.0

    plan = {"stages": [story.stage["id"], stage["id"]]}
    running.rest("PATCH", f"usage-plans/{story.pro['id']}", json=plan)
    eventually(lambda: works(running, "/bin/v2/get?from=v2", key["key"]), 1)
    assert running.call("/bin/v1/get?from=v1", key["key"]).json()["args"] == {"from": "v1"}
    canonical = {"Host": f"{version['id']}.execute-api.example.com"}
    response = running.call("/live/get?a=1", key["key"], headers=canonical)
    assert response.json()["args"] == {"a": "1"}


YAML_30 = """\
openapi: 3.0.3
info: {title: Yaml, version: "1"}
paths:
  /anything/{name}:
    get:
      parameters: [{name: name, in: path, required: true, schema: {type: string}}]
      responses: {}
"""
JSON_31 = {
    "openapi": "3.1.0",
    "info": {"title": "Json"},
    "paths": {"/anything/{name}": {"get": {"responses": {200: {"description": "all"}}}}},
}


@pytest.mark.parametrize(("name", "document"), [("yaml-30", YAML_30), ("json-31", json.dumps(JSON_31))])
def test_documents_of_every_kind_are_served(running: Running, story: Story, name: str, document: str) -> None:
    version = running.rest(
        "POST",
        "versions",
        json={
            "api": story.api["id"],
            "name": name,
            "document": document,
            "backend": story.backend["id"],
            "key_required": False,
        },
    )
    deploy(running, version)
    eventually(lambda: works(running, f"/bin/{name}/anything/x", ""), 1)


def test_who_has_no_right_to_call_is_refused_as_aws_does(running: Running, story: Story) -> None:
    _, key = subscriber(running, story.pro, "refusals")
    eventually(lambda: works(running, "/bin/v1/get", key["key"]), 1)
    text = key["key"]
    other_plan = running.facts["api_key"]  # of the demo's httpbin, not of bin
    wrong = text[:-8] + ("A" if text[-8] != "A" else "B") + text[-7:]
    for refused in ("", "nonsense", wrong, other_plan):
        response = running.call("/bin/v1/get", refused)
        assert answer(response) == FORBIDDEN
        assert response.headers["x-amzn-ErrorType"] == "ForbiddenException"
        assert response.headers["x-amzn-RequestId"]
    for path, method in (("/bin/v1/nowhere", "GET"), ("/bin/v1/get", "DELETE"), ("/nobody/v1/get", "GET")):
        response = running.call(path, text, method=method)
        assert answer(response) == (403, {"message": "Missing Authentication Token"})
        assert response.headers["x-amzn-ErrorType"] == "MissingAuthenticationTokenException"


def test_an_operation_can_be_published_without_a_key(running: Running) -> None:
    assert running.call("/httpbin/v1/robots.txt").status_code == 200
    assert answer(running.call("/httpbin/v1/get")) == FORBIDDEN


def test_above_the_rate_calls_are_throttled_and_above_the_quota_refused_to_the_call(
    running: Running, story: Story
) -> None:
    subscription, key = subscriber(running, story.free, "limits")
    eventually(lambda: running.call("/bin/v1/get", key["key"]).status_code != 403, 1)
    responses = [running.call("/bin/v1/get", key["key"]) for _ in range(30)]
    throttled = [r for r in responses if r.status_code == 429]
    assert throttled
    assert throttled[0].json() == {"message": "Too Many Requests"}
    assert throttled[0].headers["x-amzn-ErrorType"] == "TooManyRequestsException"
    assert int(throttled[0].headers["Retry-After"]) >= 1
    assert "RateLimit" in throttled[0].headers
    assert "RateLimit-Policy" in throttled[0].headers

    accepted = 1 + sum(r.status_code == 200 for r in responses)
    refused = None
    for _ in range(400):
        response = running.call("/bin/v1/get", key["key"])
        if response.status_code == 200:
            accepted += 1
        elif response.json() == {"message": "Limit Exceeded"}:
            refused = response
            break
        else:
            time.sleep(0.1)
    assert accepted == 40
    assert refused is not None
    assert refused.headers["x-amzn-ErrorType"] == "LimitExceededException"
    eventually(lambda: used(running, subscription)["summary"]["accepted"] == 40, 5)


def test_a_backend_that_is_away_or_slow_gives_a_clear_answer(running: Running, story: Story) -> None:
    away = running.rest("POST", "backends", json={"name": "away", "url": "http://127.0.0.1:9"})
    slow = running.rest(
        "POST", "backends", json={"name": "slow", "url": running.facts["httpbin"], "timeout_ms": 500}
    )
    document = {
        "openapi": "3.0.3",
        "info": {"title": "x", "version": "1"},
        "paths": {"/delay/{n}": {"get": {"responses": {}}}},
    }
    for name, backend, expected in (
        ("away", away, (502, {"message": "Network error communicating with endpoint"})),
        ("slow", slow, (504, {"message": "Endpoint request timed out"})),
    ):
        version = running.rest(
            "POST",
            "versions",
            json={
                "api": story.api["id"],
                "name": name,
                "document": document,
                "backend": backend["id"],
                "key_required": False,
            },
        )
        deploy(running, version)
        eventually(lambda: running.call(f"/bin/{name}/delay/3").status_code != 403, 1)  # noqa: B023
        response = running.call(f"/bin/{name}/delay/3")
        assert answer(response) == expected
        assert response.headers["x-amzn-ErrorType"] == "InternalServerErrorException"


def test_calls_show_within_five_seconds_and_end_on_an_invoice(running: Running, story: Story) -> None:
    subscription, key = subscriber(running, story.pro, "bill")
    eventually(lambda: works(running, "/bin/v1/get", key["key"]), 1)
    size = 0
    for path in ("/bin/v1/get", "/bin/v1/bytes/20000", "/bin/v1/status/404", "/bin/v1/status/500"):
        for _ in range(5):
            size += len(running.call(path, key["key"]).content)
    summary = eventually(
        lambda: (found := used(running, subscription)["summary"])["calls"] >= 21 and found, 5
    )
    assert (summary["calls"], summary["accepted"]) == (21, 21)
    assert (summary["errors_4xx"], summary["errors_5xx"]) == (5, 5)
    assert size < summary["bytes_out"] < size + 21 * 2000
    assert 0 < summary["p50"] <= summary["p90"] <= summary["p99"]

    owed = running.rest("GET", "usage/estimate")["owed"]
    mine = next(each for each in owed["subscriptions"] if each["subscription"] == subscription["id"])
    assert mine["requests"] == 21
    assert mine["bytes_out"] == summary["bytes_out"]
    first_tier = next(line for line in mine["lines"] if line["meter"] == "requests")
    assert (first_tier["quantity"], first_tier["unit_price"]) == ("21", "0.0000035")

    running.manage("close_period")
    invoices = running.rest("GET", "invoices")["results"]
    billed = [
        _part_of(line, subscription["id"])
        for invoice in invoices
        for line in running.rest("GET", f"invoices/{invoice['id']}")["lines"]
        if line["meter"] == "requests"
    ]
    assert sum(billed) == 21


def _part_of(line: dict[str, Any], subscription: str) -> int:
    """Return a subscription's units of an invoice line, which others may share."""
    if line["subscription"]:
        return int(line["quantity"]) if line["subscription"] == subscription else 0
    units, _ = line["breakdown"].get(subscription, ["0", "0"])
    return int(units)


def test_a_revoked_key_is_refused_within_a_second(running: Running, story: Story) -> None:
    _, key = subscriber(running, story.pro, "revoke")
    eventually(lambda: works(running, "/bin/v1/get", key["key"]), 1)
    running.rest("POST", f"keys/{key['id']}/revoke")
    eventually(lambda: answer(running.call("/bin/v1/get", key["key"])) == FORBIDDEN, 1)


def test_verification_gives_the_verdict_of_a_key(running: Running) -> None:
    asked = {"key": running.facts["api_key"], "api": "httpbin"}
    verdict = running.rest("POST", "keys/verify", json=asked)
    assert (verdict["valid"], verdict["code"]) == (True, "VALID")
    verdict = running.rest("POST", "keys/verify", json=asked | {"key": "gh_live_nonsense"})
    assert (verdict["valid"], verdict["code"]) == (False, "MALFORMED")


def test_large_bodies_pass_both_ways(running: Running) -> None:
    body = io.BytesIO(b"x" * 3_000_000)
    response = running.call("/httpbin/v1/post", running.facts["api_key"], method="POST", data=body)
    assert len(response.json()["data"]) == 3_000_000
