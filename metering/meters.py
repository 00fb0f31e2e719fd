"""A provider's own meters: what they are called and how their events add up."""

from typing import Any

from django.db import transaction
from django.utils.timezone import now

from accounts.audit import record
from accounts.errors import Refused
from accounts.models import Organization, User
from accounts.rows import assign, check_fields, locked, taken_is_refused
from metering.models import Aggregation, CustomMeter

# the gateway's own
BUILT_IN = ("requests", "http_requests", "stream_requests", "bytes_out", "bytes_in", "cache_hours")


@transaction.atomic
def create_meter(
    *,
    organization: Organization,
    code: str,
    name: str,
    actor: User | None,
    unit: str = "unit",
    aggregation: str = Aggregation.SUM,
) -> CustomMeter:
    """Make a meter of a provider; neither code nor aggregation changes later, bills are made of them."""
    meter = CustomMeter(
        organization=organization, code=code, name=name.strip(), unit=unit, aggregation=aggregation
    )
    check_fields(meter)
    if code in BUILT_IN:
        raise Refused(f"{code} is counted by Gatehouse itself; choose another code.", field="code")
    with taken_is_refused(f"There is a meter {code} already.", field="code"):
        meter.save(force_insert=True)
    _note(meter, actor, "created", f"Made the meter {meter} ({code}).")
    return meter


def adding_up(organization: Organization) -> dict[str, str]:
    """Return code -> aggregation of a provider's own meters. 1 query."""
    return dict(CustomMeter.objects.filter(organization=organization).values_list("code", "aggregation"))


@transaction.atomic
def change_meter(*, meter: CustomMeter, actor: User | None, **fields: Any) -> CustomMeter:
    """Change `name` or `unit`."""
    meter = locked(meter)
    changes = assign(meter, fields, allowed=("name", "unit"))
    if not changes:
        return meter
    check_fields(meter)
    meter.save(update_fields=changes)
    _note(meter, actor, "changed", f"Changed {', '.join(changes)} of the meter {meter}.", changes)
    return meter


@transaction.atomic
def archive_meter(*, meter: CustomMeter, actor: User | None) -> CustomMeter:
    """Take no more events of it; what was counted stays."""
    meter = locked(meter)
    if meter.archived_at is None:
        meter.archived_at = now()
        meter.save(update_fields=["archived_at"])
        _note(meter, actor, "archived", f"Archived the meter {meter}.")
    return meter


def _note(
    meter: CustomMeter, actor: User | None, done: str, summary: str, changes: dict[str, Any] | None = None
) -> None:
    record(
        organization=meter.organization,
        actor=actor,
        action=f"meter.{done}",
        target=meter,
        summary=summary,
        changes=changes,
    )
