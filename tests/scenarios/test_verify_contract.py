"""One contract, two answers: the portal (Django) and a gateway node (nginx) say the same of the same keys."""

import json
import time
from pathlib import Path
from typing import Any

import pytest
import requests

from accounts.secret_text import new_secret
from tests.scenarios.running import Running, eventually

SIDES = ("portal", "gateway")
WORLD = Path(__file__).parent / "contract_world.py"
KEY_CASES = (
    "VALID", "DISABLED", "REVOKED", "EXPIRED", "ROTATED_OUT", "NOT_YET_VALID", "APPLICATION_SUSPENDED",
    "ACCOUNT_SUSPENDED", "IP_NOT_ALLOWED", "REFERRER_NOT_ALLOWED", "NOT_SUBSCRIBED", "SUBSCRIPTION_PENDING",
    "API_RETIRED",
)  # fmt: skip
STATUSES = {
    "VALID": 200, "REVOKED": 401, "EXPIRED": 401, "ROTATED_OUT": 401, "NOT_YET_VALID": 401, "MISSING": 401,
    "MALFORMED": 401, "NOT_FOUND": 401, "API_RETIRED": 410,
}  # fmt: skip


PROVIDER = "alice"


class Contract:
    """Asks both sides."""

    def __init__(self, running: Running, facts: dict[str, Any]) -> None:
        self.running, self.facts = running, facts
        self.keys, self.tokens, self.api = facts["keys"], facts["tokens"], facts["api"]

    def names(self, case: str) -> dict[str, str]:
        return {"api": self.api["slug"], "version": "v2" if case == "API_RETIRED" else "v1"}

    def request(self, side: str, method: str, path: str, token: str, **more: Any) -> requests.Response:
        headers = {"Authorization": f"Bearer {self.tokens.get(token, token)}"} if token else {}
        headers |= more.pop("headers", {})
        url = f"{self.running.facts[side]}/api/v1/keys/{path}"
        return requests.request(method, url, headers=headers, timeout=20, **more)

    def verify(self, side: str, body: Any, token: str = PROVIDER) -> requests.Response:
        return self.request(side, "POST", "verify", token, json=body)

    def verdict(self, side: str, case: str, **more: Any) -> dict[str, Any]:
        answer = self.verify(side, {"key": self.keys[case], **self.names(case), **more})
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def authorize(self, side: str, case: str, query: str = "", **more: Any) -> requests.Response:
        names = self.names(case)
        headers = {"X-Api-Key": self.keys[case], **more.pop("headers", {})}
        path = f"authorize?api={names['api']}&version={names['version']}{query}"
        return self.request(side, "GET", path, more.pop("token", "alice"), headers=headers, **more)


@pytest.fixture(scope="module")
def contract(running: Running) -> Contract:
    printed = running.manage("shell", "--verbosity", "0", "-c", WORLD.read_text())
    made = Contract(running, json.loads(printed.strip().splitlines()[-1]))
    time.sleep(1.1)  # one of the keys expires
    eventually(lambda: made.verdict("gateway", "API_RETIRED")["code"] == "API_RETIRED", 5)
    return made


def common(found: dict[str, Any]) -> dict[str, Any]:
    """What both sides must say alike: all but ids of requests, and counters that only nodes know exactly."""
    found = {name: value for name, value in found.items() if name not in ("request_id", "binding_limit")}
    unlike = {"used", "remaining", "accuracy", "reset_after_s", "exceeded"}
    found["limits"] = [
        {name: value for name, value in limit.items() if name not in unlike or limit["kind"] == "quota"}
        for limit in found["limits"]
    ]
    for limit in found["limits"]:
        for name in ("accuracy", "reset_after_s"):
            limit.pop(name, None)
    return found


@pytest.mark.parametrize("case", KEY_CASES)
def test_both_say_the_same_of_every_key(contract: Contract, case: str) -> None:
    portal, node = (contract.verdict(side, case, method="GET", path="/orders/7") for side in SIDES)
    assert portal["code"] == node["code"] == case
    assert common(portal) == common(node)


