"""Alerts as providers set them: a metric, a scope, a threshold, and for how long it must be crossed."""

from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from access.models import ApiKey
from accounts.audit import record
from accounts.errors import Refused
from accounts.models import Organization, User
from accounts.rows import assign, check_fields, locked, taken_is_refused
from apis.models import Api, Operation, Stage
from metering.models import AlertScope, UsageAlert

MOST = 100  # alerts of an organization
LONGEST = 60  # minutes in a row
CHANGEABLE = ("name", "metric", "below", "threshold", "minutes", "mails")
_THINGS: dict[str, Callable[[Organization], QuerySet[Any]]] = {
    AlertScope.API: lambda owner: Api.objects.filter(organization=owner),
    AlertScope.STAGE: lambda owner: Stage.objects.filter(organization=owner),
    AlertScope.OPERATION: lambda owner: Operation.objects.filter(organization=owner),
    AlertScope.DEVELOPER: lambda owner: Organization.objects.filter(subscriptions__provider=owner),
    AlertScope.KEY: lambda owner: ApiKey.objects.filter(application__subscriptions__provider=owner),
}


@transaction.atomic
def create_alert(
    *,
    organization: Organization,
    name: str,
    metric: str,
    threshold: Any,
    actor: User | None,
    scope: str = "",
    about: str = "",
    below: bool = False,
    minutes: int = 5,
    mails: bool = True,
) -> UsageAlert:
    """Make an alert on a provider's traffic, or on the part that `scope` and `about` (an id) name.

    `threshold` is in the metric's unit (`AlertMetric`); `minutes` (1 to 60) in a row must be beyond it.
    """
    locked(organization)
    if organization.usage_alerts.count() >= MOST:
        raise Refused(f"An organization has at most {MOST} alerts; delete one first.", code="too_many")
    _check_scope(organization, scope, about)
    alert = UsageAlert(
        organization=organization,
        name=name.strip(),
        metric=metric,
        scope=scope,
        about=about,
        below=below,
        threshold=_read_threshold(threshold),
        minutes=_read_minutes(minutes),
        mails=mails,
    )
    check_fields(alert)
    with taken_is_refused(f"There is an alert named {alert.name} already.", field="name"):
        alert.save(force_insert=True)
    _record(alert, actor, "usage_alert.created", f"Made the alert {alert}.")
    return alert


@transaction.atomic
def change_alert(*, alert: UsageAlert, actor: User | None, **fields: Any) -> UsageAlert:
    """Change `name`, `metric`, `below`, `threshold`, `minutes` or `mails`. It is judged anew: told again if crossed."""
    alert = locked(alert)
    if "threshold" in fields:
        fields["threshold"] = _read_threshold(fields["threshold"])
    if "minutes" in fields:
        fields["minutes"] = _read_minutes(fields["minutes"])
    changes = assign(alert, fields, allowed=CHANGEABLE)
    if not changes:
        return alert
    if set(changes) - {"name", "mails"}:
        alert.since = None
    check_fields(alert)
    with taken_is_refused(f"There is an alert named {alert.name} already.", field="name"):
        alert.save()
    _record(alert, actor, "usage_alert.changed", f"Changed the alert {alert}.", changes)
    return alert


@transaction.atomic
def delete_alert(*, alert: UsageAlert, actor: User | None) -> None:
    """Delete it with what it told."""
    _record(alert, actor, "usage_alert.deleted", f"Deleted the alert {alert}.")
    alert.delete()


def _check_scope(organization: Organization, scope: str, about: str) -> None:
    if scope not in AlertScope.values:
        raise Refused(
            f"The scope is one of {', '.join(filter(None, AlertScope.values))}, or none.", field="scope"
        )
    if bool(scope) != bool(about):
        raise Refused("Name what the alert is about: a scope and its id, or neither.", field="about")
    if scope and not _THINGS[scope](organization).filter(pk=about).exists():
        raise Refused(
            f"There is no such {AlertScope(scope).label} of yours.", field="about", code="not_found"
        )


def _read_threshold(value: Any) -> Decimal:
    try:
        found = Decimal(str(value))
    except InvalidOperation:
        found = Decimal("NaN")
    if not found.is_finite() or found < 0:
        raise Refused("The threshold is a number, 0 or more.", field="threshold")
    return found


def _read_minutes(value: int) -> int:
    if not 1 <= value <= LONGEST:
        raise Refused(f"Choose 1 to {LONGEST} minutes.", field="minutes")
    return value


def _record(alert: UsageAlert, actor: User | None, action: str, summary: str, changes: Any = None) -> None:
    record(
        organization=alert.organization,
        actor=actor,
        action=action,
        target=alert,
        summary=summary,
        **({"changes": changes} if changes else {}),
    )
