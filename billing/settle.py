"""Settling: what an invoice comes to once its lines stand, and until when it is to be paid."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from django.conf import settings

from billing.models import Invoice, InvoiceLine
from billing.pricing import ZERO


def settle(*, invoices: Sequence[Invoice], lines: Sequence[InvoiceLine], at: datetime) -> None:
    """Set subtotal, tax_total, total, amount_due and due_at of a chunk of drafts of one provider.

    It comes after their lines are made (`line.invoice` set) and before the invoices are inserted; the caller's
    transaction holds the provider's lock. `at` is when they are issued. The number of queries does not
    depend on how many invoices there are. Rows it writes point to invoices that come later in the same
    transaction: PostgreSQL checks that at commit.
    """
    sums: dict[str, Decimal] = defaultdict(lambda: ZERO)
    for line in lines:
        sums[line.invoice_id] += line.amount
    for invoice in invoices:
        invoice.subtotal = sums[invoice.pk]
        invoice.total = invoice.subtotal + invoice.tax_total
        invoice.amount_due = invoice.total
        invoice.due_at = at + timedelta(days=settings.INVOICE_DUE_DAYS)
