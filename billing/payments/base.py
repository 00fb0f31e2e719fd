"""What a payment processor does for us. Each is one class that keeps nothing; rows are written by the verbs."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from accounts.errors import Refused
from billing.models import Payment, PaymentMethod, PaymentState, Refund


class ProcessorUnreachable(Exception):
    """The processor gave no usable answer, so what became of the request is not known: ask again later."""


class BadSignature(Exception):
    """A message that the processor did not sign."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a charge or a refund. `url` = where the customer goes on; `error` for people."""

    state: PaymentState
    reference: str = ""
    session_id: str = ""
    url: str = ""
    error: str = ""


@dataclass(frozen=True, slots=True)
class SavedMethod:
    """What a customer set up at the processor."""

    external_customer: str
    external_method: str
    label: str


@dataclass(frozen=True, slots=True)
class Event:
    """A verified message, in our words. What is None or '' was not said.

    `amount` was paid in all; `refunded` was paid back in all, however often. `refund_id` is one refund of ours.
    """

    id: str
    kind: str
    payment_id: str = ""
    reference: str = ""
    session_id: str = ""
    state: PaymentState | None = None
    amount: Decimal | None = None
    currency: str = ""
    refunded: Decimal | None = None
    error: str = ""
    final: bool = True
    refund_id: str = ""
    refund_state: PaymentState | None = None
    method: SavedMethod | None = None


class PaymentProcessor(ABC):
    """One way to pay. Its calls are made outside transactions and may be repeated: same row, same effect."""

    @abstractmethod
    def charge(self, payment: Payment, *, method: PaymentMethod | None, return_url: str) -> Outcome:
        """Charge the saved method, or begin a payment by the customer herself, who comes back to `return_url`.

        Raises ProcessorUnreachable.
        """

    @abstractmethod
    def refund(self, refund: Refund) -> Outcome:
        """Pay back. Raises ProcessorUnreachable."""

    def set_up(self, method: PaymentMethod, *, return_url: str) -> tuple[str, str]:
        """Return (the customer's name at the processor, the address where she leaves a card or account)."""
        raise Refused("This way of paying keeps no cards or accounts.", code="not_supported")

    def verify_webhook(self, body: bytes, headers: Mapping[str, str]) -> Event:
        """Return the message in our words. Raises BadSignature where it is not the processor's own."""
        raise BadSignature("this processor sends no messages")