def test_a_subscription_that_ended_or_pauses_is_none(contract: Contract) -> None:
    for case in ("cancelled", "suspended"):
        portal, node = (contract.verdict(side, case) for side in SIDES)
        assert portal["code"] == "NOT_SUBSCRIBED"
        assert common(portal) == common(node)


@pytest.mark.parametrize(
    ("more", "token"),
    [
        ({"key": ""}, "alice"),
        ({"key": "secret"}, "alice"),
        ({"key": new_secret("gh_live")}, "alice"),
        ({"api": "nothing-like-this"}, "alice"),
        ({"stage": "nothing-like-this"}, "alice"),
        ({}, "stranger"),
        ({}, "charlie"),
        ({"api": None, "version": None}, "alice"),
        ({"api": None, "version": None}, "charlie"),
        ({"api": None, "version": "version"}, "alice"),
        ({"api": "id", "version": "version", "stage": "stage"}, "alice"),
        ({"api": None, "version": None, "stage": "stage"}, "alice"),
        ({"api": None}, "alice"),
        ({"version": None}, "alice"),
        ({"path": "/orders/7/", "method": "HEAD"}, "alice"),
        ({"path": "/all/x/y", "method": "DELETE"}, "alice"),
        ({"path": "/nowhere"}, "alice"),
        ({"mode": "guess"}, "alice"),
        ({"mode": "reserve"}, "alice"),
        ({"mode": "consume"}, "reader"),
        ({"mode": "consume", "api": None, "version": None}, "alice"),
        ({"colour": "red"}, "alice"),
        ({"client_ip": "1.2"}, "alice"),
        ({"path": "orders"}, "alice"),
        ({"method": "GET /"}, "alice"),
        ({"key": None}, "alice"),
        ({}, ""),
        ({}, "gat_unknown"),
        ({}, "suspended"),
    ],
)
def test_both_read_the_same_question_alike(contract: Contract, more: dict[str, Any], token: str) -> None:
    asked = {"key": contract.keys["VALID"], **contract.names("VALID"), **more}
    known = {"version": contract.api["version"], "stage": contract.api["stage"], "id": contract.api["id"]}
    asked = {name: known.get(value, value) if value else value for name, value in asked.items()}
    asked = {
        name: value for name, value in asked.items() if value is not None or name not in ("api", "version")
    }
    portal, node = (contract.verify(side, asked, token) for side in SIDES)
    assert portal.status_code == node.status_code, (portal.text, node.text)
    if portal.status_code == 200:
        assert common(portal.json()) == common(node.json())
        return
    unlike = ("request_id", "detail")
    said = [
        {name: value for name, value in each.json().items() if name not in unlike} for each in (portal, node)
    ]
    for each in said:
        each["errors"] = [(error["field"], error["code"]) for error in each.get("errors", [])]
    assert said[0] == said[1]
    assert portal.headers.get("WWW-Authenticate") == node.headers.get("WWW-Authenticate")


def test_a_place_that_is_allowed_is_allowed_by_both(contract: Contract) -> None:
    for side in SIDES:
        assert contract.verdict(side, "IP_NOT_ALLOWED", client_ip="10.1.2.3")["code"] == "VALID"
        assert contract.verdict(side, "IP_NOT_ALLOWED", client_ip="::ffff:10.1.2.3")["code"] == "VALID"
        assert contract.verdict(side, "IP_NOT_ALLOWED", client_ip="11.1.2.3")["code"] == "IP_NOT_ALLOWED"
        for page in ("https://app.example.com/x?y", "app.example.com", "http://u@App.Example.com:81"):
            assert contract.verdict(side, "REFERRER_NOT_ALLOWED", referrer=page)["code"] == "VALID", page
        for page in ("https://example.com", "https://app.example.com.evil.test", "x"):
            assert contract.verdict(side, "REFERRER_NOT_ALLOWED", referrer=page)["valid"] is False, page


