"""Customers with credits, and invoices to use them on."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import count

from accounts.models import Organization
from billing.ledger.grants import grant
from billing.models import CreditGrant, Invoice, InvoiceState
from tests.factories import make_organization

T0 = datetime(2026, 10, 1, tzinfo=UTC)
_numbers = count(1)


def day(number: int) -> datetime:
    """T1, T2 … of the vectors."""
    return T0 + timedelta(days=number)


def make_credits(provider: Organization, customer: Organization, amount: str, **fields) -> CreditGrant:
    defaults = {"currency": "USD", "at": T0, "actor": None}
    return grant(provider=provider, customer=customer, amount=Decimal(amount), **(defaults | fields))


def make_bill(provider: Organization, customer: Organization | None = None, total="0", **fields) -> Invoice:
    """A finalized invoice without lines, for October 2026; each of another part, so that many fit."""
    number = next(_numbers)
    defaults = {
        "number": number,
        "part": number % 30_000,
        "state": InvoiceState.FINALIZED,
        "finalized_at": day(31),
        "month_start": T0,
        "period_start": T0,
        "period_end": day(31),
        "currency": "USD",
        "subtotal": Decimal(total),
        "total": Decimal(total),
        "amount_due": Decimal(total),
        "due_at": day(45),
    }
    return Invoice.objects.create(
        organization=provider, customer=customer or make_organization(), **(defaults | fields)
    )
