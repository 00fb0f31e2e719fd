"""`x-amazon-apigateway-integration`: what stands behind an operation."""

import re
from dataclasses import dataclass, field
from typing import Any

from apis.openapi.document import follow
from apis.openapi.findings import INFO, WARNING, Finding, pointer
from apis.openapi.paths import variables_of
from apis.openapi.uris import UriError, check_uri

EXTENSION = "x-amazon-apigateway-integration"
TYPES = ("http_proxy", "http", "mock", "aws", "aws_proxy")
METHODS = ("GET", "PUT", "POST", "DELETE", "PATCH", "OPTIONS", "HEAD")
MIN_TIMEOUT_MS, MAX_TIMEOUT_MS = 50, 29_000
PATH_TARGET = re.compile(r"integration\.request\.path\.(.+)\Z")
PATH_SOURCE = re.compile(r"method\.request\.path\.(.+)\Z")
SAME = re.compile(r"integration\.request\.(header|querystring)\.(.+)\Z")


@dataclass(frozen=True, slots=True)
class Integration:
    """What the document says. `type` '' = nothing: the version's backend answers.

    `captures`: {placeholder of `uri`: 0-based number of the operation's path variable}; `method` '' = the
    client's; `timeout_ms` in milliseconds; `unserved_reason` '' = it can be served.
    """

    type: str = ""
    uri: str = ""
    method: str = ""
    timeout_ms: int = MAX_TIMEOUT_MS
    captures: dict[str, int] = field(default_factory=dict)
    unserved_reason: str = ""


def read_integration(
    data: dict[str, Any], operation: dict[str, Any], path: str, *where: str
) -> tuple[Integration, list[Finding]]:
    """Read an operation's integration; `where` are the pointer's parts of the operation."""
    if operation.get(EXTENSION) is None:
        return Integration(), []
    at = pointer(*where, EXTENSION)
    raw, why_not = follow(data, operation[EXTENSION])
    if raw is None:
        return _unserved("unknown", f"Its integration cannot be read: {why_not}.", at)
    kind = str(raw.get("type", "")).lower()
    if kind not in TYPES:
        shown = "an integration without a type" if not kind else f"the integration type {kind[:30]!r}"
        return _unserved(kind[:20] or "unknown", f"It has {shown}.", at)
    if kind != "http_proxy":
        return _unserved(kind, f"Integrations of the type {kind} are not served yet.", at)
    return _http_proxy(raw, path, at)


def _unserved(kind: str, reason: str, at: str) -> tuple[Integration, list[Finding]]:
    message = f"Not served by this gateway yet: {reason}"
    return Integration(type=kind, unserved_reason=reason), [Finding(WARNING, at, message)]


def _http_proxy(raw: dict[str, Any], path: str, at: str) -> tuple[Integration, list[Finding]]:
    uri = raw.get("uri")
    if not isinstance(uri, str):
        found = "an expression of a template" if isinstance(uri, dict) else "missing"
        return _unserved("http_proxy", f"Its integration's uri is {found}; give the URL itself.", at + "/uri")
    if str(raw.get("connectionType", "INTERNET")).upper() != "INTERNET":
        return _unserved("http_proxy", "Its integration goes through a VPC link.", at + "/connectionType")
    method = str(raw.get("httpMethod", "ANY")).upper()
    if method not in (*METHODS, "ANY"):
        return _unserved("http_proxy", f"Its integration's method is {method[:20]!r}.", at + "/httpMethod")
    mapped, foreign = _path_mapping(raw.get("requestParameters"))
    if foreign:
        reason = f"Its parameter mapping {foreign[:120]!r} is not served yet."
        return _unserved("http_proxy", reason, at + "/requestParameters")
    captures = _captures(mapped, path)
    try:
        check_uri(uri, captures)
    except UriError as error:
        return _unserved("http_proxy", str(error), at + "/uri")
    timeout, findings = _timeout(raw.get("timeoutInMillis"), at)
    findings += _ignored(raw, at)
    done = Integration("http_proxy", uri, "" if method == "ANY" else method, timeout, captures)
    return done, findings


def _path_mapping(parameters: Any) -> tuple[dict[str, str], str]:
    """Return ({placeholder: path variable}, the first mapping that is not understood)."""
    mapped = {}
    for target, source in parameters.items() if isinstance(parameters, dict) else ():
        to, since = PATH_TARGET.match(str(target)), PATH_SOURCE.match(str(source))
        if to and since:
            mapped[to[1]] = since[1]
            continue
        same = SAME.match(str(target))
        # headers and query are passed on as they come, so mapping one to itself changes nothing
        if not (same and source == f"method.request.{same[1]}.{same[2]}"):
            return mapped, f"{target}: {source}"
    return mapped, ""


def _captures(mapped: dict[str, str], path: str) -> dict[str, int]:
    names = variables_of(path)
    numbers = {name: names.index(name) for name in names}
    given = {to: numbers[since] for to, since in mapped.items() if since in numbers}
    return numbers | given


def _timeout(value: Any, at: str) -> tuple[int, list[Finding]]:
    if value is None:
        return MAX_TIMEOUT_MS, []
    usable = isinstance(value, int | float) and not isinstance(value, bool)
    timeout = min(max(int(value), MIN_TIMEOUT_MS), MAX_TIMEOUT_MS) if usable else MAX_TIMEOUT_MS
    if timeout == value:
        return timeout, []
    message = f"timeoutInMillis must be {MIN_TIMEOUT_MS} to {MAX_TIMEOUT_MS}; {timeout} is used."
    return timeout, [Finding(WARNING, at + "/timeoutInMillis", message)]


def _ignored(raw: dict[str, Any], at: str) -> list[Finding]:
    findings = []
    tls = raw.get("tlsConfig")
    if isinstance(tls, dict) and tls.get("insecureSkipVerification"):
        message = "The backend's certificate is verified all the same."
        findings.append(Finding(WARNING, at + "/tlsConfig", message))
    if raw.get("cacheKeyParameters"):
        findings.append(Finding(INFO, at + "/cacheKeyParameters", "Answers are not cached yet."))
    return findings
