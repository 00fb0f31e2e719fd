"""An invoice as a CSV table: its lines, then its taxes. The amounts of rows of kind `line` and `added tax` add
up to the total; a `contained tax` is part of the lines above it.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from billing.documents.content import subscriptions_of
from billing.documents.tables import csv_lines
from billing.models import Invoice, InvoiceLine
from billing.periods import month_of

HEADER = (
    "invoice", "kind", "position", "month", "application", "plan", "description", "meter", "tier",
    "quantity", "packages", "unit_price", "flat_fee", "amount", "currency", "item",
)  # fmt: skip


def invoice_csv(invoice: Invoice) -> Iterator[str]:
    """Yield the table of an invoice that was loaded with `billing.queries.with_lines`."""
    return csv_lines(HEADER, _rows(invoice))


def _rows(invoice: Invoice) -> Iterator[Sequence[Any]]:
    names = subscriptions_of(invoice)
    zone = invoice.organization.timezone
    lines: list[InvoiceLine] = list(invoice.lines.all())
    for line in lines:
        named = names.get(line.subscription_id or "")
        yield (
            invoice.label,
            "line",
            line.position,
            month_of(line.month_start, zone).key,
            named and named.application,
            named and named.plan,
            line.description,
            line.meter,
            line.tier,
            line.quantity,
            line.packages,
            line.unit_price,
            line.flat_fee,
            line.amount,
            invoice.currency,
            line.item,
        )
    month = month_of(invoice.month_start, zone).key
    for number, tax in enumerate(invoice.taxes.all(), len(lines) + 1):
        kind = "contained tax" if tax.inclusive else "added tax"
        words = tax.note or f"{tax.label} of {tax.base.normalize():f}"
        yield (
            *(invoice.label, kind, number, month, None, None, words, None, None, None, None, None, None),
            *(tax.amount, invoice.currency, None),
        )
