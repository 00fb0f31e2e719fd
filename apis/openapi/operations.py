"""The operations of a document: what calls it describes, and which of them can be served."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from apis.openapi.document import Document, follow
from apis.openapi.findings import ERROR, INFO, WARNING, Finding, clean, pointer
from apis.openapi.integrations import Integration, read_integration
from apis.openapi.paths import refusal, shape, unserved_reason
from apis.openapi.root import POLICY, Root, read_own_policy, read_root
from apis.openapi.security import Security
from apis.policy import Limits

ANY = "ANY"
ANY_METHOD = "x-amazon-apigateway-any-method"
METHODS = {
    name: name.upper() for name in ("get", "put", "post", "delete", "options", "head", "patch", "trace")
}
KEYS = METHODS | {ANY_METHOD: ANY, "any": ANY}
OTHER_KEYS = {"parameters", "summary", "description", "servers", "$ref"}


@dataclass(frozen=True, slots=True)
class ParsedOperation:
    """One method + path. `method` is GET, POST, … or ANY; `key_required` None = the version's default.

    `policy` is its own `x-gatehouse-policy` (see `apis.policy`), `authorizer` the name of its Lambda authorizer
    ('' = none).
    `unserved_reason` '' = a call can be answered (given a backend, where `integration.type` is '');
    `reachable` False = no call can even get to it, so it is left out of what is deployed.
    """

    method: str
    path: str
    operation_id: str
    summary: str
    tag: str
    key_required: bool | None
    integration: Integration
    unserved_reason: str
    reachable: bool = True
    policy: dict[str, Any] = field(default_factory=dict)
    authorizer: str = ""


@dataclass(frozen=True, slots=True)
class _Raw:
    """An operation as it stands in the document; `where` are the parts of its pointer."""

    path: str
    method: str
    data: dict[str, Any]
    where: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Whole:
    """The document around an operation."""

    document: Document
    root: Root
    security: Security
    limits: Limits | None


def read_operations(
    document: Document, limits: Limits | None = None
) -> tuple[list[ParsedOperation], list[Finding]]:
    """Return the document's operations in its order, and what was noticed on the way."""
    root = read_root(document, limits)
    security = Security(document, root.unserved_reason, root.key_source, root.authorizers)
    whole = _Whole(document, root, security, limits)
    findings: list[Finding] = []
    operations: dict[tuple[str, str], ParsedOperation] = {}
    shapes: dict[tuple[str, str], str] = {}
    for raw in _raw_operations(document, findings):
        if (raw.method, raw.path) in operations:
            message = f"{raw.method} {raw.path[:200]} is there twice; the first is used."
            findings.append(Finding(WARNING, pointer(*raw.where), message))
            continue
        first = shapes.setdefault((raw.method, shape(raw.path)), raw.path)
        operation, noticed = _read(whole, raw, first)
        operations[raw.method, raw.path] = operation
        findings += noticed
    return list(operations.values()), [*findings, *root.findings, *security.findings]


def operation_objects(document: Document) -> dict[tuple[str, str], dict[str, Any]]:
    """Return the operations' own objects in `document.data`, by (method, path)."""
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for raw in _raw_operations(document, []):
        found.setdefault((raw.method, raw.path), raw.data)
    return found


def _raw_operations(document: Document, findings: list[Finding]) -> Iterator[_Raw]:
    paths = document.data.get("paths")
    if not isinstance(paths, dict):
        if paths is not None:
            findings.append(Finding(ERROR, "/paths", "paths is not an object; no operation can be read."))
        return
    for path, item in paths.items():
        if path.startswith("x-") or item is None:
            continue
        why_not = refusal(path)
        target, unreadable = follow(document.data, item)
        if why_not or target is None:
            message = why_not or f"The path cannot be read: {unreadable}."
            findings.append(Finding(ERROR if why_not else WARNING, pointer("paths", path), message))
            continue
        yield from _item_operations(path, target, findings)


def _item_operations(path: str, item: dict[str, Any], findings: list[Finding]) -> Iterator[_Raw]:
    for key, raw in item.items():
        where = ("paths", path, key)
        if key.lower() not in KEYS:
            if key not in OTHER_KEYS and not key.startswith("x-"):
                findings.append(
                    Finding(WARNING, pointer(*where), f"{key[:60]!r} is no method; it is left out.")
                )
            continue
        if isinstance(raw, dict):
            yield _Raw(path, KEYS[key.lower()], raw, where)
        elif raw is not None:
            findings.append(
                Finding(WARNING, pointer(*where), "The operation is not an object; it is left out.")
            )


def _read(whole: _Whole, found: _Raw, first: str) -> tuple[ParsedOperation, list[Finding]]:
    """Read one operation; `first` is the first path of the same method and shape."""
    raw, where = found.data, found.where
    integration, findings = read_integration(
        whole.document.data, raw, found.path, *where, limits=whole.limits
    )
    access = whole.security.access(raw, *where)
    policy, unreadable = read_own_policy(raw.get(POLICY), findings, *where, POLICY, limits=whole.limits)
    # None = the version's default, which may be that a key is needed
    keyed = access.key_required is not False and not access.authorizer
    keyless = whole.root.keyed_unserved_reason if keyed else ""
    impossible = _impossible(found, first)
    if impossible:
        findings.append(Finding(WARNING, pointer(*where), f"Not served by this gateway: {impossible}"))
    if raw.get("servers"):
        message = "Servers of a single operation are not used."
        findings.append(Finding(INFO, pointer(*where, "servers"), message))
    tags = raw.get("tags")
    operation = ParsedOperation(
        method=found.method,
        path=found.path,
        operation_id=text(raw.get("operationId"), 250),
        summary=text(raw.get("summary"), 500),
        tag=text(tags[0], 200) if isinstance(tags, list) and tags else "",
        key_required=access.key_required,
        integration=integration,
        unserved_reason=impossible
        or access.unserved_reason
        or unreadable
        or keyless
        or integration.unserved_reason,
        reachable=not impossible,
        policy=policy,
        authorizer=access.authorizer,
    )
    return operation, findings


def _impossible(found: _Raw, first: str) -> str:
    """Say why no call can get to an operation; '' when one can."""
    if found.method == "TRACE":
        return "The method TRACE is never served."
    if first != found.path:
        return f"A call cannot tell it from {first[:120]}, which comes first."
    return unserved_reason(found.path)


def text(value: Any, limit: int) -> str:
    """Return a text that can be stored, cut to `limit` characters; '' for what is no text."""
    return clean(value)[:limit] if isinstance(value, str) else ""
