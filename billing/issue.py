"""Issuing drafts: they get their taxes and credits, the provider's next numbers, and are written for good."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Max, QuerySet

from accounts.any_of import any_of
from accounts.models import Organization
from billing.copying import copy_in
from billing.draft_lines import Line
from billing.drafts import Draft, frozen_copy, last_parts
from billing.models import Invoice, InvoiceLine, InvoiceState
from billing.periods import Period
from billing.pricing import ZERO
from billing.settle import settle
from metering.meters import adding_up


@dataclass(frozen=True, slots=True)
class Closing:
    """One run: the month, whether to bill by difference what is closed already, and the moment."""

    provider: Organization
    period: Period
    corrections: bool
    at: datetime

    @property
    def end(self) -> datetime:
        return min(self.at, self.period.end)


def of_month(closing: Closing, period: Period) -> QuerySet[Invoice]:
    """Return the provider's invoices of a month."""
    return Invoice.objects.filter(organization=closing.provider, month_start=period.start)


def issue(closing: Closing, drafts: Sequence[Draft], seals: Mapping[str, Mapping[str, Any]]) -> list[Invoice]:
    """Write drafts with their lines as finalized invoices, with the provider's next numbers; return them.

    `seals` are the heads of the developers' chains (`frozen_copy`). In the caller's transaction; only its end,
    from the numbers to the commit, holds others of the provider up.
    """
    if not drafts:
        return []
    invoices, lines = _invoices(closing, drafts, seals)
    copy_in(InvoiceLine, lines)
    written = len(lines)
    # Numbers have no gaps: who takes them keeps the next one waiting until she has committed.
    Organization.objects.select_for_update(no_key=True).get(pk=closing.provider.id)
    settle(invoices=invoices, lines=lines, at=closing.at)
    copy_in(InvoiceLine, lines[written:])
    _number(closing, invoices)
    copy_in(Invoice, invoices)
    return invoices


def _invoices(
    closing: Closing, drafts: Sequence[Draft], seals: Mapping[str, Mapping[str, Any]]
) -> tuple[list[Invoice], list[Line]]:
    month = of_month(closing, closing.period).filter(
        any_of("customer", [draft.customer.id for draft in drafts])
    )
    parts, meters = last_parts(month), adding_up(closing.provider)
    invoices: list[Invoice] = []
    lines: list[Line] = []
    for draft in drafts:
        part, billed_until = parts.get((draft.customer.id, draft.currency), (0, None))
        start = closing.period.start
        if billed_until is not None and billed_until < closing.end:
            start = billed_until  # the rest of a month that was closed early
        invoice = Invoice(
            organization=closing.provider,
            customer=draft.customer,
            month_start=closing.period.start,
            part=part + 1,
            period_start=start,
            period_end=closing.end,
            currency=draft.currency,
            frozen=frozen_copy(closing.provider, draft, closing.period, seals, meters),
        )
        invoices.append(invoice)
        for line in draft.lines:
            line.invoice_id, line.organization_id = invoice.id, closing.provider.id
            lines.append(line)
    return invoices, lines


def _number(closing: Closing, invoices: Sequence[Invoice]) -> None:
    issued = Invoice.objects.filter(organization=closing.provider)
    last = issued.aggregate(last=Max("number"))["last"] or 0
    for number, invoice in enumerate(invoices, last + 1):
        invoice.number, invoice.state, invoice.finalized_at = number, InvoiceState.FINALIZED, closing.at
        if invoice.total > ZERO and not invoice.amount_due:  # credits paid it
            invoice.state, invoice.paid_at = InvoiceState.PAID, closing.at
