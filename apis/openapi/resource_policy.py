"""`x-amazon-apigateway-policy`: who may call from where.

Served are statements about everybody (`Principal: *`) with no condition, or with one on `aws:SourceIp`. Any
other asks for something that this gateway does not know of a caller, so the whole policy is not enforced yet.
"""

import ipaddress
import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from apis.policy.ip import NOBODY, Rules, common

EXTENSION = "x-amazon-apigateway-policy"
NOT_ENFORCED = "The document's resource policy (x-amazon-apigateway-policy) is not enforced yet"
EVERYBODY = ("*", ["*"], {"AWS": "*"}, {"AWS": ["*"]})
INVOKE = ("execute-api:invoke", "execute-api:*", "*")
VERBS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
VARIABLE = re.compile(r"\{[^{}/]*\}")
Statement = dict[str, Any]


def read_resource_policy(policy: Any) -> tuple[list[Statement], str]:
    """Return the statements as {effect, resources, inside or outside}, and why they cannot be enforced.

    `effect` is allow or deny, `resources` are patterns of stage/VERB/path with * and ?; `inside` and
    `outside` are networks. No policy, and one without statements, gives ([], '').
    """
    if policy is None:
        return [], ""
    given = policy.get("Statement", []) if isinstance(policy, dict) else [None]
    read = []
    for raw in given if isinstance(given, list) else [given]:
        statement, why_not = _statement(raw)
        if why_not:
            return [], f"{NOT_ENFORCED}: {why_not}."
        if statement:
            read.append(statement)
    return read, ""


def _statement(raw: Any) -> tuple[Statement | None, str]:
    if not isinstance(raw, dict):
        return None, "a statement is not an object"
    odd = raw.keys() - {"Sid", "Effect", "Principal", "Action", "Resource", "Condition"}
    if odd:
        return None, f"it speaks of {min(odd)[:40]}"
    if raw.get("Effect") not in ("Allow", "Deny"):
        return None, "a statement has no effect"
    if raw.get("Principal") not in EVERYBODY:
        return None, "a statement speaks of certain principals"
    if not any(str(each).lower() in INVOKE for each in _list(raw.get("Action", "*"))):
        return None, "a statement is not about execute-api:Invoke"
    resources = [_pattern(each) for each in _list(raw.get("Resource", "*"))]
    networks, why_not = _condition(raw.get("Condition"))
    return {"effect": raw["Effect"].lower(), "resources": resources} | networks, why_not


def _list(raw: Any) -> list[Any]:
    return raw if isinstance(raw, list) else [raw]


def _pattern(resource: Any) -> str:
    """`execute-api:/live/GET/pets` and `arn:aws:execute-api:…:api/live/GET/pets` -> `live/GET/pets`."""
    text = str(resource)
    return text.partition("/")[2] if "/" in text else "*"


def _condition(raw: Any) -> tuple[dict[str, list[str]], str]:
    if raw is None or raw == {}:
        return {}, ""
    if not isinstance(raw, dict) or len(raw) != 1:
        return {}, "a condition has several parts"
    ((operator, keys),) = raw.items()
    name = {"IpAddress": "inside", "NotIpAddress": "outside"}.get(operator)
    if name is None or not isinstance(keys, dict) or [str(key).lower() for key in keys] != ["aws:sourceip"]:
        return {}, f"a condition {str(operator)[:40]} is not about aws:SourceIp alone"
    try:
        found = [str(ipaddress.ip_network(each, strict=False)) for each in _list(next(iter(keys.values())))]
    except (TypeError, ValueError):
        return {}, "a condition names something that is no network"
    return {name: found}, ""


def rules_of(statements: list[Statement], stage: str, method: str, path: str) -> Rules | None:
    """Return the IP rules of one operation on a stage; None = everybody may call.

    As with AWS, what no statement allows is denied. Where a pattern covers only part of an operation (one
    verb of ANY, one value of a variable) a denial holds for all of it, and an allowance for nothing.
    """
    if not statements:
        return None
    allow: list[str] | None = []  # None = everybody
    deny: list[str] = []
    for each in _applying(statements, "allow", stage, method, path):
        if "inside" in each:
            allow = None if allow is None else [*allow, *each["inside"]]
        else:
            deny += each.get("outside", [])
            allow = None
    if allow == []:
        return NOBODY
    for each in _applying(statements, "deny", stage, method, path):
        if "outside" in each:
            allow = common(allow, each["outside"]) if allow is not None else each["outside"]
        else:
            deny += each.get("inside", NOBODY["deny"])
    if allow == [] or set(NOBODY["deny"]) <= set(deny):
        return NOBODY
    if allow is None and not deny:
        return None
    return {"allow": allow or [], "deny": deny}


def _applying(
    statements: list[Statement], effect: str, stage: str, method: str, path: str
) -> Iterator[Statement]:
    verbs = VERBS if method == "ANY" else (method,)
    text = path.lstrip("/")
    for each in statements:
        if each["effect"] != effect:
            continue
        if effect == "allow":
            covers = all(_covered(each["resources"], f"{stage}/{verb}/{text}") for verb in verbs)
        else:
            widened = VARIABLE.sub("*", text)
            covers = any(
                _overlap(pattern, f"{stage}/{verb}/{widened}")
                for verb in verbs
                for pattern in each["resources"]
            )
        if covers:
            yield each


def _covered(patterns: list[str], text: str) -> bool:
    return any(_regex(pattern).fullmatch(text) for pattern in patterns)


@lru_cache(maxsize=1_000)
def _regex(pattern: str) -> re.Pattern[str]:
    # a run of stars is one star, so that no pattern can make the match slow
    parts = re.split(r"(\*+|\?)", pattern)
    return re.compile("".join({"*": ".*", "?": "."}.get(part[:1], re.escape(part)) for part in parts))


def _overlap(one: str, other: str) -> bool:
    """Tell whether some text fits both patterns (`*` any letters, `?` one)."""
    reached = {0}
    for letter in one:
        reached = _closed(reached, other)
        if letter == "*":
            reached = set(range(min(reached), len(other) + 1))
        else:
            reached = {
                place + (other[place] != "*")
                for place in reached
                if place < len(other) and (other[place] in ("*", "?", letter) or letter == "?")
            }
        if not reached:
            return False
    return len(other) in _closed(reached, other)


def _closed(reached: set[int], other: str) -> set[int]:
    """Add the places behind stars, which may stand for nothing."""
    found = set(reached)
    for place in sorted(reached):
        step = place
        while step < len(other) and other[step] == "*":
            step += 1
            found.add(step)
    return found
