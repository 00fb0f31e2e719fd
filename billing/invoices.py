"""Invoices: closing a month, payment, voiding. A finalized invoice never changes; its number has no gap."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Max, Q, QuerySet
from django.utils.timezone import now

from access.models import Subscription
from accounts.audit import record
from accounts.errors import Refused
from accounts.models import Organization, User
from billing.carry_over import take_back_carried
from billing.differences import billed_months
from billing.drafts import Draft, draft_invoices, frozen_copy, last_parts, only_expected
from billing.dunning import lift_holds
from billing.expected import make_rater
from billing.ledger.draw import give_back
from billing.models import Invoice, InvoiceLine, InvoiceState, Payment, PaymentState
from billing.payers import all_payers, by_payer, load_payers
from billing.payments.pay import record_payment
from billing.periods import Period
from billing.pricing import ZERO
from billing.queries import default_currency, subscriptions_in
from billing.settle import settle
from metering.chain.seal import seal_heads

# Customers billed in one transaction: a run that dies goes on where it stopped, and memory stays flat.
CUSTOMERS_AT_ONCE = 500
# Counts may come 35 days late: those of a month's last day still within the second invoice after its own.
LATE_MONTHS = 2


@dataclass(frozen=True, slots=True)
class _Closing:
    """One run: the month, whether to bill by difference what is closed already, and the moment."""

    provider: Organization
    period: Period
    corrections: bool
    at: datetime

    @property
    def end(self) -> datetime:
        return min(self.at, self.period.end)


def close_period(
    *,
    provider: Organization,
    period: Period,
    at: datetime | None = None,
    corrections: bool = False,
    actor: User | None,
) -> list[str]:
    """Bill every customer of `provider` for `period`; return the ids of the new invoices, all finalized.

    Each payer gets one invoice a currency: the month's cumulative rating minus what was billed of it. So a
    second run makes nothing new, two at once do not bill twice, and a month that was closed early (`at`,
    default now, before its end) is completed by a later run. Late counts of the two months before become lines
    of their own, and so do fees in advance of the month after. `corrections=False` leaves customers alone whose
    month is closed to its end (their late counts wait for the next invoice); True bills the difference at
    once. Refused(field `month`) for a month to come.
    """
    closing = _Closing(provider, period, corrections, at or now())
    if closing.at <= period.start:
        raise Refused(f"{period.label} has not begun yet.", field="month")
    made: list[str] = []
    for payers in _chunks(closing):
        made += _close_payers(closing, payers)
    if made:
        record(
            organization=provider,
            actor=actor,
            action="period.closed",
            target=provider,
            summary=f"Closed {period.label}: {len(made)} invoice{'s' if len(made) > 1 else ''}",
        )
    return made


@transaction.atomic
def mark_paid(*, invoice: Invoice, actor: User | None) -> Invoice:
    """finalized -> paid: note that all that is due came in (`record_payment` can say more). Refused otherwise."""
    if not invoice.amount_due:
        return _move(invoice, InvoiceState.PAID, "paid_at", actor)
    record_payment(invoice=invoice, actor=actor)
    return Invoice.objects.select_related("organization", "customer").get(pk=invoice.pk)


@transaction.atomic
def void(*, invoice: Invoice, actor: User | None) -> Invoice:
    """finalized -> void: nothing is owed; number and lines stay. Refused in any other state.

    What it billed counts as not billed: closing its month again makes a new invoice. Credits that it used come
    back, and credits that it left are taken away. Refused too once a part was paid, or a credit note took something
    of it back (credit the rest instead), and once credits that it left are used.
    """
    if invoice.credit_notes.exists():
        raise Refused(
            f"A credit note belongs to {invoice}, so it stays. Credit the rest of it instead.",
            field="state",
            code="credited",
        )
    take_back_carried(invoice=invoice, actor=actor)
    voided = _move(invoice, InvoiceState.VOID, "voided_at", actor)
    if Payment.objects.filter(invoice=invoice, state=PaymentState.SUCCEEDED).exists():
        raise Refused(
            f"Money came in for {invoice}, so it stays. Write a credit note over it instead.",
            field="state",
            code="wrong_state",
        )
    give_back(invoice=voided, actor=actor)
    lift_holds(customer=voided.customer, provider=voided.organization, actor=actor)
    return voided


def _move(invoice: Invoice, state: InvoiceState, stamp: str, actor: User | None) -> Invoice:
    locked = Invoice.objects.select_for_update(of=("self",)).select_related("customer", "organization")
    current = locked.get(pk=invoice.pk)
    if current.state != InvoiceState.FINALIZED:
        raise Refused(
            f"{current} is {current.get_state_display().lower()}; "
            f"only a finalized one can become {state.label.lower()}.",
            field="state",
            code="wrong_state",
        )
    current.state, current.amount_due = state, ZERO
    setattr(current, stamp, now())
    current.save(update_fields=["state", "amount_due", stamp])
    record(
        organization=current.organization,
        actor=actor,
        action=f"invoice.{state.value}",
        target=current,
        summary=f"Invoice {current.label} to {current.customer} is {state.label.lower()}",
        changes={"state": [InvoiceState.FINALIZED.value, state.value]},
    )
    return current


def _chunks(closing: _Closing) -> Iterator[list[str]]:
    """Yield ids of payers, so many at once. Their ids are all that is held of the whole run."""
    payers = all_payers(provider=closing.provider)
    for start in range(0, len(payers), CUSTOMERS_AT_ONCE):
        yield payers[start : start + CUSTOMERS_AT_ONCE]


@transaction.atomic
def _close_payers(closing: _Closing, payers: list[str]) -> list[str]:
    # One closing of a provider at a time: what is billed and the numbers are read under this lock.
    Organization.objects.select_for_update(no_key=True).get(pk=closing.provider.pk)
    due = set(payers)
    if not closing.corrections:
        due -= _closed_to_the_end(closing, closing.period, payers)
    if not due:
        return []
    parts, known = _parts(closing, due), load_payers(due)
    paid = {part.period: known.of(part.period.end) for part in parts}
    found = _subscriptions(closing, {pk for payer_of in paid.values() for pk in payer_of})
    seals = seal_heads({each.organization_id for each in found}, until=closing.end)
    rater = make_rater(
        subscriptions=found,
        payer_ids=due,
        default_currency=default_currency([closing.provider.pk]),
    )
    billed = billed_months(
        provider_id=closing.provider.pk, payer_of={period.start: each for period, each in paid.items()}
    )
    months = []
    for part in parts:
        in_advance = part.period.start >= closing.period.end
        rated = rater.months(
            payers=by_payer(found, paid[part.period], part.payers),
            period=part.period,
            over=closing.at >= part.period.end,
            fees_in_advance_only=in_advance,
        )
        before = billed.get(part.period.start, {})
        months.append((rated, only_expected(rated, before) if in_advance else before))
    drafts = draft_invoices(
        customers=Organization.objects.in_bulk(due),
        months=months,
        current=closing.period,
        book=rater.book,
    )
    return _write(closing, drafts, seals)


@dataclass(frozen=True, slots=True)
class _Part:
    """A month that an invoice bills something of, and for whom."""

    period: Period
    payers: set[str]


def _parts(closing: _Closing, due: set[str]) -> list[_Part]:
    """Return the month itself; months before it with what came late; and the coming one, for fees in advance."""
    parts = [_Part(closing.period, due)]
    period = closing.period
    for _ in range(LATE_MONTHS):
        period = period.previous()
        if _of_month(closing, period).filter(period_end__gte=period.end).exists():
            parts.append(_Part(period, due - _with_void(closing, period, list(due))))
    if closing.at >= closing.period.end:
        parts.append(_Part(closing.period.following(), due))
    return parts


def _subscriptions(closing: _Closing, customers: Collection[str]) -> list[Subscription]:
    """Those that may owe something for the month, for late counts before it, or in advance."""
    first = closing.period
    for _ in range(LATE_MONTHS):
        first = first.previous()
    found = subscriptions_in(provider=closing.provider).filter(
        Q(ended_at__isnull=True) | Q(ended_at__gt=first.start),
        organization_id__in=customers,
        started_at__lt=closing.period.following().end,
    )
    return list(found)


def _closed_to_the_end(closing: _Closing, period: Period, customers: list[str]) -> set[str]:
    """Customers with an invoice, void or not, that covers the month to its end."""
    found = _of_month(closing, period).filter(customer__in=customers, period_end__gte=period.end)
    return set(found.values_list("customer_id", flat=True))


def _with_void(closing: _Closing, period: Period, customers: list[str]) -> set[str]:
    """Customers with a void invoice of the month: whether to bill them again is for people to say."""
    found = _of_month(closing, period).filter(customer__in=customers, state=InvoiceState.VOID)
    return set(found.values_list("customer_id", flat=True))


def _of_month(closing: _Closing, period: Period) -> QuerySet[Invoice]:
    return Invoice.objects.filter(organization=closing.provider, month_start=period.start)


def _write(closing: _Closing, drafts: list[Draft], seals: Mapping[str, dict[str, Any]]) -> list[str]:
    """Store drafts with their lines, then finalize them with the provider's next numbers."""
    if not drafts:
        return []
    month = _of_month(closing, closing.period).filter(customer__in=[d.customer for d in drafts])
    parts = last_parts(month)
    invoices, lines = [], []
    for draft in drafts:
        part, billed_until = parts.get((draft.customer.pk, draft.currency), (0, None))
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
            frozen=frozen_copy(closing.provider, draft, closing.period, seals),
        )
        invoices.append(invoice)
        for line in draft.lines:
            line.invoice, line.organization = invoice, closing.provider
            lines.append(line)
    settle(invoices=invoices, lines=lines, at=closing.at)
    Invoice.objects.bulk_create(invoices)
    InvoiceLine.objects.bulk_create(lines, batch_size=2_000)
    _finalize(closing, invoices)
    return [invoice.pk for invoice in invoices]


def _finalize(closing: _Closing, invoices: list[Invoice]) -> None:
    issued = Invoice.objects.filter(organization=closing.provider)
    number = issued.aggregate(last=Max("number"))["last"] or 0
    for invoice in invoices:
        number += 1
        invoice.number, invoice.state, invoice.finalized_at = number, InvoiceState.FINALIZED, closing.at
        if invoice.total > ZERO and not invoice.amount_due:  # credits paid it
            invoice.state, invoice.paid_at = InvoiceState.PAID, closing.at
    Invoice.objects.bulk_update(invoices, ["number", "state", "finalized_at", "paid_at"])
