"""Reading the ledger: what customers have left, and what is settled of an invoice. All are sums of entries."""

from collections import defaultdict
from collections.abc import Collection, Iterable
from datetime import datetime
from decimal import Decimal

from django.db.models import Q, QuerySet, Sum
from django.utils.timezone import now

from accounts.any_of import any_of
from accounts.models import Organization
from billing.ledger.allocation import ZERO, Available
from billing.models import AccountKind, CreditGrant, LedgerEntry, LedgerTransaction


def left_of(grant_ids: Collection[str]) -> dict[str, Decimal]:
    """Return grant -> what is left of it, expired or not. 1 query."""
    found = (
        LedgerEntry.objects.filter(grant__in=grant_ids)
        .values_list("grant")
        .annotate(left=Sum("amount"))
        .order_by()
    )
    return {**dict.fromkeys(grant_ids, ZERO), **{pk: left for pk, left in found if pk}}


def as_available(grants: Iterable[CreditGrant]) -> dict[tuple[str, str, str], list[Available]]:
    """Return (provider, customer, currency) -> its grants with what is left of each. 1 query."""
    grants = list(grants)
    left = left_of([grant.pk for grant in grants])
    found: dict[tuple[str, str, str], list[Available]] = defaultdict(list)
    for grant in grants:
        key = (grant.organization_id, grant.customer_id, grant.currency)
        found[key].append(
            Available(grant.pk, left[grant.pk], grant.priority, grant.starts_at, grant.expires_at)
        )
    return found


def open_grants(
    *, provider_ids: Collection[str] | None = None, customer_ids: Collection[str] | None = None
) -> QuerySet[CreditGrant]:
    """Return grants of which something is left, begun or not, expired or not."""
    found = CreditGrant.objects.filter(spent_at__isnull=True)
    if provider_ids is not None:
        found = found.filter(organization__in=provider_ids)
    if customer_ids is not None:
        found = found.filter(any_of("customer", customer_ids))
    return found


def balances(
    *,
    provider_ids: Collection[str] | None = None,
    customer_ids: Collection[str] | None = None,
    at: datetime | None = None,
) -> dict[tuple[str, str, str], Decimal]:
    """Return (provider, customer, currency) -> credits that can be used at that moment (default now). 2 queries.

    Who is not in it has none.
    """
    at = at or now()
    grants = open_grants(provider_ids=provider_ids, customer_ids=customer_ids)
    usable = grants.filter(Q(expires_at__isnull=True) | Q(expires_at__gt=at), starts_at__lte=at)
    return {key: sum((each.left for each in found), ZERO) for key, found in as_available(usable).items()}


def balance(
    *, provider: Organization, customer: Organization, currency: str, at: datetime | None = None
) -> Decimal:
    """Return the credits that one customer can use at that moment (default now). 2 queries."""
    found = balances(provider_ids=[provider.pk], customer_ids=[customer.pk], at=at)
    return found.get((provider.pk, customer.pk, currency), ZERO)


def settled(invoice_ids: Collection[str]) -> dict[str, Decimal]:
    """Return invoice -> what credits, payments and credit notes have settled of it. 1 query."""
    found = (
        LedgerEntry.objects.filter(transaction__invoice__in=invoice_ids, account__kind=AccountKind.INVOICES)
        .values_list("transaction__invoice")
        .annotate(amount=Sum("amount"))
        .order_by()
    )
    return {**dict.fromkeys(invoice_ids, ZERO), **dict(found)}


def movements(*, customer: Organization, provider: Organization | None = None) -> QuerySet[LedgerTransaction]:
    """Return what moved a customer's credits, newest first, each with `change`."""
    found = LedgerTransaction.objects.filter(customer=customer)
    if provider is not None:
        found = found.filter(organization=provider)
    change = Sum("entries__amount", filter=Q(entries__account__kind=AccountKind.CREDITS))
    return (
        found.annotate(change=change)
        .filter(change__isnull=False)
        .select_related("organization", "invoice")
        .order_by("-at", "-id")
    )
