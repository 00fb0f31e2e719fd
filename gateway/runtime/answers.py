"""What a Lambda authorizer answers -> what the gate keeps. Pure.

As AWS has it: `principalId` and `policyDocument` are required, `context` is a map of texts, numbers and booleans,
`usageIdentifierKey` the caller's API key. The policy is kept, not its verdict: the gate judges it for each call.
"""

import json
import re
from dataclasses import dataclass, field
from typing import Any

LONGEST_ANSWER = 8192  # bytes, AWS's
LONGEST_RESOURCE = 512  # characters, AWS's
ACTION = "execute-api:Invoke"
NAME = re.compile(r"[A-Za-z0-9_]{1,256}")


class BadAnswer(ValueError):
    """The function's answer cannot be used; the text says why, without anything of the answer's values."""


@dataclass(frozen=True, slots=True)
class Answer:
    """`statements` are those about invoking: {"allow": bool, "resources": [pattern], "others": bool}.

    With `others` a statement is about all resources but these. `*` in a pattern is any text, `?` one character.
    """

    principal: str
    statements: list[dict[str, Any]]
    context: dict[str, str] = field(default_factory=dict)
    key: str = ""


def read_answer(text: bytes) -> Answer:
    """Read the function's result; raises BadAnswer."""
    if len(text) > LONGEST_ANSWER:
        raise BadAnswer(f"it is longer than {LONGEST_ANSWER} bytes")
    try:
        raw = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadAnswer("it is not JSON") from error
    if not isinstance(raw, dict):
        raise BadAnswer("it is not an object")
    principal, key = raw.get("principalId"), raw.get("usageIdentifierKey")
    if isinstance(principal, bool) or not isinstance(principal, str | int | float) or principal == "":
        raise BadAnswer("principalId is missing")
    if key is not None and not isinstance(key, str):
        raise BadAnswer("usageIdentifierKey is not a text")
    return Answer(
        _text(principal), _statements(raw.get("policyDocument")), _context(raw.get("context")), key or ""
    )


def _context(raw: Any) -> dict[str, str]:
    if raw is None:
        return {}
    if not isinstance(raw, dict):
        raise BadAnswer("context is not an object")
    read = {}
    for name, value in raw.items():
        if not NAME.fullmatch(name) or name == "claims":
            raise BadAnswer(
                "a name in context has other characters than letters, digits and _, or is `claims`"
            )
        if isinstance(value, dict | list):
            raise BadAnswer("a value in context is no text, number or boolean")
        if value is not None:
            read[name] = _text(value)
    return read


def _text(value: Any) -> str:
    """Numbers and booleans as JSON writes them."""
    return value if isinstance(value, str) else json.dumps(value)


def _statements(document: Any) -> list[dict[str, Any]]:
    if not isinstance(document, dict):
        raise BadAnswer("policyDocument is missing")
    raw = document.get("Statement")
    statements = [raw] if isinstance(raw, dict) else raw
    if not isinstance(statements, list) or not statements:
        raise BadAnswer("policyDocument has no Statement")
    read = [_statement(each) for each in statements]
    return [each for each in read if each is not None]


def _statement(raw: Any) -> dict[str, Any] | None:
    """Read one statement; None = it is not about invoking."""
    if not isinstance(raw, dict) or raw.get("Effect") not in ("Allow", "Deny"):
        raise BadAnswer("a statement has no Effect Allow or Deny")
    if raw.get("Condition"):
        raise BadAnswer("a statement has a Condition, which this gateway does not judge")
    actions, without = _one_of(raw, "Action")
    resources, others = _one_of(raw, "Resource")
    if any(len(each) > LONGEST_RESOURCE for each in resources):
        raise BadAnswer(f"a resource is longer than {LONGEST_RESOURCE} characters")
    if any(_matches(each, ACTION) for each in actions) == without:
        return None
    return {"allow": raw["Effect"] == "Allow", "resources": resources, "others": others}


def _one_of(raw: dict[str, Any], name: str) -> tuple[list[str], bool]:
    """Return the texts of `name` or of `Not{name}`, and whether it was the latter."""
    said = [each for each in (name, f"Not{name}") if each in raw]
    if len(said) != 1:
        raise BadAnswer(f"a statement needs one of {name} and Not{name}")
    value = raw[said[0]]
    texts = [value] if isinstance(value, str) else value
    if not isinstance(texts, list) or not texts or not all(isinstance(each, str) for each in texts):
        raise BadAnswer(f"{said[0]} of a statement is neither a text nor a list of texts")
    return texts, said[0] != name


def _matches(pattern: str, action: str) -> bool:
    """Actions do not tell upper from lower case."""
    pieces = (
        ".*" if each == "*" else "." if each == "?" else re.escape(each)
        for each in re.sub(r"\*+", "*", pattern)
    )
    return re.fullmatch("".join(pieces), action, re.IGNORECASE) is not None
