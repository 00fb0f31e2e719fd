"""The provider's servers."""

from typing import Any

from django.db import transaction

from accounts.audit import record
from accounts.errors import Refused
from accounts.models import Organization, User
from apis.limits import limits
from apis.models import Backend, Stage
from apis.policy import MAX_TIMEOUT_MS, MIN_TIMEOUT_MS
from apis.server_urls import clean_url
from apis.signals import backends_changed, stages_changed
from apis.targets import check_servers

FIELDS = ("name", "url", "weight", "targets", "health", "retries", "connect_timeout_ms", "timeout_ms")

__all__ = ["change_backend", "clean_url", "create_backend"]


@transaction.atomic
def create_backend(
    *,
    organization: Organization,
    name: str,
    url: str,
    connect_timeout_ms: int = 5_000,
    timeout_ms: int = MAX_TIMEOUT_MS,
    weight: int = 1,
    targets: list[dict[str, Any]] | None = None,
    health: dict[str, int] | None = None,
    retries: dict[str, Any] | None = None,
    actor: User | None,
) -> Backend:
    """Add a backend; `url` is http(s)://host[:port][/path].

    `targets` are further servers [{url, weight}] of the same scheme and path, among which calls are shared out
    by weight (1 to 1000). `health` {failures, rest_ms} lets a server rest that fails; `retries` {attempts, on}
    is for operations whose policies do not speak of retries. Refused: the field.
    """
    backend = Backend(
        organization=organization,
        name=name,
        url=url,
        connect_timeout_ms=connect_timeout_ms,
        timeout_ms=timeout_ms,
        weight=weight,
        targets=targets or [],
        health=health,
        retries=retries,
    )
    _check(backend)
    backend.save(force_insert=True)
    _announce(backend, actor, "backend.created", f"Created the backend {backend.name}", {})
    return backend


@transaction.atomic
def change_backend(*, backend: Backend, actor: User | None, **fields: Any) -> Backend:
    """Change any field that create_backend takes; every stage that uses it follows at once."""
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
    if "retries" in changes:
        stages = Stage.objects.filter(organization=backend.organization_id, deployment__isnull=False)
        stages_changed.send(sender=Backend, stage_ids=list(stages.values_list("pk", flat=True)))
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
    check_servers(backend)
    longest = limits().max_timeout_ms
    for field in ("connect_timeout_ms", "timeout_ms"):
        value = getattr(backend, field)
        if isinstance(value, bool) or not isinstance(value, int) or not MIN_TIMEOUT_MS <= value <= longest:
            message = f"Give milliseconds from {MIN_TIMEOUT_MS} to {longest}."
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
