"""Settling: what an invoice comes to once its lines stand: taxes, then credits, and until when it is to be paid."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from django.conf import settings

from billing.carry_over import carry_over
from billing.draft_lines import Line
from billing.ledger.draw import draw
from billing.models import Invoice, InvoiceTax
from billing.pricing import ZERO
from billing.tax_book import TaxBook, frozen_party, tax_book


def settle(*, invoices: Sequence[Invoice], lines: list[Line], at: datetime) -> None:
    """Set subtotal, tax_total, total, amount_due and due_at of a chunk of drafts of one provider, and write
    their taxes and the credits they use; their frozen copies gain addresses and tax ids of both parties. One
    below zero is brought to zero by a further line (appended to `lines`), and leaves credits.

    It comes after their lines are made (`line.invoice` set) and before the invoices are inserted; the caller's
    transaction holds the provider's lock (so nobody writes credit notes for these customers meanwhile). `at` is
    when they are issued. The number of queries does not
    depend on how many invoices there are. Rows it writes point to invoices that come later in the same
    transaction: PostgreSQL checks that at commit.
    """
    if not invoices:
        return
    sums: dict[str, Decimal] = defaultdict(lambda: ZERO)
    for line in lines:
        sums[line.invoice_id] += line.amount
    book = tax_book(invoices[0].organization, [invoice.customer_id for invoice in invoices])
    taxes: list[InvoiceTax] = []
    for invoice in invoices:
        taxes += _tax(invoice, sums[invoice.id], book)
        _name_parties(invoice, book)
        days = book.due_days(invoice.customer_id)
        invoice.due_at = at + timedelta(days=settings.INVOICE_DUE_DAYS if days is None else days)
    InvoiceTax.objects.bulk_create(taxes, batch_size=2_000)
    lines += carry_over(invoices=invoices, lines=lines, at=at)
    used = draw(invoices=invoices, at=at)
    for invoice in invoices:
        invoice.amount_due = invoice.total - used[invoice.id]


def _tax(invoice: Invoice, lines: Decimal, book: TaxBook) -> list[InvoiceTax]:
    taxes, net = book.taxes(invoice, lines)
    invoice.subtotal = net
    invoice.tax_total = sum((each.amount for each in taxes), ZERO)
    invoice.total = invoice.subtotal + invoice.tax_total
    return taxes


def _name_parties(invoice: Invoice, book: TaxBook) -> None:
    for side, pk in (("provider", invoice.organization_id), ("customer", invoice.customer_id)):
        invoice.frozen[side] = invoice.frozen.get(side, {}) | frozen_party(book.profiles.get(pk))
