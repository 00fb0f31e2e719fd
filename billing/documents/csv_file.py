"""An invoice as a CSV table: its lines, then its taxes. The amounts of rows of kind `line` and `added tax` add
up to the total; a `contained tax` is part of the lines above it.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from billing.documents.content import names_of_subscription
from billing.documents.tables import csv_lines
from billing.models import Invoice, InvoiceLine
from billing.periods import month_of

HEADER = (
    "invoice", "kind", "position", "month", "application", "plan", "description", "meter", "tier",
    "quantity", "unit_price", "flat_fee", "amount", "currency",
)  # fmt: skip


def invoice_csv(invoice: Invoice) -> Iterator[str]:
    """Yield the table of an invoice that was loaded with `billing.queries.with_lines`."""
    return csv_lines(HEADER, _rows(invoice))


def _rows(invoice: Invoice) -> Iterator[Sequence[Any]]:
    names = names_of_subscription(invoice)
    zone = invoice.organization.timezone
    lines: list[InvoiceLine] = list(invoice.lines.all())
    for line in lines:
        subscription = line.subscription
        application, plan = "", ""
        if subscription is not None:
            application, plan = names.get(
                subscription.pk, (subscription.application.name, subscription.plan.name)
            )
        yield (
            invoice.label,
            "line",
            line.position,
            month_of(line.month_start, zone).key,
            application,
            plan,
            line.description,
            line.meter,
            line.tier,
            line.quantity,
            line.unit_price,
            line.flat_fee,
            line.amount,
            invoice.currency,
        )
    month = month_of(invoice.month_start, zone).key
    for number, tax in enumerate(invoice.taxes.all(), len(lines) + 1):
        kind = "contained tax" if tax.inclusive else "added tax"
        words = tax.note or f"{tax.label} of {tax.base.normalize():f}"
        yield (
            *(invoice.label, kind, number, month, None, None, words, None, None, None, None, None),
            *(tax.amount, invoice.currency),
        )
