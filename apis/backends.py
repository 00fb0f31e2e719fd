"""The provider's servers."""

from typing import Any
from urllib.parse import quote

from django.db import transaction

from accounts.audit import record
from accounts.errors import Refused
from accounts.models import Organization, User
from apis.models import MAX_TIMEOUT_MS, MIN_TIMEOUT_MS, Backend
from apis.openapi.uris import PATH_SAFE, UriError, read_server, split
from apis.signals import backends_changed

FIELDS = ("name", "url", "connect_timeout_ms", "timeout_ms")


def clean_url(url: str) -> str:
    """Return a backend's URL: host in lower case, path encoded, no slash at its end.

    Raises Refused(field="url").
    """
    text = url.strip()
    try:
        parts = split(text)
        server = read_server(parts)
    except UriError as error:
        raise Refused(f"{error} Give one such as https://api.example.com/base.", field="url") from error
    if parts.query or parts.fragment or "?" in text or "#" in text:
        raise Refused("A backend's URL has no query and no fragment.", field="url")
    if "{" in text or "}" in text:
        raise Refused("A backend's URL has no placeholders.", field="url")
    if len(text) > 500:
        raise Refused("A backend's URL has at most 500 characters.", field="url")
    host = f"[{server.host}]" if ":" in server.host else server.host
    port = f":{parts.port}" if parts.port else ""
    return f"{server.scheme}://{host}{port}{quote(parts.path, safe=PATH_SAFE)}".rstrip("/")


@transaction.atomic
def create_backend(
    *,
    organization: Organization,
    name: str,
    url: str,
    connect_timeout_ms: int = 5_000,
    timeout_ms: int = MAX_TIMEOUT_MS,
    actor: User | None,
) -> Backend:
    """Add a backend; `url` is http(s)://host[:port][/path]. Refused: fields name, url and the timeouts."""
    backend = Backend(
        organization=organization,
        name=name,
        url=url,
        connect_timeout_ms=connect_timeout_ms,
        timeout_ms=timeout_ms,
    )
    _check(backend)
    backend.save(force_insert=True)
    _announce(backend, actor, "backend.created", f"Created the backend {backend.name}", {})
    return backend


@transaction.atomic
def change_backend(*, backend: Backend, actor: User | None, **fields: Any) -> Backend:
    """Change name, url, connect_timeout_ms or timeout_ms; every stage that uses it follows at once."""
    unknown = fields.keys() - set(FIELDS)
    if unknown:
        raise TypeError(f"a backend has no field {', '.join(sorted(unknown))}")
    before = Backend.objects.select_for_update().get(pk=backend.pk)
    backend.refresh_from_db()
    for field, value in fields.items():
        setattr(backend, field, value)
    _check(backend)
    changes = {
        field: [getattr(before, field), getattr(backend, field)]
        for field in FIELDS
        if getattr(before, field) != getattr(backend, field)
    }
    if changes:
        backend.save()
        _announce(backend, actor, "backend.changed", f"Changed the backend {backend.name}", changes)
    return backend


def _check(backend: Backend) -> None:
    backend.name = backend.name.strip()
    if not backend.name or len(backend.name) > 80:
        raise Refused("A backend needs a name of at most 80 characters.", field="name")
    others = Backend.objects.filter(organization=backend.organization_id, name=backend.name)
    if others.exclude(pk=backend.pk).exists():
        message = f"There is a backend called {backend.name!r} already; choose another name."
        raise Refused(message, field="name", code="taken")
    backend.url = clean_url(backend.url)
    for field in ("connect_timeout_ms", "timeout_ms"):
        value = getattr(backend, field)
        if (
            isinstance(value, bool)
            or not isinstance(value, int)
            or not MIN_TIMEOUT_MS <= value <= MAX_TIMEOUT_MS
        ):
            message = f"Give milliseconds from {MIN_TIMEOUT_MS} to {MAX_TIMEOUT_MS}."
            raise Refused(message, field=field)


def _announce(
    backend: Backend, actor: User | None, action: str, summary: str, changes: dict[str, Any]
) -> None:
    record(
        organization=backend.organization,
        actor=actor,
        action=action,
        target=backend,
        summary=summary,
        changes=changes,
    )
    backends_changed.send(sender=Backend, backend_ids=[backend.pk])
