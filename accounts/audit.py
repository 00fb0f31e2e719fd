"""The audit trail: every verb writes one line here, in its own transaction."""

from typing import Any

from django.db.models import Model

from accounts.models import AuditEvent, Organization, User
from accounts.sentences import one_dot

SYSTEM = "Gatehouse"


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
    return AuditEvent.objects.create(
        organization=organization,
        actor=actor,
        actor_label=actor.email if actor else SYSTEM,
        action=action,
        target_kind=target._meta.model_name or "",
        target_id=str(target.pk),
        summary=one_dot(summary)[:300],
        changes=changes or {},
    )
