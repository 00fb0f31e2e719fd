"""Messages of payment processors: verified, taken once, and understood in whatever order they come."""

import logging
from collections.abc import Mapping

from django.db import transaction
from django.db.models import Q

from billing.models import Payment, PaymentEvent, PaymentState, Refund
from billing.payments.base import Event, Outcome
from billing.payments.methods import save_method
from billing.payments.outcomes import fail, succeed
from billing.payments.processors import processor
from billing.payments.refunds import finish, note_total

logger = logging.getLogger(__name__)


def receive(*, kind: str, body: bytes, headers: Mapping[str, str]) -> bool:
    """Take a message; False = it was here before. Raises BadSignature for one that is not the processor's own.

    All that it changes is one transaction with the note that it came: what fails is delivered again and tried again.
    """
    event = processor(kind).verify_webhook(body, headers)
    with transaction.atomic():
        noted, made = PaymentEvent.objects.get_or_create(
            processor=kind, event_id=event.id, defaults={"kind": event.kind[:80]}
        )
        if not made:
            return False
        handle_event(kind, event, noted)
    return True


def handle_event(kind: str, event: Event, noted: PaymentEvent) -> None:
    """Do what a message says, and note whom it was about."""
    if event.method is not None:
        method = save_method(kind, event.method)
        noted.organization = method.organization if method else None
    running = Refund.objects.filter(pk=event.refund_id, payment__processor=kind).first()
    if running is not None and event.refund_state is not None:
        noted.payment, noted.organization = running.payment, running.organization
        finish(running, Outcome(event.refund_state, error=event.error), None)
    payment = _payment(kind, event)
    if payment is not None:
        noted.payment, noted.organization = payment, payment.organization
        _apply(payment, event)
    noted.save(update_fields=["payment", "organization"])


def _payment(kind: str, event: Event) -> Payment | None:
    """Find it by our own id, else by the processor's names for it."""
    by = Q()
    if event.payment_id:
        by |= Q(pk=event.payment_id)
    if event.session_id:
        by |= Q(session_id=event.session_id)
    if event.reference:
        by |= Q(reference=event.reference)
    return Payment.objects.filter(by, processor=kind).order_by("created_at").first() if by else None


def _apply(payment: Payment, event: Event) -> None:
    paid = event.state == PaymentState.SUCCEEDED or event.refunded
    if paid and not _as_asked(payment, event):
        return
    if paid:
        # a refund tells of a payment, too, should its own message come later
        payment = succeed(payment=payment, reference=event.reference, actor=None)
    elif event.state == PaymentState.FAILED:
        final = event.final or not payment.url
        fail(payment=payment, error=event.error, final=final, actor=None)
    if event.refunded:
        note_total(payment, event.refunded)


def _as_asked(payment: Payment, event: Event) -> bool:
    """Whether the money is what we asked for; other sums are for people to look at."""
    if (event.amount, event.currency) == (payment.amount, payment.currency):
        return True
    error = (
        f"{event.amount} {event.currency} came in where {payment.amount} {payment.currency} were asked for."
    )
    logger.error("payment %s: %s", payment.pk, error)
    Payment.objects.filter(pk=payment.pk).update(error=error[:300])
    return False
