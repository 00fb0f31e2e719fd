"""What becomes of a payment: each function moves the row and the ledger in one transaction, and only once."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils.timezone import now

from accounts.audit import record
from accounts.models import User
from accounts.rows import locked
from accounts.webhooks.emit import emit
from billing.currencies import round_money
from billing.dunning import lift_holds
from billing.ledger.allocation import ZERO
from billing.ledger.postings import Leg, Posting, post
from billing.models import (
    AccountKind,
    CreditGrant,
    GrantSource,
    Invoice,
    InvoiceState,
    Payment,
    PaymentState,
    TransactionKind,
)
from billing.soon import look_after_commit


@transaction.atomic
def succeed(
    *, payment: Payment, reference: str = "", at: datetime | None = None, actor: User | None
) -> Payment:
    """The money is in: settle the invoice, and make credits of what is not due on one.

    A second time changes nothing. So money that comes twice, late, or for a void invoice is never lost: the
    customer has it as credits.
    """
    at = at or now()
    # the invoice before the payment, everywhere, so that two at once wait for each other instead of dying
    invoice = locked(payment.invoice) if payment.invoice else None
    payment = locked(payment)
    if payment.state == PaymentState.SUCCEEDED:
        return payment
    due = min(invoice.amount_due, payment.amount) if invoice else ZERO
    if invoice is not None and invoice.state != InvoiceState.FINALIZED:
        due = ZERO
    payment.state, payment.error, payment.url = PaymentState.SUCCEEDED, "", ""
    payment.succeeded_at = at
    payment.received_on = payment.received_on or at.date()
    payment.reference = reference or payment.reference
    payment.credit_grant = _credits(payment, payment.amount - due, at)
    payment.save()
    _post(payment, invoice, due, at, actor)
    _audit(
        payment, "succeeded", f"{payment.amount} {payment.currency} received from {payment.customer}", actor
    )
    if invoice is not None and due:
        _settle(invoice, due, at, actor)
    if invoice is not None and invoice.state == InvoiceState.PAID:
        lift_holds(customer=payment.customer, provider=payment.organization, at=at, actor=actor)
    return payment


@transaction.atomic
def fail(*, payment: Payment, error: str, final: bool = True, actor: User | None) -> Payment:
    """The attempt came to nothing. One that succeeded stays so, whatever comes later.

    Not `final`: the customer may still try another card, so it stays pending and says why.
    """
    payment = locked(payment)
    if payment.state == PaymentState.SUCCEEDED:
        return payment
    changed = final and payment.state != PaymentState.FAILED
    payment.error = error[:300]
    if final:
        payment.state, payment.url = PaymentState.FAILED, ""
    payment.save()
    if changed:
        _audit(payment, "failed", f"{payment} failed: {payment.error}", actor)
    return payment


def _credits(payment: Payment, amount: Decimal, at: datetime) -> CreditGrant | None:
    if amount <= ZERO:
        return None
    look_after_commit(payment.customer_id)
    name = "Bought credits" if payment.invoice_id is None else "Paid more than was due"
    return CreditGrant.objects.create(
        organization=payment.organization,
        customer=payment.customer,
        name=name,
        source=GrantSource.PURCHASE,
        currency=payment.currency,
        amount=amount,
        starts_at=at,
        created_at=at,
    )


def _post(payment: Payment, invoice: Invoice | None, due: Decimal, at: datetime, actor: User | None) -> None:
    legs = [Leg(AccountKind.PAYMENTS, -payment.amount)]
    if due:
        legs.append(Leg(AccountKind.INVOICES, due))
    if payment.credit_grant is not None:
        legs.append(Leg(AccountKind.CREDITS, payment.credit_grant.amount, payment.credit_grant.pk))
    words = f"Payment of invoice {invoice.label}" if invoice else "Credits bought"
    post(
        [
            Posting(
                provider=payment.organization,
                customer=payment.customer,
                currency=payment.currency,
                kind=TransactionKind.PAYMENT if invoice else TransactionKind.PURCHASE,
                reference=f"payment:{payment.pk}",
                description=words,
                at=at,
                legs=legs,
                invoice=invoice,
                actor=actor,
            )
        ]
    )


def _settle(invoice: Invoice, amount: Decimal, at: datetime, actor: User | None) -> None:
    invoice.amount_due -= amount
    if not invoice.amount_due:
        invoice.state, invoice.paid_at = InvoiceState.PAID, at
    invoice.save(update_fields=["amount_due", "state", "paid_at"])
    if invoice.state == InvoiceState.PAID:
        record(
            organization=invoice.organization,
            actor=actor,
            action="invoice.paid",
            target=invoice,
            summary=f"Invoice {invoice.label} to {invoice.customer} is paid",
            changes={"state": [InvoiceState.FINALIZED.value, InvoiceState.PAID.value]},
        )


def _audit(payment: Payment, verb: str, summary: str, actor: User | None) -> None:
    for organization in {payment.organization, payment.customer}:
        record(
            organization=organization,
            actor=actor,
            action=f"payment.{verb}",
            target=payment,
            summary=summary,
        )
        emit(organization, f"payment.{verb}", _event(payment))


def _event(payment: Payment) -> dict[str, Any]:
    return {
        "payment": payment.pk,
        "invoice": payment.invoice_id,
        "provider": payment.organization_id,
        "customer": payment.customer_id,
        "currency": payment.currency,
        "amount": str(round_money(payment.amount, payment.currency)),
        "error": payment.error,
    }
