"""Looking at what developers spent this month so far: alerts are told, caps are held.

Both are judged from one estimate (`billing/estimate.py`), the same code that makes the invoice. An organization
is looked at by one worker at a time; the others pass it over.
"""

from collections.abc import Collection, Iterable, Iterator
from datetime import datetime
from itertools import chain

from django.db import transaction
from django.db.models import Q
from django.utils.timezone import now

from access.models import CallAllowance
from accounts.models import Organization
from billing import alerts, spend_stop
from billing.estimate import estimate_many
from billing.models import Budget

CHUNK = 200  # organizations that are looked at in one transaction


def watched(*, caps_only: bool = False) -> list[str]:
    """Return the ids of organizations that have a budget (or only those that have a cap), or are bound still.

    With those that a cap of a whole group holds, too.
    """
    caps = Budget.objects.filter(stops=True)
    budgets = caps if caps_only else Budget.objects.all()
    bound = CallAllowance.objects.order_by().values_list("organization_id", flat=True)
    found = set(budgets.order_by().values_list("organization_id", flat=True)) | set(bound)
    payers = caps.filter(whole_group=True).values("organization")
    found |= set(Organization.objects.filter(billing_parent__in=payers).values_list("pk", flat=True))
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
    ids = {each.pk for each in customers}
    parents = {each.billing_parent_id for each in customers if each.billing_parent_id} - ids
    budgets = _budgets(ids, parents)
    # before the costs: what is counted in between makes a cap tighter, never wider
    counts = spend_stop.count_windows(ids, at)
    everything = estimate_many(customers=ids | _members(budgets), at=at)
    items = [item for item in everything if item.subscription.organization_id in ids]
    states = alerts.states_of(budgets, everything)
    # who looks at an organization tells of its budgets; a cap of its payer it only holds
    alerts.tell([state for state in states if state.budget.organization_id in ids], at)
    limits = chain(
        spend_stop.limits_of(states, items),
        *(source.limits(ids, items, at) for source in spend_stop.SOURCES),
    )
    spend_stop.hold(items, list(limits), counts, at)
    return len(ids)


def _budgets(ids: Collection[str], parents: Collection[str]) -> list[Budget]:
    """Return the budgets of these organizations, and the caps of whole groups that their parents set. 1 query."""
    own = Q(organization__in=ids)
    above = Q(organization__in=parents, whole_group=True, stops=True)
    return list(Budget.objects.filter(own | above).select_related("organization").order_by("pk"))


def _members(budgets: Iterable[Budget]) -> set[str]:
    """Return whose costs budgets of whole groups count. At most 1 query."""
    payers = {budget.organization_id for budget in budgets if budget.whole_group}
    if not payers:
        return set()
    return payers | set(Organization.objects.filter(billing_parent__in=payers).values_list("pk", flat=True))


def _chunks(ids: list[str]) -> Iterator[list[str]]:
    yield from (ids[start : start + CHUNK] for start in range(0, len(ids), CHUNK))
