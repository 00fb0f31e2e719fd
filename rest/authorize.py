"""`keys/authorize`: what a gateway asks, and the verdict as status and headers. The gate's is authorize.lua."""

import math
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

from django.http import QueryDict
from rest_framework.request import Request

from access.verdicts import KeyVerdict
from apis.models import Deployment, Stage
from rest.verify import Judged, binding_limit

FOR_AUTH_REQUEST = (200, 401)
QUOTA, RATE = "quota", "plan"


def options_of(request: Request, rest: str) -> QueryDict | dict[str, str]:
    """Return what is asked for: the query, else `X-Gatehouse-Api: {api}/{version}/{stage}?…`.

    In one place, so that a client's own header cannot add to it. A path below ours (Envoy's path_prefix) carries the
    judged call's own query.
    """
    query = request.META.get("QUERY_STRING", "")
    if query and not rest:
        return request.query_params
    names, _, more = request.headers.get("X-Gatehouse-Api", "").partition("?")
    parts = [part for part in names.split("/") if part]
    found = dict(zip(("api", "version", "stage"), parts, strict=False))
    return found | {name: value for name, value in parse_qsl(more, keep_blank_values=True) if value}


def question(request: Request, options: Mapping[str, str], rest: str) -> dict[str, Any]:
    """Return what `rest.verify.judge` is asked, but for the key."""
    headers = request.headers
    method: str | None
    uri: str | None
    if rest:
        method, uri = request.method, rest
    elif options.get("as") == "auth_request":
        method, uri = headers.get("X-Original-Method"), headers.get("X-Original-URI")
    else:
        method, uri = headers.get("X-Forwarded-Method"), headers.get("X-Forwarded-Uri")
    asked = {name: value for name, value in options.items() if name not in ("as", "base_path")}
    path = _below(uri.partition("?")[0], options.get("base_path", "")) if uri else None
    if path:
        asked |= {"path": path, "method": method or "GET"}
    chain = headers.get("X-Forwarded-For", "").replace(",", " ").split()
    asked["client_ip"] = chain[-1] if chain else ""
    asked["referrer"] = headers.get("Referer") or headers.get("Origin") or ""
    return asked | {"uri": uri or ""}


def _below(path: str, base: str) -> str | None:
    """Return the path below the address under which the asking gateway serves the API."""
    start = "/" + base.strip("/")
    if start == "/" or not path.startswith("/"):
        return path if path.startswith("/") else None
    if path == start:
        return "/"
    return path.removeprefix(start) if path.startswith(start + "/") else None


def key_of(request: Request, stage: Stage | None, uri: str) -> str:
    """Return the key's text from where the stage says that it is; '' = there is none."""
    source = _key_source(stage)
    place, name = source.get("place", "header"), source.get("name") or "X-Api-Key"
    if place == "bearer":
        scheme, _, text = request.headers.get("Authorization", "").partition(" ")
        return text.strip() if scheme.lower() == "bearer" else ""
    if place == "query":
        return parse_qs(urlsplit(uri).query, keep_blank_values=True).get(name, [""])[0]
    return request.headers.get(name if place == "header" else "X-Api-Key", "")


def _key_source(stage: Stage | None) -> dict[str, str]:
    if stage is None:
        return {}
    found = Deployment.objects.filter(pk=stage.deployment_id).values_list("compiled__key_source", flat=True)
    return found.first() or {}


def status_of(code: KeyVerdict, options: Mapping[str, str]) -> int:
    """Return the status for a gateway; nginx's auth_request knows few."""
    if options.get("as") == "auth_request" and code.status not in FOR_AUTH_REQUEST:
        return 403
    return code.status


def headers_of(judged: Judged, limits: list[dict[str, Any]]) -> dict[str, str]:
    """Return the headers that tell the verdict."""
    verdict = judged.verdict
    told = {"X-Gatehouse-Code": verdict.code.code, "X-Gatehouse-Status": str(verdict.code.status)}
    if verdict.key and verdict.application:
        told["X-Consumer-ID"] = verdict.application.pk
        told["X-Consumer-Custom-ID"] = verdict.key.organization_id
        told["X-Credential-Identifier"] = verdict.key.pk
    if verdict.subscription:
        told["X-Gatehouse-Plan"] = verdict.subscription.plan_id
        told["X-Gatehouse-Subscription"] = verdict.subscription.pk
    if verdict.code.status == 401:
        told["WWW-Authenticate"] = 'ApiKey realm="gatehouse"'
    return told | _rate_limit(limits)


def _rate_limit(limits: list[dict[str, Any]]) -> dict[str, str]:
    """RateLimit and RateLimit-Policy of what is known here, and the older X-RateLimit-* of the binding limit."""
    known = [each for each in limits if each["remaining"] is not None]
    binding = binding_limit(limits)
    if not known or binding is None:
        return {}
    now = [f'"{_name(each)}";r={each["remaining"]};t={each["reset_after_s"]}' for each in known]
    policy = [f'"{_name(each)}";q={_size(each)};w={_window(each)}' for each in known]
    return {
        "RateLimit": ", ".join(now),
        "RateLimit-Policy": ", ".join(policy),
        "X-RateLimit-Limit": str(_size(binding)),
        "X-RateLimit-Remaining": str(binding["remaining"] or 0),
        "X-RateLimit-Reset": str(binding["reset_after_s"] or 1),
    }


def _name(limit: dict[str, Any]) -> str:
    return QUOTA if limit["kind"] == "quota" else RATE


def _size(limit: dict[str, Any]) -> int:
    return int(limit["burst"] or limit["limit"])


def _window(limit: dict[str, Any]) -> int:
    if limit["kind"] == "quota":
        return int(limit["window_s"])
    return max(1, math.ceil(limit["burst"] / limit["limit"])) if limit["limit"] else 1
