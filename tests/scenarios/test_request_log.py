"""The request log on real parts: a call is made, and its page says what the gate did with it."""

from typing import Any

import pytest

from tests.scenarios.running import Running, eventually

DOCUMENT = {
    "openapi": "3.0.3",
    "info": {"title": "Seen", "version": "1"},
    "paths": {path: {"get": {"responses": {}}} for path in ("/get", "/delay/{n}", "/uuid", "/ip")},
}


class Seen:
    """A published API with two keys: one of a plan with room, one of a plan with a quota of one call."""

    def __init__(self, running: Running) -> None:
        self.running, rest = running, running.rest
        api = rest("POST", "apis", json={"name": "Seen", "slug": "seen"})
        backend = rest("POST", "backends", json={"name": "seen", "url": running.facts["httpbin"]})
        version = rest(
            "POST",
            "versions",
            json={"api": api["id"], "name": "v1", "document": DOCUMENT, "backend": backend["id"]},
        )
        made = rest("POST", "deployments", json={"version": version["id"], "stage": "live"})
        self.stage = next(each for each in made["stages"] if each["name"] == "live")
        self._policies(version)
        card = rest("POST", "rate-cards", json={"name": "Seen", "currency": "USD", "preset": "aws-rest"})
        self.key = self._key("roomy", rate_card=card["id"])
        self.spent = self._key("spent", quota_limit=1, quota_period="DAY")
        self.slow = self._key("slow", throttle_rate=0.01, throttle_burst=1)

    def _policies(self, version: dict[str, Any]) -> None:
        found = self.running.rest("GET", f"operations?version={version['id']}")["results"]
        ids = {each["path"]: each["id"] for each in found}
        policies = {
            ids["/delay/{n}"]: {"timeout_ms": 300},
            ids["/uuid"]: {"cache": {"ttl": 60}},
            ids["/ip"]: {"ip": {"allow": ["10.99.0.0/16"], "deny": []}},
        }
        for operation, policy in policies.items():
            path = f"stages/{self.stage['id']}/operations/{operation}/policy"
            self.running.rest("PUT", path, json={"policy": policy})

    def _key(self, name: str, **plan: Any) -> str:
        rest = self.running.rest
        made = rest("POST", "usage-plans", json={"name": name, "stages": [self.stage["id"]], **plan})
        application = rest("POST", "applications", json={"name": f"Seen {name}"})
        rest("POST", "subscriptions", json={"application": application["id"], "plan": made["id"]})
        key: str = rest("POST", "keys", json={"application": application["id"], "name": name})["key"]
        return key

    def explained(self, path: str, key: str) -> dict[str, Any]:
        """Make a call and wait for its explanation."""
        answer = self.running.call(f"/seen/v1{path}", key)
        name = answer.headers["x-amzn-RequestId"]
        side = {"side": "provider"}
        listed = lambda: [  # noqa: E731
            each
            for each in self.running.rest("GET", "requests", params=side)["results"]
            if each["id"] == name
        ]
        (line,) = eventually(listed, 10)
        assert line["status"] == answer.status_code
        found: dict[str, Any] = self.running.rest("GET", f"requests/{name}", params=side)
        return found


@pytest.fixture(scope="module")
def seen(running: Running) -> Seen:
    made = Seen(running)
    eventually(lambda: running.call("/seen/v1/get", made.key).status_code == 200, 5)
    return made


def ended(told: dict[str, Any]) -> tuple[str, str]:
    """The check that ended the call, and how."""
    found = [each for each in told["steps"] if each["state"] in ("refused", "failed")]
    return (found[0]["name"], found[0]["text"]) if found else ("", "")


def test_an_answered_call_has_its_checks_and_its_price(seen: Seen) -> None:
    told = seen.explained("/get?a=1&token=sesame", seen.key)
    assert ended(told) == ("", "")
    assert (told["request"]["query"], told["outcome"], told["billable"]) == (
        "a=1&token=***",
        "answered",
        True,
    )
    assert told["cost"]["lines"][0]["unit_price"] == "0.0000035"
    states = {each["name"]: each["state"] for each in told["steps"]}
    assert (states["API key"], states["Subscription"], states["Backend"]) == ("passed", "passed", "passed")


def test_what_the_gate_refuses_says_why(seen: Seen) -> None:
    assert ended(seen.explained("/get", "")) == ("API key", seen.explained("/get", "")["headline"])
    check, words = ended(seen.explained("/get", "gh_live_nonsense"))
    assert (check, "is no key" in words) == ("API key", True)
    check, _ = ended(seen.explained("/nowhere", seen.key))
    assert check == "Operation"
    check, _ = ended(seen.explained("/ip", seen.key))
    assert check == "IP rules"
    seen.running.call("/seen/v1/get", seen.slow)
    told = seen.explained("/get", seen.slow)
    assert ended(told)[0] == "Throttle"
    assert "0.01 a second, 1 at once" in str(told["steps"])
    seen.running.call("/seen/v1/get", seen.spent)
    told = seen.explained("/get", seen.spent)
    assert (ended(told)[0], told["billable"], told["cost"]) == ("Quota", False, None)
    assert "1 calls in" in str(told["steps"])


def test_a_slow_backend_and_a_kept_answer_are_told(seen: Seen) -> None:
    told = seen.explained("/delay/1", seen.key)
    assert (ended(told)[0], told["request"]["verdict"]) == ("Backend", "INTEGRATION_TIMEOUT")
    assert "at most 300 ms" in str(told["steps"])
    assert told["billable"]
    assert "Nothing fitting was kept." in str(seen.explained("/uuid", seen.key)["steps"])
    told = seen.explained("/uuid", seen.key)
    assert told["headline"] == "Answered 200 from the cache."
    assert told["request"]["backend_ms"] is None


@pytest.mark.parametrize("path", ["/seen/v1/nowhere", "/seem/v1/get"])
def test_whoever_mistypes_an_address_finds_the_call_in_her_log(seen: Seen, path: str) -> None:
    answer = seen.running.call(path, seen.key)
    assert answer.status_code == 403
    name = f"requests/{answer.headers['x-amzn-RequestId']}"

    def told() -> dict[str, Any]:
        listed = seen.running.rest("GET", "requests", params={"side": "developer"})["results"]
        if not any(name.endswith(each["id"]) for each in listed):
            return {}
        return dict(seen.running.rest("GET", name, params={"side": "developer"}))

    assert ended(eventually(told, 10))[0] in ("Operation", "Address")
