"""What every call of a node goes through: its token, its body, and errors as problem documents (RFC 9457)."""

import functools
import json
import zlib
from collections.abc import Callable
from typing import Any, Concatenate, ParamSpec

import orjson
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt

from nodes.models import Node
from nodes.registry import find_node

Rest = ParamSpec("Rest")
View = Callable[Concatenate[HttpRequest, Node, Rest], HttpResponse]

# the largest body, after decompression (bytes)
MAX_BODY = 32 * 1024 * 1024
_TITLES = {
    400: "Bad request",
    401: "Not signed in",
    404: "Not found",
    405: "Method not allowed",
    409: "Conflict",
    413: "Body too large",
    503: "Not available now",
}


class Problem(Exception):
    """Ends a call with a status and a reason."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail

    def response(self) -> JsonResponse:
        body = {"type": "about:blank", "title": _TITLES[self.status], "status": self.status}
        answer = JsonResponse(body | {"detail": self.detail}, status=self.status)
        answer["Content-Type"] = "application/problem+json"
        if self.status == 401:
            answer["WWW-Authenticate"] = 'Bearer realm="Gatehouse nodes"'
        return answer


def node_view(method: str) -> Callable[[View[Rest]], Callable[..., HttpResponse]]:
    """Make a view that only a signed-in node can call, with one method."""

    def decorate(view: View[Rest]) -> Callable[..., HttpResponse]:
        @csrf_exempt
        @functools.wraps(view)
        def wrapped(request: HttpRequest, *args: Rest.args, **kwargs: Rest.kwargs) -> HttpResponse:
            try:
                if request.method != method:
                    raise Problem(405, f"Use {method}.")
                return view(request, _sign_in(request), *args, **kwargs)
            except Problem as problem:
                answer = problem.response()
                if problem.status == 405:
                    answer["Allow"] = method
                return answer
            except (OperationalError, InterfaceError):
                return Problem(503, "The database cannot be reached; try again.").response()

        return wrapped

    return decorate


def _sign_in(request: HttpRequest) -> Node:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    node = find_node(token.strip()) if scheme.lower() == "bearer" else None
    if node is None:
        raise Problem(401, "Send 'Authorization: Bearer ghn_…' with the token of an enabled node.")
    return node


def json_body(request: HttpRequest, *, largest: int = MAX_BODY) -> dict[str, Any]:
    """Return the JSON object in the body, which may be gzip-compressed; raises Problem."""
    # not request.body: its limit is made for forms
    raw = request.read(largest + 1)
    if request.headers.get("Content-Encoding", "") == "gzip":
        raw = _decompress(raw, largest)
    if len(raw) > largest:
        raise Problem(413, f"The body is larger than {largest} bytes; send it in parts.")
    try:
        body = read_json(raw)
    except (ValueError, RecursionError) as error:
        raise Problem(400, f"The body is not JSON: {error}") from error
    if not isinstance(body, dict):
        raise Problem(400, "The body must be a JSON object.")
    return body


def read_json(raw: bytes) -> Any:
    """Return the JSON value of the bytes; raises ValueError and RecursionError.

    orjson takes a third of the time, and is stricter: what it does not take (a lone surrogate, say) json may.
    """
    try:
        return orjson.loads(raw)
    except ValueError:
        return json.loads(raw)


def _decompress(raw: bytes, largest: int) -> bytes:
    try:
        return zlib.decompressobj(wbits=31).decompress(raw, largest + 1)
    except zlib.error as error:
        raise Problem(400, f"The body is not gzip: {error}") from error


def whole(body: dict[str, Any], name: str, *, least: int = 0, default: int | None = None) -> int:
    """Return a whole number of the body (5.0 is one, true is none); raises Problem."""
    value = body.get(name, default)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value < 2**62:
        raise Problem(400, f"{name} must be a whole number of at least {least}.")
    return value


def number(body: dict[str, Any], name: str, *, most: float = 1e12) -> float:
    """Return a number of the body, from 0 to `most`; raises Problem."""
    value = body.get(name)
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value <= most:
        raise Problem(400, f"{name} must be a number from 0 to {most:g}.")
    return float(value)


def text(body: dict[str, Any], name: str, *, longest: int, default: str | None = None) -> str:
    """Return a text of the body; raises Problem."""
    value = body.get(name, default)
    if not isinstance(value, str) or len(value) > longest or "\0" in value:
        raise Problem(400, f"{name} must be a text of at most {longest} characters.")
    return value
