"""Credit notes in the ledger: less to pay, or credits for what was paid already."""

from datetime import datetime
from decimal import Decimal

from django.db import transaction

from accounts.models import User
from billing.ledger.postings import Leg, on_invoice, post
from billing.models import AccountKind, CreditGrant, GrantSource, Invoice, TransactionKind
from billing.soon import look_after_commit


@transaction.atomic
def post_credit_note(
    *,
    invoice: Invoice,
    taken_off: Decimal,
    given_back: Decimal,
    reference: str,
    name: str,
    at: datetime,
    actor: User | None,
) -> None:
    """Note a credit note: `taken_off` what the invoice still owed, `given_back` as credits of what was paid.

    `reference` is the note's own; a second time is an IntegrityError.
    """
    legs = [Leg(AccountKind.CARRIED, -taken_off - given_back)]
    if taken_off:
        legs.append(Leg(AccountKind.INVOICES, taken_off))
    if given_back:
        made = _grant(invoice, given_back, name, at)
        made.save(force_insert=True)
        look_after_commit(invoice.customer_id)
        legs.append(Leg(AccountKind.CREDITS, given_back, made.pk))
    kind = TransactionKind.CREDIT_NOTE
    post([on_invoice(invoice, kind=kind, words=name, legs=legs, at=at, actor=actor, reference=reference)])


def _grant(invoice: Invoice, amount: Decimal, name: str, at: datetime) -> CreditGrant:
    return CreditGrant(
        organization=invoice.organization,
        customer=invoice.customer,
        name=name[:120],
        source=GrantSource.CARRIED,
        currency=invoice.currency,
        amount=amount,
        # what the customer is owed is used before what she was given
        priority=0,
        starts_at=at,
        created_at=at,
    )
