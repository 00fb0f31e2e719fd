"""What the gate did with a call, check by check, from its line and what the settings say. Pure.

The order is the gate's (docs/gate.md). `why` is what the gate says beyond the verdict; an older node says nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from metering.models import RequestLine


class State(StrEnum):
    PASSED = "passed"
    REFUSED = "refused"
    FAILED = "failed"
    NOT_REACHED = "not reached"
    NOT_USED = "not used"


@dataclass(frozen=True, slots=True)
class Step:
    """One check: its name, how it went, in words, and by which rule of which level."""

    name: str
    state: State
    text: str = ""
    rule: str = ""


@dataclass(frozen=True, slots=True)
class Facts:
    """What the settings say of a call's checks: words for rules that hold; a check that is not there is not used."""

    rules: Mapping[str, str] = field(default_factory=dict)
    passed: Mapping[str, str] = field(default_factory=dict)
    unused: frozenset[str] = frozenset()


# in the gate's order; what stands in RARE is shown only where it refused the call
CHECKS = {
    "node": "Gateway node",
    "address": "Address",
    "certificate": "Client certificate",
    "state": "API is open",
    "networks": "IP rules",
    "operation": "Operation",
    "authorizer": "Authorizer",
    "key": "API key",
    "subscription": "Subscription",
    "settings": "The API's settings",
    "request": "Request",
    "cache_control": "Cache control",
    "log": "Usage log",
    "throttle": "Throttle",
    "quota": "Quota",
    "cache": "Cache",
    "backend": "Backend",
}
RARE = frozenset({"node", "certificate", "settings", "cache_control", "log"})
FAILURES = ("INTEGRATION_FAILURE", "INTEGRATION_TIMEOUT")
OF_SUBSCRIPTION = frozenset({"NOT_SUBSCRIBED", "SUBSCRIPTION_PENDING"})
_BY_VERDICT = {
    "NOT_READY": "node",
    "MISSING_AUTHENTICATION_TOKEN": "operation",
    "UNAUTHORIZED": "authorizer",
    "AUTHORIZER_FAILURE": "authorizer",
    "AUTHORIZER_CONFIGURATION_ERROR": "authorizer",
    "REQUEST_TOO_LARGE": "request",
    "BAD_REQUEST": "request",
    "USAGE_LOG_FULL": "log",
    "THROTTLED": "throttle",
    "QUOTA_EXCEEDED": "quota",
    "INTEGRATION_FAILURE": "backend",
    "INTEGRATION_TIMEOUT": "backend",
}
_BY_WHY = {
    "certificate": "certificate",
    "suspended": "state",
    "retired": "state",
    "networks": "networks",
    "authorizer": "authorizer",
    "cache": "cache_control",
    "loop": "address",
    "no_authorizer": "authorizer",
}
# verdict, or verdict and why -> what happened, and what to do
_WORDS = {
    "NOT_READY": "The node had just started and did not know its APIs yet. Try again.",
    "BAD_REQUEST": "The request is not well formed: its path, its headers or its body.",
    "MISSING_AUTHENTICATION_TOKEN": (
        "The API has no operation with this method and path. Compare both with its reference."
    ),
    "MISSING_AUTHENTICATION_TOKEN address": "No API answers at this host and path.",
    "ACCESS_DENIED": "The API's settings do not admit this call.",
    "ACCESS_DENIED certificate": "The host asks for a client certificate, and the call showed none that it trusts.",
    "ACCESS_DENIED suspended": "The API's provider is suspended.",
    "ACCESS_DENIED retired": "This version of the API is retired.",
    "ACCESS_DENIED networks": "The caller's address is not admitted by the API's IP rules.",
    "ACCESS_DENIED authorizer": "The API's authorizer knows the caller, and does not let it do this.",
    "ACCESS_DENIED cache": "Callers may not ask for a fresh answer (Cache-Control: max-age=0) here.",
    "UNAUTHORIZED": "The API's authorizer did not accept the credentials.",
    "UNAUTHORIZED identity": "The credentials that the API's authorizer needs were not sent.",
    "UNAUTHORIZED validation": "The token does not have the form that the API expects.",
    "AUTHORIZER_FAILURE": "The API's authorizer failed or did not answer in time. That is the provider's to repair.",
    "AUTHORIZER_CONFIGURATION_ERROR": "The API's authorizer cannot be used. That is the provider's to repair.",
    "INVALID_API_KEY": "The key does not open this API.",
    "INVALID_API_KEY MISSING": "No key was sent. Send it in the header x-api-key, unless the API says otherwise.",
    "INVALID_API_KEY MALFORMED": "What was sent is no key: a character is missing, added or wrong.",
    "INVALID_API_KEY NOT_FOUND": "There is no such key: it was deleted, or belongs to another installation.",
    "INVALID_API_KEY REVOKED": "The key is revoked.",
    "INVALID_API_KEY DISABLED": "The key is disabled.",
    "INVALID_API_KEY EXPIRED": "The key has expired.",
    "INVALID_API_KEY ROTATED_OUT": "The key was rotated, and its time of grace is over. Use the new one.",
    "INVALID_API_KEY NOT_YET_VALID": "The key is not valid yet.",
    "INVALID_API_KEY APPLICATION_SUSPENDED": "The key's application is suspended.",
    "INVALID_API_KEY ACCOUNT_SUSPENDED": "The organization of the key is suspended.",
    "INVALID_API_KEY IP_NOT_ALLOWED": "The key may not be used from this address.",
    "INVALID_API_KEY REFERRER_NOT_ALLOWED": "The key may not be used from this website.",
    "INVALID_API_KEY NOT_SUBSCRIBED": "The key is good, but none of its application's active plans opens this API.",
    "INVALID_API_KEY SUBSCRIPTION_PENDING": "The subscription waits for the provider's approval.",
    "API_CONFIGURATION_ERROR": "The API's settings cannot be used. That is the provider's to repair.",
    "API_CONFIGURATION_ERROR loop": "The backend leads back to the gateway.",
    "API_CONFIGURATION_ERROR no_authorizer": "Keys come from an authorizer here, and the operation has none.",
    "API_CONFIGURATION_ERROR unserved": "The operation's integration is of a kind that cannot be served.",
    "REQUEST_TOO_LARGE": "The body is larger than the API takes.",
    "USAGE_LOG_FULL": "The node had no room to count the call, and serves nothing that it cannot count.",
    "THROTTLED": "Too many calls in too short a time. Wait as Retry-After says, or spread the calls.",
    "QUOTA_EXCEEDED": "The calls of this period are used up.",
    "QUOTA_EXCEEDED stopped": "A spend limit stopped the subscription.",
    "INTEGRATION_FAILURE": "The backend could not be reached, or broke the connection off.",
    "INTEGRATION_FAILURE no_address": "The backend's host has no address.",
    "INTEGRATION_TIMEOUT": "The backend did not answer in time.",
    "CORS_PREFLIGHT": "A browser asked whether it may call; the gateway answered itself.",
}
_PLACES = {
    "installation": "whole installation",
    "stage": "API's stage",
    "operation": "operation",
    "plan": "plan, all keys of the subscription together",
    "plan_operation": "plan, for this operation",
}


