"""Limits over everything that this installation serves: one row, one entry, set by staff."""

from django.db import transaction

from access.limits import check_throttle
from accounts.audit import record
from accounts.models import User
from accounts.rows import assign, check_fields
from nodes import compile as compiler, entries
from nodes.models import Installation


def installation() -> Installation:
    """Return the settings; no row yet = no limits."""
    return Installation.objects.first() or Installation()


@transaction.atomic
def change_installation(
    *, actor: User | None, throttle_rate: float | None, throttle_burst: int | None
) -> Installation:
    """Limit all calls of all APIs together: rate in calls a second, burst in calls; both None = no limit."""
    Installation.objects.get_or_create()
    row = Installation.objects.select_for_update().get()
    wanted = {"throttle_rate": throttle_rate, "throttle_burst": throttle_burst}
    changes = assign(row, wanted, allowed=wanted)
    check_fields(row)
    check_throttle(row.throttle_rate, row.throttle_burst)
    if not changes:
        return row
    row.save()
    record(
        organization=None,
        actor=actor,
        action="installation.changed",
        target=row,
        summary=f"Changed {', '.join(changes)} of the installation.",
        changes=changes,
    )
    entries.lock()
    entries.write_many(changes=compiler.installation())
    return row
