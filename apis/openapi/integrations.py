"""`x-amazon-apigateway-integration`: what stands behind an operation."""

from dataclasses import dataclass, field
from typing import Any

from apis.openapi.document import follow
from apis.openapi.findings import INFO, WARNING, Finding, pointer
from apis.openapi.mapping import RequestMapping, read_answer, read_request
from apis.openapi.paths import variables_of
from apis.openapi.uris import UriError, check_uri
from apis.policy import MAX_TIMEOUT_MS, MIN_TIMEOUT_MS, Limits, PolicyError
from apis.policy.cache import cache_key

EXTENSION = "x-amazon-apigateway-integration"
TYPES = ("http_proxy", "http", "mock", "aws", "aws_proxy")
METHODS = ("GET", "PUT", "POST", "DELETE", "PATCH", "OPTIONS", "HEAD")
PATH_SOURCE = "method.request.path."


@dataclass(frozen=True, slots=True)
class Integration:
    """What the document says. `type` '' = nothing: the version's backend answers.

    `captures`: {placeholder of `uri`: 0-based number of the operation's path variable, or an expression};
    `method` '' = the client's; `timeout_ms` in milliseconds; `request_parameters` and `response_parameters` as
    `gateway.entries.Integration` has them, stage variables still in them; `cache_keys` None = not said;
    `stream` = the answer is not buffered; `unserved_reason` '' = it can be served.
    """

    type: str = ""
    uri: str = ""
    method: str = ""
    timeout_ms: int = MAX_TIMEOUT_MS
    captures: dict[str, int | str] = field(default_factory=dict)
    unserved_reason: str = ""
    request_parameters: dict[str, str] = field(default_factory=dict)
    response_parameters: dict[str, dict[str, str]] = field(default_factory=dict)
    cache_keys: list[str] | None = None
    stream: bool = False


def read_integration(
    data: dict[str, Any],
    operation: dict[str, Any],
    path: str,
    *where: str,
    limits: Limits | None = None,
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
    return _http_proxy(raw, path, at, limits or Limits())


def _unserved(kind: str, reason: str, at: str) -> tuple[Integration, list[Finding]]:
    message = f"Not served by this gateway yet: {reason}"
    return Integration(type=kind, unserved_reason=reason), [Finding(WARNING, at, message)]


def _http_proxy(raw: dict[str, Any], path: str, at: str, limits: Limits) -> tuple[Integration, list[Finding]]:
    uri = raw.get("uri")
    if not isinstance(uri, str):
        found = "an expression of a template" if isinstance(uri, dict) else "missing"
        return _unserved("http_proxy", f"Its integration's uri is {found}; give the URL itself.", at + "/uri")
    if str(raw.get("connectionType", "INTERNET")).upper() != "INTERNET":
        return _unserved("http_proxy", "Its integration goes through a VPC link.", at + "/connectionType")
    method = str(raw.get("httpMethod", "ANY")).upper()
    if method not in (*METHODS, "ANY"):
        return _unserved("http_proxy", f"Its integration's method is {method[:20]!r}.", at + "/httpMethod")
    mapping = read_request(raw.get("requestParameters"))
    if mapping.foreign:
        reason = f"Its parameter mapping {mapping.foreign[:120]!r} is not served yet."
        return _unserved("http_proxy", reason, at + "/requestParameters")
    captures = _captures(mapping.path, path)
    try:
        check_uri(uri, captures)
    except UriError as error:
        return _unserved("http_proxy", str(error), at + "/uri")
    timeout, findings = _timeout(raw.get("timeoutInMillis"), at, limits.max_timeout_ms)
    keys, on_keys = _cache_keys(raw, mapping, at)
    answer, on_answer = read_answer(raw.get("responseParameters"), at + "/responseParameters")
    done = Integration(
        "http_proxy",
        uri,
        "" if method == "ANY" else method,
        timeout,
        captures,
        request_parameters=mapping.parameters,
        response_parameters=answer,
        cache_keys=keys,
        stream=str(raw.get("responseTransferMode", "")).upper() == "STREAM",
    )
    return done, [*findings, *on_keys, *on_answer, *_ignored(raw, at)]


def _captures(mapped: dict[str, str], path: str) -> dict[str, int | str]:
    names = variables_of(path)
    numbers: dict[str, int | str] = {name: names.index(name) for name in names}
    given: dict[str, int | str] = {}
    for placeholder, source in mapped.items():
        name = source.removeprefix(PATH_SOURCE)
        if name == source:
            given[placeholder] = source
        elif name in numbers:
            given[placeholder] = numbers[name]
    return numbers | given


def _timeout(value: Any, at: str, longest: int) -> tuple[int, list[Finding]]:
    default = min(MAX_TIMEOUT_MS, longest)
    if value is None:
        return default, []
    usable = isinstance(value, int | float) and not isinstance(value, bool)
    timeout = min(max(int(value), MIN_TIMEOUT_MS), longest) if usable else default
    if timeout == value:
        return timeout, []
    message = f"timeoutInMillis must be {MIN_TIMEOUT_MS} to {longest}; {timeout} is used."
    return timeout, [Finding(WARNING, at + "/timeoutInMillis", message)]


def _cache_keys(
    raw: dict[str, Any], mapping: RequestMapping, at: str
) -> tuple[list[str] | None, list[Finding]]:
    """Read cacheKeyParameters; those of the integration's request stand for what is mapped to them."""
    given = raw.get("cacheKeyParameters")
    if not isinstance(given, list):
        return None, []
    known = mapping.parameters | {
        f"integration.request.path.{to}": since for to, since in mapping.path.items()
    }
    keys, findings = [], []
    for number, each in enumerate(given):
        text = str(each)
        source = known.get(text, text.replace("integration.request.", "method.request.", 1))
        try:
            keys.append(cache_key(source, ""))
        except PolicyError:
            message = f"{text[:120]!r} cannot be part of a cache key; it is left out."
            findings.append(Finding(WARNING, f"{at}/cacheKeyParameters/{number}", message))
    return list(dict.fromkeys(keys)), findings


def _ignored(raw: dict[str, Any], at: str) -> list[Finding]:
    findings = []
    tls = raw.get("tlsConfig")
    if isinstance(tls, dict) and tls.get("insecureSkipVerification"):
        message = "The backend's certificate is verified all the same."
        findings.append(Finding(WARNING, at + "/tlsConfig", message))
    if raw.get("cacheNamespace"):
        message = "Operations do not share answers in the cache; each has its own."
        findings.append(Finding(INFO, at + "/cacheNamespace", message))
    return findings
