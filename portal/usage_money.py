"""Money on dashboards: what was invoiced month by month, and the month so far. A bill is a customer's, so an API or
a key has none of its own.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from django.db.models import Count, QuerySet, Sum
from django.utils.timezone import now

from accounts.models import Organization
from billing.estimate import estimate
from billing.models import Invoice, InvoiceState
from billing.queries import invoices_of_provider
from billing.sales import Sales, sales_of
from billing.tasks import ask_for_sales

YEAR = timedelta(days=366)


@dataclass(frozen=True, slots=True)
class Month:
    """What was invoiced for a month (`2026-11`, by each provider's calendar) in a currency, tax included."""

    period: str
    currency: str
    invoices: int
    total: Decimal


@dataclass(frozen=True, slots=True)
class Money:
    """`so_far` is the running month's estimate by currency; None = not estimated for this scope.

    `newer_soon` = a worker makes a newer one.
    """

    months: list[Month]
    so_far: dict[str, Decimal] | None = None
    newer_soon: bool = False


def money_of_provider(organization: Organization) -> Money:
    """A provider's money."""
    sales = sales_so_far(organization)
    months = _months(invoices_of_provider(organization))
    return Money(months, sales.totals if sales else None, newer_soon=sales is None or sales.newer_soon)


def money_of_customer(organization: Organization, customer: Organization) -> Money:
    """What one customer pays a provider."""
    so_far: dict[str, Decimal] = {}
    for each in estimate(organization=customer, provider=organization).subscriptions:
        if each.payer_id == customer.pk:
            so_far[each.currency] = so_far.get(each.currency, Decimal(0)) + each.subtotal
    return Money(_months(invoices_of_provider(organization).filter(customer=customer)), so_far)


def money_of_everybody() -> Money:
    """What all providers invoiced. The month so far is each provider's own page's: it takes rating everybody."""
    return Money(_months(Invoice.objects.all()))


def sales_so_far(organization: Organization) -> Sales | None:
    """A provider's month so far, and have an old one made anew; None = the first one is being made."""
    ask_for_sales(organization)
    return sales_of(organization)


def _months(invoices: QuerySet[Invoice]) -> list[Month]:
    issued = invoices.filter(
        state__in=(InvoiceState.FINALIZED, InvoiceState.PAID), month_start__gte=now() - YEAR
    )
    by_start = issued.order_by().values_list("month_start", "organization__timezone", "currency")
    found: dict[tuple[str, str], tuple[int, Decimal]] = {}
    for start, timezone, currency, invoices_then, total in by_start.annotate(Count("pk"), Sum("total")):
        before = found.get(key := (_month(start, timezone), currency), (0, Decimal(0)))
        found[key] = before[0] + invoices_then, before[1] + total
    return [
        Month(period, currency, *sums) for (period, currency), sums in sorted(found.items(), reverse=True)
    ]


def _month(start: datetime, timezone: str) -> str:
    return f"{start.astimezone(ZoneInfo(timezone)):%Y-%m}"
