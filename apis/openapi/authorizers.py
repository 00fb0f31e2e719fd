"""Lambda authorizers of a document: security schemes with `x-amazon-apigateway-authorizer`.

Those of the types `token` and `request` are served; Cognito, JWT and IAM are not. An authorizer is here, and in
`Deployment.compiled`, {"kind", "function", "identity", "validation", "ttl"} as `gateway.entries.Authorizer` has it.
"""

import re
from dataclasses import dataclass, field
from typing import Any

from apis.openapi.document import follow

AUTHORIZER = "x-amazon-apigateway-authorizer"
AUTHTYPE = "x-amazon-apigateway-authtype"
KINDS = ("token", "request")
DEFAULT_TTL, LONGEST_TTL = 300, 3600  # seconds, AWS's
DEFAULT_HEADER = "Authorization"
LONGEST_VALIDATION = 1000
FUNCTION = re.compile(
    r"(?:^|/functions/)(arn:aws[a-z-]{0,20}:lambda:[a-z0-9-]{1,40}:[0-9]{12}:function:[A-Za-z0-9_-]{1,140}"
    r"(?::[A-Za-z0-9_$-]{1,128})?)(?:/invocations)?$"
)
HEADER = re.compile(r"method\.request\.header\.[A-Za-z0-9!#$%&'*+.^_`|~-]{1,200}")
SOURCE = re.compile(
    HEADER.pattern + r"|method\.request\.querystring\.[^\s,]{1,200}"
    r"|stageVariables\.[A-Za-z0-9_]{1,200}|context\.[A-Za-z0-9_.]{1,200}"
)


class Unservable(ValueError):
    """An authorizer that this gateway cannot ask; the text goes on after "Its authorizer 'x' "."""


@dataclass(frozen=True, slots=True)
class Authorizers:
    """By scheme name: those that are served; why the others are not; remarks on those that are."""

    served: dict[str, dict[str, Any]] = field(default_factory=dict)
    reasons: dict[str, str] = field(default_factory=dict)
    remarks: dict[str, str] = field(default_factory=dict)


def read_authorizers(data: dict[str, Any], schemes: dict[str, Any]) -> Authorizers:
    """Read the authorizers among a document's security schemes."""
    found = Authorizers()
    for name, raw in schemes.items():
        scheme = follow(data, raw)[0]
        if scheme is None or not (AUTHORIZER in scheme or AUTHTYPE in scheme):
            continue
        try:
            found.served[name] = _read(name, scheme)
        except Unservable as problem:
            found.reasons[name] = str(problem)
            continue
        remark = _remark(scheme[AUTHORIZER], found.served[name])
        if remark:
            found.remarks[name] = remark
    return found


def _read(name: str, scheme: dict[str, Any]) -> dict[str, Any]:
    raw = scheme.get(AUTHORIZER)
    authtype = str(scheme.get(AUTHTYPE) or "custom").lower()
    kind = str(raw.get("type", "")).lower() if isinstance(raw, dict) else ""
    if not name or not isinstance(raw, dict) or authtype != "custom" or kind not in KINDS:
        raise Unservable("is not enforced yet: only Lambda authorizers of type token or request are.")
    if str(raw.get("authorizerPayloadFormatVersion") or "1.0") != "1.0" or raw.get("enableSimpleResponses"):
        raise Unservable("wants payload format 2.0 or simple responses of HTTP APIs, which are not served.")
    identity = _identity(kind, raw.get("identitySource"), scheme)
    ttl = _ttl(raw.get("authorizerResultTtlInSeconds"))
    return {
        "kind": kind,
        "function": _function(raw.get("authorizerUri")),
        "identity": identity,
        "validation": _validation(raw.get("identityValidationExpression")) if kind == "token" else "",
        # by what would it be kept?
        "ttl": ttl if identity else 0,
    }


def _function(uri: Any) -> str:
    named = FUNCTION.search(uri) if isinstance(uri, str) else None
    if not named:
        raise Unservable(
            "has no authorizerUri with the ARN of a Lambda function (…/functions/{ARN}/invocations)."
        )
    return named[1]


def _identity(kind: str, raw: Any, scheme: dict[str, Any]) -> list[str]:
    if raw is not None and not isinstance(raw, str):
        raise Unservable("has an identitySource that is no text.")
    sources = [each.strip() for each in (raw or "").split(",") if each.strip()]
    if kind == "token":
        if not sources:
            name = scheme.get("name") if scheme.get("in") == "header" else None
            sources = [f"method.request.header.{name or DEFAULT_HEADER}"]
        if len(sources) != 1 or not HEADER.fullmatch(sources[0]):
            raise Unservable(
                "is of type token, so its identitySource must be one method.request.header.NAME."
            )
    for each in sources:
        if not SOURCE.fullmatch(each):
            raise Unservable(
                f"has the identitySource {each[:80]!r}; use method.request.header.NAME, "
                "method.request.querystring.NAME, stageVariables.NAME or context.NAME, with commas."
            )
    return sources


def _validation(raw: Any) -> str:
    if raw in (None, ""):
        return ""
    if not isinstance(raw, str) or len(raw) > LONGEST_VALIDATION:
        raise Unservable(
            f"needs an identityValidationExpression that is a text of at most {LONGEST_VALIDATION} characters."
        )
    try:
        re.compile(raw)
    except (re.error, RecursionError, OverflowError) as error:
        raise Unservable(
            f"has an identityValidationExpression that is no regular expression: {error}."
        ) from error
    return raw


def _ttl(raw: Any) -> int:
    if raw is None:
        return DEFAULT_TTL
    if isinstance(raw, bool) or not re.fullmatch(r"[0-9]{1,4}", str(raw)) or int(raw) > LONGEST_TTL:
        raise Unservable(f"needs an authorizerResultTtlInSeconds from 0 to {LONGEST_TTL}.")
    return int(raw)


def _remark(raw: dict[str, Any], read: dict[str, Any]) -> str:
    remarks = []
    if raw.get("authorizerCredentials"):
        remarks.append(
            "authorizerCredentials is not used: nodes call the function with credentials of their own."
        )
    if not read["identity"]:
        remarks.append("Without an identitySource the function is asked for each call.")
    return " ".join(remarks)
