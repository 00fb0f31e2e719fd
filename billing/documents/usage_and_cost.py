"""A month's usage and cost of an organization, as customer or as provider, in FOCUS rows."""

from collections.abc import Iterator
from datetime import timedelta

from django.db.models import QuerySet

from accounts.models import Organization
from billing.documents.focus import COLUMNS, Row, invoice_rows, values
from billing.documents.tables import csv_lines
from billing.models import Invoice, InvoiceState
from billing.periods import Period
from billing.queries import invoices_of_customer, invoices_of_provider, with_lines

# No time zone is further from UTC than this, so a month of any provider begins this near to UTC's.
FURTHEST = timedelta(hours=15)
INVOICES_AT_ONCE = 100


def invoices_of_month(organization: Organization, side: str, month: Period) -> QuerySet[Invoice]:
    """Return what was invoiced for the calendar month (`month` in UTC), drafts and void ones aside.

    `side`: `customer` = received, `provider` = issued. Each invoice's month is that of its provider's time zone.
    """
    found = invoices_of_provider(organization) if side == "provider" else invoices_of_customer(organization)
    return found.filter(
        month_start__range=(month.start - FURTHEST, month.start + FURTHEST),
        state__in=(InvoiceState.FINALIZED, InvoiceState.PAID),
    )


def focus_csv(invoices: QuerySet[Invoice]) -> Iterator[str]:
    """Yield the invoices as a FOCUS table in CSV. Memory is that of some invoices, not of all."""
    return csv_lines(COLUMNS, values(_rows(invoices)))


def _rows(invoices: QuerySet[Invoice]) -> Iterator[Row]:
    last = ""
    while True:
        some = list(with_lines(invoices.order_by("pk").filter(pk__gt=last))[:INVOICES_AT_ONCE])
        for invoice in some:
            yield from invoice_rows(invoice)
        if len(some) < INVOICES_AT_ONCE:
            return
        last = some[-1].pk
