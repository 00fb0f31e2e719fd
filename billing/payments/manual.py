"""Money that came in by itself, such as a bank transfer: staff note it."""

from billing.models import Payment, PaymentMethod, PaymentState, Refund
from billing.payments.base import Outcome, PaymentProcessor


class ManualProcessor(PaymentProcessor):
    """Moves nothing: what is noted has happened."""

    def charge(self, payment: Payment, *, method: PaymentMethod | None, return_url: str) -> Outcome:
        return Outcome(PaymentState.SUCCEEDED, reference=payment.reference)

    def refund(self, refund: Refund) -> Outcome:
        return Outcome(PaymentState.SUCCEEDED, reference=refund.reference)
