"""What a document says for all of its operations: policy, key source, gateway responses, compression."""

from dataclasses import dataclass, field
from typing import Any

from apis.openapi.authorizers import Authorizers, read_authorizers
from apis.openapi.document import Document
from apis.openapi.findings import ERROR, INFO, WARNING, Finding, pointer
from apis.openapi.resource_policy import read_resource_policy
from apis.openapi.security_schemes import schemes_of
from apis.policy import (
    Limits,
    PolicyError,
    read_compress_from,
    read_key_source,
    read_policy,
    read_responses,
)
from apis.policy.cors import read_cors

POLICY = "x-gatehouse-policy"
KEY_SOURCE = "x-gatehouse-key-source"
AWS_KEY_SOURCE = "x-amazon-apigateway-api-key-source"
RESPONSES = "x-amazon-apigateway-gateway-responses"
COMPRESSION = "x-amazon-apigateway-minimum-compression-size"
CORS = "x-amazon-apigateway-cors"
HEADER_PREFIX = "gatewayresponse.header."
# AWS's name of a CORS field -> ours
CORS_FIELDS = {
    "allowOrigins": "origins",
    "allowMethods": "methods",
    "allowHeaders": "headers",
    "exposeHeaders": "expose",
    "maxAge": "max_age",
    "allowCredentials": "credentials",
}
SIMPLE_METHODS = ["GET", "HEAD", "POST"]


@dataclass(frozen=True, slots=True)
class Root:
    """`policy` in the form of `apis.policy.read_policy`; `key_source` None = the header x-api-key.

    `statements` are those of the resource policy. `unserved_reason` '' = operations can be served;
    `keyed_unserved_reason` is why those cannot that need a key and have no authorizer.
    """

    policy: dict[str, Any] = field(default_factory=dict)
    key_source: dict[str, str] | None = None
    responses: dict[str, Any] = field(default_factory=dict)
    compress_from: int | None = None
    statements: list[dict[str, Any]] = field(default_factory=list)
    unserved_reason: str = ""
    keyed_unserved_reason: str = ""
    findings: list[Finding] = field(default_factory=list)
    authorizers: Authorizers = field(default_factory=Authorizers)


def read_root(document: Document, limits: Limits | None = None) -> Root:
    """Read the extensions at a document's root. What cannot be read becomes a finding.

    A policy that cannot be read might have kept somebody out, so nothing is served then.
    """
    data, findings = document.data, list[Finding]()
    statements, reason = read_resource_policy(data.get("x-amazon-apigateway-policy"))
    policy, unreadable = read_own_policy(data.get(POLICY), findings, POLICY, limits=limits)
    key_source, keyed_reason = _key_source(data, findings)
    if "cors" not in policy and isinstance(data.get(CORS), dict):
        cors = _cors(data[CORS], findings)
        policy = policy | ({"cors": cors} if cors else {})
    return Root(
        policy,
        key_source,
        _responses(data.get(RESPONSES), findings),
        _compression(data.get(COMPRESSION), findings),
        statements,
        reason or unreadable,
        keyed_reason,
        findings,
        read_authorizers(data, schemes_of(data)),
    )


def read_own_policy(
    raw: Any, findings: list[Finding], *where: str, limits: Limits | None = None
) -> tuple[dict[str, Any], str]:
    """Read an `x-gatehouse-policy`; returns (policy, why nothing can be served under it)."""
    if raw is None:
        return {}, ""
    try:
        return read_policy(raw, "", limits), ""
    except PolicyError as error:
        at = pointer(*where) + pointer(*error.field.split(".") if error.field else ())
        findings.append(Finding(ERROR, at, error.message))
        shown = error.field or "its form"
        return {}, f"The policy {POLICY} cannot be read ({shown}): {error.message}"


def _key_source(data: dict[str, Any], findings: list[Finding]) -> tuple[dict[str, str] | None, str]:
    if data.get(KEY_SOURCE) is not None:
        try:
            read = read_key_source(data[KEY_SOURCE], "")
        except PolicyError as error:
            findings.append(Finding(ERROR, pointer(KEY_SOURCE), f"{error.field}: {error.message}"))
            return None, f"Where its API key is ({KEY_SOURCE}) cannot be read: {error.message}"
        place = KEY_SOURCE
    else:
        said = str(data.get(AWS_KEY_SOURCE) or "HEADER").upper()
        if said not in ("HEADER", "AUTHORIZER"):
            message = "Use HEADER or AUTHORIZER; the header x-api-key is used."
            findings.append(Finding(WARNING, pointer(AWS_KEY_SOURCE), message))
        if said != "AUTHORIZER":
            return None, ""
        read, place = {"place": "authorizer", "name": ""}, AWS_KEY_SOURCE
    if read["place"] != "authorizer":
        return read, ""
    message = (
        "API keys come from authorizers: operations that need a key and have no authorizer are not served."
    )
    findings.append(Finding(INFO, pointer(place), message))
    return read, "Its API key comes from an authorizer, and it has none."


def _cors(raw: dict[str, Any], findings: list[Finding]) -> dict[str, Any] | None:
    given = {ours: raw[theirs] for theirs, ours in CORS_FIELDS.items() if raw.get(theirs) is not None}
    if not given.get("origins"):
        return None
    try:
        return read_cors({"methods": SIMPLE_METHODS} | given, "")
    except PolicyError as error:
        message = f"{error.field}: {error.message} CORS is left to the backend."
        findings.append(Finding(WARNING, pointer(CORS), message))
        return None


def _responses(raw: Any, findings: list[Finding]) -> dict[str, Any]:
    read: dict[str, Any] = {}
    for kind, given in raw.items() if isinstance(raw, dict) else ():
        try:
            read |= read_responses({str(kind): from_amazon(given)}, "")
        except PolicyError as error:
            message = f"{error.field}: {error.message} This gateway response is left out."
            findings.append(Finding(WARNING, pointer(RESPONSES, kind), message))
    return read


def from_amazon(raw: Any) -> Any:
    """Return a gateway response in our words: {status, headers, templates}."""
    if not isinstance(raw, dict):
        return raw
    status = raw.get("statusCode")
    parameters, templates = raw.get("responseParameters"), raw.get("responseTemplates")
    read: dict[str, Any] = {}
    if status is not None:
        read["status"] = int(status) if str(status).isdigit() else status
    if isinstance(parameters, dict) and parameters:
        read["headers"] = {str(name).removeprefix(HEADER_PREFIX): value for name, value in parameters.items()}
    if isinstance(templates, dict) and templates:
        read["templates"] = templates
    return read


def to_amazon(response: dict[str, Any]) -> dict[str, Any]:
    """Return a gateway response in AWS's words."""
    written: dict[str, Any] = {}
    if "status" in response:
        written["statusCode"] = str(response["status"])
    if response.get("headers"):
        headers = response["headers"].items()
        written["responseParameters"] = {f"{HEADER_PREFIX}{name}": value for name, value in headers}
    if response.get("templates"):
        written["responseTemplates"] = response["templates"]
    return written


def _compression(raw: Any, findings: list[Finding]) -> int | None:
    try:
        return read_compress_from(raw, "")
    except PolicyError as error:
        findings.append(
            Finding(WARNING, pointer(COMPRESSION), f"{error.message} Answers are not compressed.")
        )
        return None
