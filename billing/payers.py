"""Who pays for whose use, month by month."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count

from access.models import Subscription, SubscriptionState
from accounts.any_of import any_of
from accounts.models import BillingMembership, Organization


@dataclass(frozen=True, slots=True)
class Payers:
    """Some organizations, and who paid for whom among them and those around them."""

    organization_ids: frozenset[str]
    memberships: list[BillingMembership]

    def of(self, moment: datetime) -> dict[str, str]:
        """Return customer's id -> payer's id at a moment, for the organizations and all that they pay for.

        Of a month, the payer is who pays just before its end: ask with the month's end.
        """
        found = {pk: pk for pk in self.organization_ids}
        for each in self.memberships:
            if each.joined_at < moment and (each.left_at is None or each.left_at >= moment):
                found[each.organization_id] = each.parent_id
        return found


def load_payers(organization_ids: Collection[str]) -> Payers:
    """Return who paid for these organizations, and whom they paid for, at any time. 1 query."""
    ids = frozenset(organization_ids)
    rows = BillingMembership.objects.filter(any_of("organization", ids) | any_of("parent", ids))
    return Payers(ids, list(rows.order_by("joined_at")))


def all_payers(*, provider: Organization) -> list[str]:
    """Return the ids of all that may pay a provider for something, in order. 2 queries."""
    customers = set(
        Subscription.objects.filter(provider=provider)
        .exclude(state=SubscriptionState.PENDING)
        .order_by()
        .values_list("organization_id", flat=True)
        .distinct()
    )
    memberships = BillingMembership.objects.filter(organization__subscriptions__provider=provider)
    return sorted(customers.union(memberships.order_by().values_list("parent_id", flat=True).distinct()))


def subscription_counts(*, provider: Organization) -> dict[str, int]:
    """Return customer's id -> how many subscriptions of a provider's it has or had, those of its children included.

    2 queries.
    """
    own = dict(
        Subscription.objects.filter(provider=provider)
        .order_by()
        .values_list("organization_id")
        .annotate(count=Count("id"))
    )
    found = dict(own)
    children = BillingMembership.objects.filter(organization__subscriptions__provider=provider).distinct()
    for each in children:
        found[each.parent_id] = found.get(each.parent_id, 0) + own[each.organization_id]
    return found


def by_payer(
    subscriptions: Iterable[Subscription], payer_of: Mapping[str, str], payers: Iterable[str]
) -> dict[str, list[Subscription]]:
    """Return payer's id -> the subscriptions that it pays for, for each of the payers; none for one may be."""
    found: dict[str, list[Subscription]] = {pk: [] for pk in sorted(payers)}
    for subscription in subscriptions:
        payer_id = payer_of.get(subscription.organization_id, "")
        if payer_id in found:
            found[payer_id].append(subscription)
    return found
