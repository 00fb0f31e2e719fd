"""Looking at what developers spent this month so far: alerts are told, caps are held.

Both are judged from one estimate (`billing/estimate.py`), the same code that makes the invoice. An organization
is looked at by one worker at a time; the others pass it over.
"""

from collections.abc import Collection, Iterator
from datetime import datetime
from itertools import chain

from django.db import transaction
from django.utils.timezone import now

from access.models import CallAllowance
from accounts.models import Organization
from billing import alerts, spend_stop
from billing.estimate import estimate_many
from billing.models import Budget

CHUNK = 200  # organizations that are looked at in one transaction


def watched(*, caps_only: bool = False) -> list[str]:
    """Return the ids of organizations that have a budget (or only those that have a cap), or are bound still."""
    budgets = Budget.objects.filter(stops=True) if caps_only else Budget.objects.all()
    bound = CallAllowance.objects.order_by().values_list("organization_id", flat=True)
    found = set(budgets.order_by().values_list("organization_id", flat=True)) | set(bound)
    return sorted(found.union(*(source.customers() for source in spend_stop.SOURCES)))


def look_at(*, organization_ids: Collection[str], at: datetime | None = None) -> int:
    """Look at each of these organizations; returns how many somebody else does not look at right now."""
    at = at or now()
    return sum(_look(chunk, at) for chunk in _chunks(sorted(organization_ids)))


@transaction.atomic
def _look(organization_ids: Collection[str], at: datetime) -> int:
    """Queries: a constant number for a chunk, and a few for each time zone among its quotas and providers."""
    rows = Organization.objects.select_for_update(of=("self",), no_key=True, skip_locked=True)
    customers = list(rows.filter(pk__in=organization_ids).order_by("pk"))
    ids = [each.pk for each in customers]
    budgets = list(Budget.objects.filter(organization__in=ids).select_related("organization").order_by("pk"))
    # before the costs: what is counted in between makes a cap tighter, never wider
    counts = spend_stop.count_windows(ids, at)
    items = estimate_many(customers=ids, at=at)
    states = alerts.states_of(budgets, items)
    alerts.tell(states, at)
    limits = chain(
        spend_stop.limits_of(states, items),
        *(source.limits(ids, items, at) for source in spend_stop.SOURCES),
    )
    spend_stop.hold(items, list(limits), counts, at)
    return len(ids)


def _chunks(ids: list[str]) -> Iterator[list[str]]:
    yield from (ids[start : start + CHUNK] for start in range(0, len(ids), CHUNK))
