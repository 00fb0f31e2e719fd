"""Stripe: customers pay on its Checkout page, or by the card they left there.

Each request carries our row's id as its idempotency key, so asking again never charges again; and as metadata, so
that its messages find their way back whatever order they come in.
"""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import stripe
from django.conf import settings

from billing.models import Payment, PaymentMethod, PaymentState, Refund
from billing.payments.base import (
    BadSignature,
    Outcome,
    PaymentProcessor,
    ProcessorUnreachable,
)
from billing.payments.stripe_amounts import to_minor
from billing.payments.stripe_events import Event, read_event

TOLERANCE_SECONDS = 300
TIMEOUT_SECONDS = 20
_STATES = {
    "succeeded": PaymentState.SUCCEEDED,
    "canceled": PaymentState.FAILED,
    "failed": PaymentState.FAILED,
    "requires_payment_method": PaymentState.FAILED,
}
T = TypeVar("T")


class StripeProcessor(PaymentProcessor):
    """The official library, with the account of this installation (STRIPE_SECRET_KEY)."""

    def __init__(self) -> None:
        address: dict[str, Any] = {"api": settings.STRIPE_API_BASE} if settings.STRIPE_API_BASE else {}
        self.client = stripe.StripeClient(
            settings.STRIPE_SECRET_KEY,
            base_addresses=address,  # type: ignore[arg-type]
            max_network_retries=2,
            http_client=stripe.RequestsClient(timeout=TIMEOUT_SECONDS),
        )

    def charge(self, payment: Payment, *, method: PaymentMethod | None, return_url: str) -> Outcome:
        try:
            to_minor(payment.amount, payment.currency)
        except ValueError as error:
            return Outcome(PaymentState.FAILED, error=str(error))
        if method is not None and method.external_method:
            return self._charge_saved(payment, method)
        return self._checkout(payment, method, return_url)

    def refund(self, refund: Refund) -> Outcome:
        made = _ask(
            lambda: self.client.v1.refunds.create(
                params={
                    "payment_intent": refund.payment.reference,
                    "amount": to_minor(refund.amount, refund.payment.currency),
                    "metadata": {"refund": refund.pk},
                },
                options={"idempotency_key": refund.pk},
            )
        )
        if isinstance(made, Outcome):
            return made
        return Outcome(_STATES.get(made.status or "", PaymentState.PENDING), reference=made.id)

    def set_up(self, method: PaymentMethod, *, return_url: str) -> tuple[str, str]:
        customer = method.external_customer or self._customer(method)
        made = _ask(
            lambda: self.client.v1.checkout.sessions.create(
                params={
                    "mode": "setup",
                    "customer": customer,
                    "currency": "usd",
                    "success_url": return_url,
                    "cancel_url": return_url,
                    "setup_intent_data": {"metadata": {"method": method.pk}},
                },
            )
        )
        if isinstance(made, Outcome):
            raise ProcessorUnreachable(made.error)
        return customer, made.url or return_url

    def verify_webhook(self, body: bytes, headers: Mapping[str, str]) -> Event:
        signature = headers.get("Stripe-Signature", "")
        for secret in settings.STRIPE_WEBHOOK_SECRETS:
            try:
                event = self.client.construct_event(body, signature, secret, TOLERANCE_SECONDS)
            except stripe.SignatureVerificationError:
                continue
            except ValueError as error:
                raise BadSignature("the body is not JSON") from error
            return read_event(event.to_dict())
        raise BadSignature("the signature does not match")

    def _customer(self, method: PaymentMethod) -> str:
        made = _ask(
            lambda: self.client.v1.customers.create(
                params={
                    "name": method.customer.name,
                    "email": method.customer.billing_email,
                    "metadata": {"customer": method.customer_id, "provider": method.organization_id},
                },
                options={"idempotency_key": f"customer-{method.pk}"},
            )
        )
        if isinstance(made, Outcome):
            raise ProcessorUnreachable(made.error)
        return made.id

    def _charge_saved(self, payment: Payment, method: PaymentMethod) -> Outcome:
        made = _ask(
            lambda: self.client.v1.payment_intents.create(
                params={
                    "amount": to_minor(payment.amount, payment.currency),
                    "currency": payment.currency.lower(),
                    "customer": method.external_customer,
                    "payment_method": method.external_method,
                    "confirm": True,
                    "off_session": True,
                    "description": words_of(payment),
                    "metadata": {"payment": payment.pk},
                },
                options={"idempotency_key": payment.pk},
            )
        )
        if isinstance(made, Outcome):
            return made
        return Outcome(_STATES.get(made.status, PaymentState.PENDING), reference=made.id)

    def _checkout(self, payment: Payment, method: PaymentMethod | None, return_url: str) -> Outcome:
        price = {
            "currency": payment.currency.lower(),
            "unit_amount": to_minor(payment.amount, payment.currency),
            "product_data": {"name": words_of(payment)},
        }
        params: dict[str, Any] = {
            "mode": "payment",
            "line_items": [{"quantity": 1, "price_data": price}],
            "client_reference_id": payment.pk,
            "metadata": {"payment": payment.pk},
            "payment_intent_data": {"metadata": {"payment": payment.pk}},
            "success_url": return_url,
            "cancel_url": return_url,
        }
        if method is not None and method.external_customer:
            params["customer"] = method.external_customer
        elif payment.customer.billing_email:
            params["customer_email"] = payment.customer.billing_email
        made = _ask(
            lambda: self.client.v1.checkout.sessions.create(
                params=params,  # type: ignore[arg-type]
                options={"idempotency_key": payment.pk},
            )
        )
        if isinstance(made, Outcome):
            return made
        return Outcome(PaymentState.PENDING, session_id=made.id, url=made.url or "")


def words_of(payment: Payment) -> str:
    """Return what the customer reads on the page and on her card's statement."""
    if payment.invoice is None:
        return f"Credits with {payment.organization.name}"
    return f"Invoice {payment.invoice.label} of {payment.organization.name}"


def _ask(request: Callable[[], T]) -> T | Outcome:
    """Run a request; a card or a request that Stripe refuses for good is an outcome, silence is not."""
    try:
        return request()
    except (stripe.CardError, stripe.InvalidRequestError) as error:
        # the words are Stripe's own for the customer; they hold no secret
        return Outcome(PaymentState.FAILED, error=(error.user_message or "Stripe refused it.")[:300])
    except stripe.StripeError as error:
        raise ProcessorUnreachable(type(error).__name__) from error
