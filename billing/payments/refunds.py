"""Paying back: all or a part of a payment, by the way it came."""

from decimal import Decimal

from django.db import transaction
from django.db.models import Sum

from accounts.audit import record
from accounts.errors import Refused
from accounts.models import User
from accounts.rows import locked
from billing.ledger.allocation import ZERO
from billing.ledger.balances import left_of
from billing.ledger.grants import check_amount
from billing.ledger.postings import Leg, Posting, mark_spent, post
from billing.models import (
    AccountKind,
    CreditGrant,
    Payment,
    PaymentState,
    Refund,
    TransactionKind,
)
from billing.payments.base import Outcome, ProcessorUnreachable
from billing.payments.pay import LATER
from billing.payments.processors import processor


def refund(
    *, payment: Payment, amount: Decimal | None = None, reason: str = "", actor: User | None
) -> Refund:
    """Pay back `amount` of a payment (default: all that is left of it) by its processor.

    The invoice stays paid: a credit note says why the customer owes less. Of bought credits, what is left of them goes
    first, and more than that is Refused. One refund of a payment runs at a time; the same asked again goes on with it.
    Refused names `amount`; (code `unreachable`) where the processor gives no answer.
    """
    started = _begin(payment, amount, reason, actor)
    try:
        outcome = processor(started.payment.processor).refund(started)
    except ProcessorUnreachable as error:
        raise Refused(LATER, code="unreachable") from error
    return finish(started, outcome, actor)


@transaction.atomic
def finish(started: Refund, outcome: Outcome, actor: User | None) -> Refund:
    """Note what became of a refund; a second time changes nothing. A failed one is Refused by `refund`'s caller."""
    payment = locked(started.payment)
    started = locked(started)
    if started.state != PaymentState.PENDING:
        return started
    started.state, started.reference = outcome.state, outcome.reference or started.reference
    started.save(update_fields=["state", "reference"])
    if outcome.state == PaymentState.SUCCEEDED:
        _pay_back(payment, started, actor)
    elif outcome.state == PaymentState.FAILED:
        _audit(payment, started, "refund_failed", f"Refund failed: {outcome.error}", actor)
    return started


@transaction.atomic
def note_total(payment: Payment, total: Decimal) -> None:
    """Note that the processor has paid back `total` of a payment in all, whoever asked it to."""
    payment = locked(payment)
    running = payment.refunds.filter(state=PaymentState.PENDING).first()
    if running is not None and payment.refunded_amount + running.amount <= total:
        finish(running, Outcome(PaymentState.SUCCEEDED), None)
        payment.refresh_from_db()
    more = min(total, payment.amount) - payment.refunded_amount
    if more > ZERO:
        made = Refund.objects.create(
            organization=payment.organization,
            payment=payment,
            amount=more,
            state=PaymentState.SUCCEEDED,
            reason=f"Paid back at {payment.get_processor_display()}",
        )
        _pay_back(payment, made, None)


@transaction.atomic
def _begin(payment: Payment, amount: Decimal | None, reason: str, actor: User | None) -> Refund:
    payment = locked(payment)
    if payment.state != PaymentState.SUCCEEDED:
        raise Refused("Only a payment that succeeded can be paid back.", field="state", code="wrong_state")
    running = payment.refunds.filter(state=PaymentState.PENDING).first()
    if running is not None:
        if amount is not None and amount != running.amount:
            raise Refused(
                f"A refund of {running.amount.normalize():f} is running; wait for it.", field="amount"
            )
        return running
    most = _most(payment)
    amount = most if amount is None else amount
    if most <= ZERO:
        raise Refused("Nothing is left to pay back.", field="amount", code="too_much")
    check_amount(amount, payment.currency)
    if amount > most:
        raise Refused(
            f"At most {most.normalize():f} {payment.currency} can be paid back.",
            field="amount",
            code="too_much",
        )
    return Refund.objects.create(
        organization=payment.organization,
        payment=payment,
        amount=amount,
        reason=reason.strip()[:200],
        created_by=actor,
    )


def _most(payment: Payment) -> Decimal:
    """What was not paid back yet; of bought credits, no more than what is left of them."""
    left = payment.amount - payment.refunded_amount
    if payment.invoice_id is None and payment.credit_grant_id is not None:
        left = min(left, left_of([payment.credit_grant_id])[payment.credit_grant_id])
    return left


def _pay_back(payment: Payment, done: Refund, actor: User | None) -> None:
    """Move the money in the ledger: first out of the payment's own credits, the rest is owed back."""
    legs = [Leg(AccountKind.PAYMENTS, done.amount)]
    of_credits = ZERO
    if payment.credit_grant_id is not None:
        CreditGrant.objects.select_for_update(no_key=True).get(pk=payment.credit_grant_id)
        left = left_of([payment.credit_grant_id])[payment.credit_grant_id]
        of_credits = min(left, done.amount)
        if of_credits:
            legs.append(Leg(AccountKind.CREDITS, -of_credits, payment.credit_grant_id))
        if left and of_credits == left:
            mark_spent([payment.credit_grant_id], done.created_at)
    if done.amount > of_credits:
        legs.append(Leg(AccountKind.CARRIED, of_credits - done.amount))
    words = "Paid back" + (f": {done.reason}" if done.reason else "")
    post(
        [
            Posting(
                provider=payment.organization,
                customer=payment.customer,
                currency=payment.currency,
                kind=TransactionKind.REFUND,
                reference=f"refund:{done.pk}",
                description=words,
                at=done.created_at,
                legs=legs,
                invoice=payment.invoice,
                actor=actor,
            )
        ]
    )
    total = payment.refunds.filter(state=PaymentState.SUCCEEDED).aggregate(sum=Sum("amount"))["sum"]
    payment.refunded_amount = total or ZERO
    payment.save(update_fields=["refunded_amount"])
    _audit(payment, done, "refunded", f"{words} ({done.amount.normalize():f} {payment.currency})", actor)


def _audit(payment: Payment, done: Refund, verb: str, summary: str, actor: User | None) -> None:
    for organization in {payment.organization, payment.customer}:
        record(
            organization=organization,
            actor=actor,
            action=f"payment.{verb}",
            target=payment,
            summary=summary,
            changes={"refund": [None, done.pk]},
        )
