"""Paying: an invoice, or credits in advance. The processor is asked outside transactions, and may be asked again."""

import logging
from datetime import date, datetime
from decimal import Decimal

from django.db import transaction
from django.db.models import Exists, OuterRef
from django.utils.timezone import now

from accounts.errors import Refused
from accounts.models import Organization, User
from accounts.rows import check_fields, locked, taken_is_refused
from billing.currencies import check_currency
from billing.ledger.allocation import ZERO
from billing.ledger.grants import check_amount
from billing.models import Invoice, InvoiceState, Payment, PaymentMethod, PaymentState, Processor
from billing.payments.base import Outcome, ProcessorUnreachable
from billing.payments.outcomes import fail, succeed
from billing.payments.processors import demand_online, online, processor

logger = logging.getLogger(__name__)

LATER = "The payment service gives no answer just now. Try again in a minute; nothing is charged twice."


def pay_invoice(*, invoice: Invoice, return_url: str, actor: User | None) -> Payment:
    """Pay what is due of an invoice by the saved card, or begin a payment at `payment.url`.

    A second click while one is pending goes on with that one, so an invoice has one payment at a time. Refused
    (field `state`) unless something is due; (code `unreachable`) where the processor gives no answer.
    """
    return _ask(_begin(invoice, demand_online(), actor), return_url, actor)


def buy_credits(
    *,
    provider: Organization,
    customer: Organization,
    amount: Decimal,
    currency: str,
    return_url: str,
    actor: User | None,
) -> Payment:
    """Buy credits with a provider: they are there once the payment has succeeded.

    Refused names `amount` or `currency`.
    """
    kind = demand_online()
    currency = check_currency(currency)
    check_amount(amount, currency)
    payment = Payment.objects.create(
        organization=provider,
        customer=customer,
        processor=kind,
        amount=amount,
        currency=currency,
        created_by=actor,
    )
    return _ask(payment, return_url, actor)


@transaction.atomic
def record_payment(
    *,
    invoice: Invoice,
    amount: Decimal | None = None,
    reference: str = "",
    received_on: date | None = None,
    at: datetime | None = None,
    actor: User | None,
) -> Payment:
    """Note money that came in for an invoice: a part of it, all that is due (the default), or more.

    What is more than is due becomes credits. Refused where the same reference is noted already, for an amount that
    makes no sense, and for invoices that are not finalized or owe nothing.
    """
    at = at or now()
    invoice = locked(invoice)
    _demand_due(invoice)
    amount = invoice.amount_due if amount is None else amount
    check_amount(amount, invoice.currency)
    if received_on is not None and received_on > at.date():
        raise Refused("Money cannot have come in on a day to come.", field="received_on")
    payment = Payment(
        organization=invoice.organization,
        customer=invoice.customer,
        invoice=invoice,
        processor=Processor.MANUAL,
        # never pending: that is the one online payment's place
        state=PaymentState.FAILED,
        amount=amount,
        currency=invoice.currency,
        reference=reference.strip(),
        received_on=received_on,
        created_by=actor,
    )
    check_fields(payment)
    with taken_is_refused("A payment with this reference is noted already.", field="reference"):
        payment.save(force_insert=True)
    return succeed(payment=payment, at=at, actor=actor)


def collect(*, invoice: Invoice) -> Payment | None:
    """Charge the saved card for an invoice of `collectable`; None where that came to nothing.

    What failed is left to the customer: she pays by another card, or dunning tells her.
    """
    if saved_method(invoice.organization, invoice.customer, demand_online()) is None:
        return None
    try:
        return pay_invoice(invoice=invoice, return_url="", actor=None)
    except Refused as refused:
        logger.info("invoice %s was not collected: %s", invoice.pk, refused.message)
        return None


def collectable() -> list[str]:
    """Return the ids of invoices that can be charged to customers' saved cards and were not tried, oldest first."""
    kind = online()
    if kind is None:
        return []
    saved = PaymentMethod.objects.filter(
        organization=OuterRef("organization"), customer=OuterRef("customer"), processor=kind
    ).exclude(external_method="")
    tried = Payment.objects.filter(invoice=OuterRef("pk"), processor=kind).exclude(
        state=PaymentState.PENDING, reference="", session_id=""
    )
    due = Invoice.objects.filter(
        Exists(saved), ~Exists(tried), state=InvoiceState.FINALIZED, amount_due__gt=ZERO
    )
    return list(due.order_by("finalized_at").values_list("pk", flat=True))


def saved_method(provider: Organization, customer: Organization, kind: str) -> PaymentMethod | None:
    """Return the card or account that can be charged without the customer."""
    return (
        PaymentMethod.objects.filter(organization=provider, customer=customer, processor=kind)
        .exclude(external_method="")
        .first()
    )


@transaction.atomic
def _begin(invoice: Invoice, kind: Processor, actor: User | None) -> Payment:
    invoice = locked(invoice)
    _demand_due(invoice)
    found = Payment.objects.select_for_update(of=("self",)).filter(invoice=invoice)
    pending = found.filter(state=PaymentState.PENDING).first()
    if pending is not None:
        if pending.amount == invoice.amount_due and pending.processor == kind:
            return pending
        # it is about another amount; should it be paid nevertheless, the rest becomes credits
        fail(payment=pending, error="What is due has changed.", actor=actor)
    return Payment.objects.create(
        organization=invoice.organization,
        customer=invoice.customer,
        invoice=invoice,
        processor=kind,
        amount=invoice.amount_due,
        currency=invoice.currency,
        created_by=actor,
    )


def _ask(payment: Payment, return_url: str, actor: User | None) -> Payment:
    if payment.session_id or payment.reference:
        return payment  # its page is open still, or the processor has it and will tell
    method = PaymentMethod.objects.filter(
        organization=payment.organization, customer=payment.customer, processor=payment.processor
    ).first()
    try:
        outcome = processor(payment.processor).charge(payment, method=method, return_url=return_url)
    except ProcessorUnreachable as error:
        raise Refused(LATER, code="unreachable") from error
    return _note(payment, outcome, actor)


@transaction.atomic
def _note(payment: Payment, outcome: Outcome, actor: User | None) -> Payment:
    if outcome.state == PaymentState.SUCCEEDED:
        return succeed(payment=payment, reference=outcome.reference, actor=actor)
    if outcome.state == PaymentState.FAILED:
        return fail(payment=payment, error=outcome.error or "The payment was refused.", actor=actor)
    payment = locked(payment)
    if payment.state == PaymentState.PENDING:  # the processor's message may have come first
        payment.url, payment.session_id = outcome.url, outcome.session_id
        payment.reference = outcome.reference or payment.reference
        payment.save(update_fields=["url", "session_id", "reference"])
    return payment


def _demand_due(invoice: Invoice) -> None:
    if invoice.state != InvoiceState.FINALIZED or invoice.amount_due <= ZERO:
        raise Refused(
            f"{invoice} is {invoice.get_state_display().lower()}; only a finalized one that owes something can "
            "be paid.",
            field="state",
            code="wrong_state",
        )