def test_both_consume_from_one_counter_and_it_is_metered(contract: Contract, running: Running) -> None:
    verdicts = [
        contract.verdict(side, "consumed", mode="consume", method="GET", path="/orders/7")
        for side in ("portal", "gateway", "portal", "gateway")
    ]
    assert [found["code"] for found in verdicts] == ["VALID"] * 3 + ["RATE_LIMITED"]
    rates = [found["limits"][0] for found in verdicts]
    assert [rate["remaining"] for rate in rates] == [2, 1, 0, 0]
    assert verdicts[2]["consumed"] is True
    subscription = verdicts[0]["subscription"]["id"]
    path = f"usage?subscription={subscription}"
    token = contract.tokens["alice"]
    eventually(
        lambda: running.rest("GET", path, token=token)["summary"]["accepted"] == 3,
        20,
        lambda: str(running.rest("GET", path, token=token)),
    )


def test_a_quota_is_spent_to_the_call_whoever_is_asked(contract: Contract) -> None:
    codes = [contract.verdict(side, "small", mode="consume")["code"] for side in (*SIDES, *SIDES)]
    assert codes == ["VALID", "VALID", "QUOTA_EXCEEDED", "QUOTA_EXCEEDED"]


@pytest.mark.parametrize("case", KEY_CASES)
def test_both_authorize_alike(contract: Contract, case: str) -> None:
    portal, node = (contract.authorize(side, case, "&mode=check") for side in SIDES)
    assert portal.status_code == node.status_code == STATUSES.get(case, 403)
    assert portal.content == node.content == b""
    for name in (
        "X-Gatehouse-Code", "X-Gatehouse-Status", "X-Consumer-ID", "X-Consumer-Custom-ID", "X-Credential-Identifier",
        "X-Gatehouse-Plan", "X-Gatehouse-Subscription", "WWW-Authenticate",
    ):  # fmt: skip
        assert portal.headers.get(name) == node.headers.get(name), name
    assert portal.headers["X-Gatehouse-Code"] == case
    if case == "VALID":
        for side in (portal, node):
            assert '"quota";r=100;t=' in side.headers["RateLimit"]
            assert '"quota";q=100;w=' in side.headers["RateLimit-Policy"]


def test_both_authorize_for_nginx_with_the_statuses_it_knows(contract: Contract) -> None:
    for side in SIDES:
        answer = contract.authorize(side, "API_RETIRED", "&mode=check&as=auth_request")
        assert (answer.status_code, answer.headers["X-Gatehouse-Status"]) == (403, "410")


@pytest.mark.parametrize(
    ("query", "more", "status"),
    [
        ("&mode=check&colour=red", {}, 422),
        ("&mode=check&as=x", {}, 422),
        ("", {"token": "reader"}, 403),
        ("", {"token": ""}, 401),
        ("", {"token": "suspended"}, 401),
        ("&mode=check", {"headers": {"X-Api-Key": ""}}, 401),
        ("&mode=check", {"headers": {"X-Api-Key": "secret"}}, 401),
    ],
)
def test_both_tell_faults_of_the_asker_from_verdicts(
    contract: Contract, query: str, more: dict[str, Any], status: int
) -> None:
    portal, node = (contract.authorize(side, "VALID", query, **dict(more)) for side in SIDES)
    assert portal.status_code == node.status_code == status
    assert portal.headers["X-Gatehouse-Code"] == node.headers["X-Gatehouse-Code"]


def test_both_consume_for_gateways_from_one_counter(contract: Contract) -> None:
    answers = [contract.authorize(side, "authorized") for side in (*SIDES, *SIDES)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert answers[3].headers["X-Gatehouse-Code"] == "RATE_LIMITED"
    assert int(answers[3].headers["Retry-After"]) > 0
    assert [answer.headers["RateLimit"].split(",")[0] for answer in answers[:3]] == [
        f'"plan";r={left};t={seconds}' for left, seconds in ((2, 100), (1, 200), (0, 300))
    ]


def test_both_take_options_from_one_header_and_the_path_of_envoy(contract: Contract) -> None:
    options = f"{contract.api['slug']}/v1/live?mode=check"
    for side in SIDES:
        for method in ("GET", "DELETE"):
            headers = {"X-Gatehouse-Api": options, "X-Api-Key": contract.keys["VALID"]}
            answer = contract.request(
                side, method, "authorize/orders/7?api=ignored", "alice", headers=headers
            )
            assert (answer.status_code, answer.headers["X-Gatehouse-Code"]) == (200, "VALID"), (side, method)
