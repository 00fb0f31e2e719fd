"""Parameter mapping of http_proxy integrations: AWS's expressions, and those of its HTTP APIs."""

import re
from dataclasses import dataclass, field
from typing import Any

from apis.openapi.findings import WARNING, Finding, pointer

NAME = r"[A-Za-z0-9._$-]{1,256}"
TARGET = re.compile(rf"integration\.request\.(path|header|querystring)\.({NAME})\Z")
SOURCE = re.compile(
    rf"(?:method\.request\.(path|header|querystring|multivalueheader|multivaluequerystring)\.({NAME})"
    rf"|context\.{NAME}|stageVariables\.[A-Za-z0-9_]{{1,64}}|'[^\x00-\x1f\x7f']*')\Z"
)
BODY = "method.request.body"
# with these AWS answers every call 500
FORBIDDEN = ("content-length", "transfer-encoding", "x-amzn-trace-id", "x-amzn-apigateway-api-id")
# HTTP APIs say `overwrite:header.X: $request.header.y` for `integration.request.header.X: method.request.header.y`
HTTP_TARGET = re.compile(rf"(?:overwrite:header|append:querystring)\.({NAME})\Z")
PLAIN = r"[A-Za-z0-9._-]{1,256}"
HTTP_SOURCE = re.compile(
    rf"\$\{{?(request\.(?:header|querystring|path)\.{PLAIN}|context\.{PLAIN}|stageVariables\.{PLAIN})\}}?\Z"
)
STATUS = re.compile(r"default\Z|[1-5][0-9][0-9]\Z")
ANSWER_TARGET = re.compile(r"(append|overwrite|remove):header\.([A-Za-z0-9!#$%&'*+.^_`|~-]{1,128})\Z")
ANSWER_SOURCE = re.compile(r"\$\{?([A-Za-z]+)\.")


@dataclass(frozen=True, slots=True)
class RequestMapping:
    """`parameters`: {integration.request.header|querystring.X: expression}; `path`: {placeholder: expression}.

    `foreign` is the first mapping that cannot be served, as "target: source".
    """

    parameters: dict[str, str] = field(default_factory=dict)
    path: dict[str, str] = field(default_factory=dict)
    foreign: str = ""


def read_request(raw: Any) -> RequestMapping:
    """Read `requestParameters` of an integration."""
    parameters: dict[str, str] = {}
    path: dict[str, str] = {}
    for target, source in raw.items() if isinstance(raw, dict) else ():
        to, since = _spelled(str(target), source)
        found, origin = TARGET.match(to), SOURCE.match(since)
        if not found or not origin or (found[1] == "header" and found[2].lower() in FORBIDDEN):
            return RequestMapping(foreign=f"{target}: {source}")
        if found[1] == "path":
            path[found[2]] = since
        # headers and query are passed on as they come, so mapping one to itself changes nothing
        elif since != f"method.request.{found[1]}.{found[2]}":
            parameters[to] = since
    return RequestMapping(parameters, path)


def _spelled(target: str, source: Any) -> tuple[str, str]:
    """Return a mapping in the words of REST APIs."""
    text = source if isinstance(source, str) else ""
    if not HTTP_TARGET.match(target):
        return target, text
    target = f"integration.request.{target.partition(':')[2]}"
    found = HTTP_SOURCE.match(text)
    if found:
        return target, f"method.{found[1]}" if found[1].startswith("request.") else found[1]
    return target, "" if "$" in text else f"'{text}'"


def read_answer(raw: Any, at: str) -> tuple[dict[str, dict[str, str]], list[Finding]]:
    """Read `responseParameters` of an HTTP API's integration: {status or default: {overwrite:header.X: value}}.

    Returns what is served, and findings for the rest.
    """
    read: dict[str, dict[str, str]] = {}
    findings = []
    for status, changes in raw.items() if isinstance(raw, dict) else ():
        if not STATUS.match(str(status)) or not isinstance(changes, dict):
            continue  # REST APIs have other words here, and ignore them for a proxy
        for target, value in changes.items():
            if _is_served(str(target), value):
                read.setdefault(str(status), {})[str(target)] = value
            else:
                message = f"This change of the answer is not served: {str(target)[:80]}."
                findings.append(Finding(WARNING, at + pointer(status, target), message))
    return read, findings


def _is_served(target: str, value: Any) -> bool:
    if target == "overwrite:statuscode":
        return isinstance(value, str) and bool(re.fullmatch(r"[1-5][0-9][0-9]", value))
    if not ANSWER_TARGET.match(target) or not isinstance(value, str) or re.search(r"[\x00-\x1f\x7f]", value):
        return False
    sources = ANSWER_SOURCE.findall(value)
    return (
        all(each in ("response", "context", "stageVariables") for each in sources)
        and "response.body" not in value
    )
