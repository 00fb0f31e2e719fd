"""Using credits on invoices, for a whole chunk at once, and giving them back when an invoice is voided."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal

from django.db import transaction
from django.db.models import Sum
from django.utils.timezone import now

from accounts.models import User
from billing.ledger.allocation import ZERO, allocate
from billing.ledger.balances import as_available, open_grants
from billing.ledger.postings import Leg, Posting, mark_spent, on_invoice, post
from billing.models import AccountKind, CreditGrant, Invoice, LedgerEntry, TransactionKind


@transaction.atomic
def draw(
    *, invoices: Sequence[Invoice], at: datetime | None = None, actor: User | None = None
) -> dict[str, Decimal]:
    """Use customers' credits on invoices (stored, or in this transaction), in the order given; return what for each.

    An invoice is drawn on once (IntegrityError at a second time), for its whole total, with credits of
    its provider and currency. 7 queries for any number of invoices; 1 where none of the customers has credits.
    """
    at = at or now()
    # in one order, so that two draws at once wait for each other instead of dying
    grants = list(
        open_grants(
            provider_ids={each.organization_id for each in invoices},
            customer_ids={each.customer_id for each in invoices},
        )
        .select_for_update(no_key=True)
        .order_by("id")
    )
    used = dict.fromkeys((each.pk for each in invoices), ZERO)
    if not grants:
        return used
    available = {key: {each.id: each for each in found} for key, found in as_available(grants).items()}
    postings: list[Posting] = []
    spent: set[str] = set()
    for invoice in invoices:
        own = available.get((invoice.organization_id, invoice.customer_id, invoice.currency), {})
        parts = allocate(own.values(), invoice.total, at, min(at, invoice.period_end))
        for pk, part in parts:
            own[pk] = replace(own[pk], left=own[pk].left - part)
            if not own[pk].left:
                spent.add(pk)
        used[invoice.pk] = sum((part for _, part in parts), ZERO)
        if parts:
            postings.append(_posting(invoice, parts, at, actor))
    post(postings)
    mark_spent(spent, at)
    return used


@transaction.atomic
def give_back(*, invoice: Invoice, at: datetime | None = None, actor: User | None) -> Decimal:
    """Give the credits that were used on an invoice back to their grants, once; return how much.

    Their expiry stays: what has expired meanwhile expires at the next run.
    """
    at = at or now()
    used = (
        LedgerEntry.objects.filter(transaction__invoice=invoice, grant__isnull=False, amount__lt=0)
        .values_list("grant")
        .annotate(amount=Sum("amount"))
        .order_by("grant")
    )
    parts = [(str(pk), -amount) for pk, amount in used]
    total = sum((part for _, part in parts), ZERO)
    if total:
        CreditGrant.objects.filter(pk__in=[pk for pk, _ in parts]).update(spent_at=None)
        legs = [Leg(AccountKind.CREDITS, part, pk) for pk, part in parts]
        kind, words = TransactionKind.RETURN, f"Returned from void invoice {invoice.label}"
        legs = [Leg(AccountKind.INVOICES, -total), *legs]
        post([on_invoice(invoice, kind=kind, words=words, legs=legs, at=at, actor=actor)])
    return total


def _posting(
    invoice: Invoice, parts: Sequence[tuple[str, Decimal]], at: datetime, actor: User | None
) -> Posting:
    legs = [Leg(AccountKind.CREDITS, -part, pk) for pk, part in parts]
    legs.append(Leg(AccountKind.INVOICES, sum((part for _, part in parts), ZERO)))
    words = "Used on an invoice"  # which may have no number yet
    return on_invoice(invoice, kind=TransactionKind.DRAW, words=words, legs=legs, at=at, actor=actor)
