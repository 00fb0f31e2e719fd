"""Money on dashboards: what was invoiced month by month, and the month so far. A bill is a customer's, so an API or
a key has none of its own.
"""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import cast
from zoneinfo import ZoneInfo

from django.core.cache import cache
from django.db.models import QuerySet
from django.utils.timezone import now

from accounts.models import Organization
from billing.estimate import SalesEstimate, estimate_sales
from billing.models import Invoice, InvoiceState
from billing.queries import invoices_of_provider

YEAR = timedelta(days=366)
# how old the month so far may be, in seconds: it takes rating every customer
KEPT = 60


@dataclass(frozen=True, slots=True)
class Month:
    """What was invoiced for a month (`2026-11`, by each provider's calendar) in a currency, tax included."""

    period: str
    currency: str
    invoices: int
    total: Decimal


@dataclass(frozen=True, slots=True)
class Money:
    """`so_far` is the running month's estimate by currency; None = not estimated for this scope."""

    months: list[Month]
    so_far: dict[str, Decimal] | None


def money_of_provider(organization: Organization, customer: Organization | None = None) -> Money:
    """A provider's money, or what one customer pays it."""
    invoices = invoices_of_provider(organization)
    if customer is not None:
        invoices = invoices.filter(customer=customer)
    return Money(_months(invoices), _so_far(organization, customer))


def money_of_everybody() -> Money:
    """What all providers invoiced. The month so far is each provider's own page's: it takes rating everybody."""
    return Money(_months(Invoice.objects.all()), None)


def sales_so_far(organization: Organization) -> SalesEstimate:
    """A provider's month so far, at most KEPT seconds old: see its `at`."""
    found = cache.get_or_set(
        f"sales:{organization.pk}", lambda: estimate_sales(organization=organization), KEPT
    )
    return cast(SalesEstimate, found)


def _months(invoices: QuerySet[Invoice]) -> list[Month]:
    issued = invoices.filter(
        state__in=(InvoiceState.FINALIZED, InvoiceState.PAID), month_start__gte=now() - YEAR
    )
    found: dict[tuple[str, str], list[Decimal]] = defaultdict(list)
    rows = issued.order_by().values_list("month_start", "organization__timezone", "currency", "total")
    for start, timezone, currency, total in rows.iterator():
        found[_month(start, timezone), currency].append(total)
    return [
        Month(period, currency, len(totals), sum(totals, Decimal(0)))
        for (period, currency), totals in sorted(found.items(), reverse=True)
    ]


def _month(start: datetime, timezone: str) -> str:
    return f"{start.astimezone(ZoneInfo(timezone)):%Y-%m}"


def _so_far(organization: Organization, customer: Organization | None) -> dict[str, Decimal]:
    found: dict[str, Decimal] = defaultdict(Decimal)
    for each in sales_so_far(organization).customers:
        if customer is None or each.customer.pk == customer.pk:
            found[each.currency] += each.total
    return dict(found)
