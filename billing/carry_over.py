"""An invoice below zero: it is brought to zero by a line, and what is left becomes credits of the customer."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime

from accounts.errors import Refused
from accounts.models import User
from billing.differences import CARRIED
from billing.draft_lines import Line
from billing.ledger.balances import left_of
from billing.ledger.grants import revoke
from billing.ledger.postings import Leg, on_invoice, post
from billing.models import AccountKind, CreditGrant, GrantSource, Invoice, InvoiceLine, TransactionKind
from billing.periods import month_of
from billing.pricing import ZERO

WORDS = "Carried over to your credits"


def carry_over(*, invoices: Sequence[Invoice], lines: Sequence[Line], at: datetime) -> list[InvoiceLine]:
    """Bring taxed drafts below zero to zero; return the lines that do it. 6 queries, none if there is no such draft.

    `lines` are the drafts' lines so far. The line is no item of a month: what is carried was billed before.
    """
    below = [invoice for invoice in invoices if invoice.total < ZERO]
    if not below:
        return []
    grants = [_grant(invoice, at) for invoice in below]
    CreditGrant.objects.bulk_create(grants)
    post(
        [
            on_invoice(
                invoice,
                kind=TransactionKind.CARRY,
                words=grant.name,
                legs=[
                    Leg(AccountKind.CARRIED, -grant.amount),
                    Leg(AccountKind.CREDITS, grant.amount, grant.pk),
                ],
                at=at,
                actor=None,
            )
            for invoice, grant in zip(below, grants, strict=True)
        ]
    )
    positions = Counter(line.invoice_id for line in lines)
    return [_line(invoice, positions[invoice.pk] + 1) for invoice in below]


def take_back_carried(*, invoice: Invoice, actor: User | None) -> None:
    """Take away the credits that an invoice left, before it is voided. Refused once some of them are used."""
    found = CreditGrant.objects.filter(
        entries__transaction__invoice=invoice, entries__transaction__kind=TransactionKind.CARRY
    ).distinct()
    for grant in found:
        if left_of([grant.pk])[grant.pk] != grant.amount:
            raise Refused(
                f"Credits that {invoice} left to {invoice.customer} are used, so it stays. "
                "Correct it with the next invoice instead.",
                field="state",
                code="carried_used",
            )
        revoke(credit_grant=grant, actor=actor)


def _grant(invoice: Invoice, at: datetime) -> CreditGrant:
    month = month_of(invoice.month_start, invoice.organization.timezone)
    return CreditGrant(
        organization=invoice.organization,
        customer=invoice.customer,
        name=f"Carried over from {month.label}",
        source=GrantSource.CARRIED,
        currency=invoice.currency,
        amount=-invoice.total,
        starts_at=at,
        created_at=at,
    )


def _line(invoice: Invoice, position: int) -> InvoiceLine:
    amount = -invoice.total
    invoice.subtotal += amount
    invoice.total = ZERO
    return InvoiceLine(
        organization=invoice.organization,
        invoice=invoice,
        position=position,
        description=WORDS,
        month_start=invoice.month_start,
        item=CARRIED,
        quantity=1,
        unit_price=amount,
        amount=amount,
    )
