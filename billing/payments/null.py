"""For demonstrations: everything is paid at once, and no money moves."""

from billing.models import Payment, PaymentMethod, PaymentState, Refund
from billing.payments.base import Outcome, PaymentProcessor


class NullProcessor(PaymentProcessor):
    """Says yes."""

    def charge(self, payment: Payment, *, method: PaymentMethod | None, return_url: str) -> Outcome:
        return Outcome(PaymentState.SUCCEEDED, reference=f"demo-{payment.pk}")

    def refund(self, refund: Refund) -> Outcome:
        return Outcome(PaymentState.SUCCEEDED, reference=f"demo-{refund.pk}")
