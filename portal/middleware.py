"""The website's own domain, and security headers that Django does not set by itself."""

from collections.abc import Callable

from django.conf import settings
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse
from django.http.request import split_domain_port, validate_host

from accounts.portal_address import is_own_host

# Our pages load from us alone. `data:` images are icons inside style sheets.
_OWN = {
    "default-src": "'self'",
    "img-src": "'self' data: https:",
    "object-src": "'none'",
    "base-uri": "'none'",
    "form-action": "'self'",
    "frame-ancestors": "'none'",
}
# Swagger UI and Redoc set style elements of their own.
_REFERENCE = _OWN | {"style-src": "'self' 'unsafe-inline'", "worker-src": "'self' blob:"}
# The admin theme evaluates expressions in its attributes (Alpine.js), and styles inline.
_ADMIN = _OWN | {
    "script-src": "'self' 'unsafe-inline' 'unsafe-eval'",
    "style-src": "'self' 'unsafe-inline'",
    "font-src": "'self' data:",
}


def _text(policy: dict[str, str]) -> str:
    return "; ".join(f"{name} {value}" for name, value in policy.items())


OWN, REFERENCE, ADMIN = _text(_OWN), _text(_REFERENCE), _text(_ADMIN)
PERMISSIONS = "camera=(), geolocation=(), microphone=(), payment=(), usb=()"


class OwnDomain:
    """Take calls at the domain that staff gave the website, although ALLOWED_HOSTS does not name it.

    Forms sent from there pass the CSRF check, whose question is whether their origin is the request's own host.
    Nothing is looked up for hosts that are allowed anyway, so those answer without a database, too.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        raw = request._get_raw_host()  # type: ignore[attr-defined]
        if not validate_host(split_domain_port(raw)[0], settings.ALLOWED_HOSTS) and _is_own(raw):
            request.get_host = lambda: raw  # type: ignore[method-assign]
        return self.get_response(request)


def _is_own(raw: str) -> bool:
    try:
        return is_own_host(raw)
    except DatabaseError:
        return False


class ContentSecurityPolicy:
    """Say what a page may load, unless its view said so already."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        response.headers.setdefault("Content-Security-Policy", policy_for(request.path))
        response.headers.setdefault("Permissions-Policy", PERMISSIONS)
        return response


def policy_for(path: str) -> str:
    """The policy by the page's address."""
    if path.startswith("/admin/"):
        return ADMIN
    if path.startswith("/api/"):
        return REFERENCE
    return OWN
