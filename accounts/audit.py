"""The audit trail: every verb writes one line here, in its own transaction."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from django.db.models import Model

from accounts.models import AuditEvent, Organization, User
from accounts.sentences import one_dot

SYSTEM = "Gatehouse"
# (staff, person): who acts as whom in this request
_acting: ContextVar[tuple[User, User] | None] = ContextVar("acting", default=None)


@contextmanager
def acting_for(*, staff: User, person: User) -> Iterator[None]:
    """What `person` is said to do meanwhile is done by `staff`: so say its lines."""
    token = _acting.set((staff, person))
    try:
        yield
    finally:
        _acting.reset(token)


def record(
    *,
    organization: Organization | None,
    actor: User | None,
    action: str,
    target: Model,
    summary: str,
    changes: dict[str, Any] | None = None,
) -> AuditEvent:
    """Write who (`None` = Gatehouse itself) did what (`key.revoked`) to which row.

    `changes` is JSON: field -> [old, new]. Never put a secret into it.
    """
    who, label = actor, actor.email if actor else SYSTEM
    acting = _acting.get()
    if acting and actor == acting[1]:
        who, label = acting[0], f"{acting[0].email} for {label}"[:200]
    return AuditEvent.objects.create(
        organization=organization,
        actor=who,
        actor_label=label,
        action=action,
        target_kind=target._meta.model_name or "",
        target_id=str(target.pk),
        summary=one_dot(summary)[:300],
        changes=changes or {},
    )
