"""Errors as problem documents (RFC 9457), the same shape for every answer that is not a success.

`{"type", "title", "status", "detail", "instance", "request_id", "errors": [{"field", "code", "message"}]}`;
`errors` is there when single inputs are at fault; `field` is a dotted path ('' = the whole body).
"""

import logging
from collections.abc import Iterable
from typing import Any

from django.core.exceptions import PermissionDenied, RequestDataTooBig, ValidationError as ModelInvalid
from django.core.signals import got_request_exception
from django.db import DataError, IntegrityError, InterfaceError, OperationalError
from django.db.models import ProtectedError
from django.http import Http404
from rest_framework import exceptions
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.serializer_helpers import ReturnDict, ReturnList
from rest_framework.views import set_rollback

from accounts.errors import Refused
from rest.parsers import TooLarge
from rest.problem_types import ProblemType

log = logging.getLogger(__name__)
CONTENT_TYPE = "application/problem+json"
RETRY_SECONDS = "5"
Errors = list[dict[str, str]]


def handle(exc: Exception, context: dict[str, Any]) -> Response:
    """Return the problem document for any exception of a view (Django REST Framework's hook)."""
    request: Request = context["request"]
    set_rollback()
    response = _known(exc, request) or _database(exc, request)
    if response is None:
        # the text of the exception stays in the log: it may name what the caller must not see
        log.error("%s %s failed", request.method, request.path, exc_info=exc)
        got_request_exception.send(sender=handle, request=request._request)
        return problem(request, ProblemType.SERVER_ERROR, "Something broke on our side; it was logged.")
    return response


def problem(
    request: Request,
    kind: ProblemType,
    detail: str,
    errors: Errors | None = None,
    headers: dict[str, str] | None = None,
) -> Response:
    """Build one problem document."""
    body: dict[str, Any] = {
        "type": kind.uri,
        "title": kind.title,
        "status": kind.status,
        "detail": detail,
        "instance": request.path,
        "request_id": getattr(request, "request_id", ""),
    }
    if errors:
        body["errors"] = errors
    return Response(body, status=kind.status, headers=headers, content_type=CONTENT_TYPE)


def _known(exc: Exception, request: Request) -> Response | None:
    if isinstance(exc, Refused):
        errors = [{"field": exc.field, "code": exc.code, "message": exc.message}]
        return problem(request, ProblemType.REFUSED, exc.message, errors)
    if isinstance(exc, exceptions.ValidationError):
        return _invalid(request, list(flatten(exc.detail)))
    if isinstance(exc, ModelInvalid):
        return _invalid(request, list(_model_errors(exc)))
    if isinstance(exc, RequestDataTooBig):
        exc = TooLarge()
    if isinstance(exc, Http404):
        exc = exceptions.NotFound("There is no such thing here, or this token does not see it.")
    if isinstance(exc, PermissionDenied):
        exc = exceptions.PermissionDenied()
    if isinstance(exc, exceptions.APIException):
        return problem(request, ProblemType.for_status(exc.status_code), str(exc.detail), None, _headers(exc))
    return None


def _database(exc: Exception, request: Request) -> Response | None:
    if isinstance(exc, ProtectedError):
        kinds = sorted({str(row._meta.verbose_name_plural) for row in exc.protected_objects})
        return problem(request, ProblemType.CONFLICT, f"Other things still use this: {', '.join(kinds)}.")
    if isinstance(exc, IntegrityError):
        log.info("conflict at %s %s", request.method, request.path)
        return problem(
            request,
            ProblemType.CONFLICT,
            "Somebody else changed the same thing at the same moment, or the name is taken. "
            "Read it again and retry.",
        )
    if isinstance(exc, DataError):
        return problem(
            request,
            ProblemType.INVALID_INPUT,
            "A value is out of range or holds a character we cannot store.",
        )
    if isinstance(exc, OperationalError | InterfaceError):
        log.error("no database at %s %s", request.method, request.path)
        return problem(
            request,
            ProblemType.UNAVAILABLE,
            "The database cannot be reached. Calls through the gateway go on; try this again soon.",
            headers={"Retry-After": RETRY_SECONDS},
        )
    return None


def _invalid(request: Request, errors: Errors) -> Response:
    first = errors[0] if errors else {"field": "", "message": "The input is not valid."}
    detail = f"{first['field']}: {first['message']}" if first["field"] else first["message"]
    if len(errors) > 1:
        detail += f" ({len(errors) - 1} more in errors)"
    return problem(request, ProblemType.INVALID_INPUT, detail, errors)


def _headers(exc: exceptions.APIException) -> dict[str, str]:
    headers = {}
    if challenge := getattr(exc, "auth_header", None):
        headers["WWW-Authenticate"] = challenge
    if (wait := getattr(exc, "wait", None)) is not None:
        headers["Retry-After"] = str(int(wait) + 1)
    return headers


def flatten(detail: Any, path: str = "") -> Iterable[dict[str, str]]:
    """Turn a serializer's nested error detail into flat `{field, code, message}` lines."""
    if isinstance(detail, dict | ReturnDict):
        for name, inner in detail.items():
            own = "" if name == "non_field_errors" else str(name)
            yield from flatten(inner, ".".join(part for part in (path, own) if part))
    elif isinstance(detail, list | tuple | ReturnList):
        single = all(isinstance(inner, str) for inner in detail)
        for position, inner in enumerate(detail):
            if inner:
                yield from flatten(inner, path if single else f"{path}.{position}".lstrip("."))
    else:
        yield {"field": path, "code": getattr(detail, "code", "invalid"), "message": str(detail)}


def _model_errors(exc: ModelInvalid) -> Iterable[dict[str, str]]:
    by_field = exc.error_dict if hasattr(exc, "error_dict") else {"__all__": exc.error_list}
    for name, problems in by_field.items():
        for found in problems:
            yield {
                "field": "" if name == "__all__" else name,
                "code": found.code or "invalid",
                "message": " ".join(found.messages),
            }