def refused_at(line: RequestLine) -> str:
    """Return the check of CHECKS at which the call ended; '' = it passed them all."""
    why = line.why.split(" ", 1)[0]
    if line.verdict in ("", "CORS_PREFLIGHT"):
        return ""
    if line.verdict == "INVALID_API_KEY":
        return "subscription" if why in OF_SUBSCRIPTION else "key"
    if not line.stage_id and line.verdict in ("MISSING_AUTHENTICATION_TOKEN", "BAD_REQUEST"):
        return "address"
    return _BY_WHY.get(why) or _BY_VERDICT.get(line.verdict, "settings")


def outcome_of(line: RequestLine) -> str:
    """Return `answered`, `refused` (by the gate) or `failed`: the names of OUTCOMES in search.py."""
    if line.verdict in FAILURES:
        return "failed"
    if line.verdict not in ("", "CORS_PREFLIGHT"):
        return "refused"
    return "answered" if 100 <= line.status < 400 else "failed"


def words_of(line: RequestLine) -> str:
    """Say in a sentence or two what became of the call."""
    if not line.verdict:
        if line.status in (0, 499):
            return "The caller closed the connection before the answer was there."
        if "h" in line.flags:
            return f"Answered {line.status} from the cache."
        if line.status >= 400:
            return f"The backend answered {line.status}. The gateway passed its answer on as it was."
        return f"Answered {line.status} by the backend."
    place = "address" if refused_at(line) == "address" else line.why.split(" ", 1)[0]
    return _WORDS.get(f"{line.verdict} {place}") or _WORDS.get(line.verdict, line.verdict)


def steps_of(line: RequestLine, facts: Facts) -> list[Step]:
    """Return the checks in the gate's order."""
    if line.verdict == "CORS_PREFLIGHT":
        return [Step("CORS preflight", State.PASSED, words_of(line))]
    ended = refused_at(line)
    found: list[Step] = []
    over = False
    for check, name in CHECKS.items():
        if check in RARE and check != ended:
            continue
        if over:
            found.append(Step(name, State.NOT_REACHED))
        elif check == ended:
            state = State.FAILED if check == "backend" or line.status >= 500 else State.REFUSED
            found.append(Step(name, state, words_of(line), _rule(check, line, facts)))
            over = True
        elif check in facts.unused:
            found.append(Step(name, State.NOT_USED, facts.passed.get(check, "")))
        else:
            found.append(_passed(check, name, line, facts))
    return found


def _passed(check: str, name: str, line: RequestLine, facts: Facts) -> Step:
    if check == "cache":
        if "h" in line.flags:
            return Step(name, State.PASSED, "Answered from the cache.", facts.rules.get(check, ""))
        if "m" in line.flags:
            return Step(
                name,
                State.PASSED,
                "Nothing fitting was kept.",
                facts.rules.get(check, ""),
            )
    if check == "backend":
        if "h" in line.flags:
            return Step(name, State.NOT_REACHED, "The cache answered.")
        state = State.FAILED if line.status >= 500 else State.PASSED
        return Step(name, state, _backend_words(line), facts.rules.get(check, ""))
    return Step(name, State.PASSED, facts.passed.get(check, ""), facts.rules.get(check, ""))


def _backend_words(line: RequestLine) -> str:
    tries = line.tries.replace(",", " ").replace(":", " ").split()
    if len(tries) > 1:
        return f"{len(tries)} tries: {', '.join(tries)}."
    return f"Answered {tries[0] if tries else line.status}."


def _rule(check: str, line: RequestLine, facts: Facts) -> str:
    if check == "throttle" and (found := throttled_by(line.why)):
        return found
    return facts.rules.get(check, "")


def throttled_by(why: str) -> str:
    """Name the limit that refused: `plan 5 10` is what the gate wrote of it, rate and burst."""
    place, *numbers = why.split(" ")
    if place not in _PLACES or len(numbers) != 2:
        return ""
    rate, burst = numbers
    return f"{rate} a second, {burst} at once, for the {_PLACES[place]}"
