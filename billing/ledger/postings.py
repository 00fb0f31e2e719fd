"""Writing into the ledger: transactions whose entries sum to zero, for one customer or for many at once."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from accounts.models import Organization, User
from billing.models import (
    AccountKind,
    CreditGrant,
    Invoice,
    LedgerAccount,
    LedgerEntry,
    LedgerTransaction,
    TransactionKind,
)

Parties = tuple[str, str, str]  # provider, customer, currency


@dataclass(frozen=True, slots=True)
class Leg:
    """An amount into (+) or out of (-) an account; those of `credits` accounts name their grant."""

    kind: AccountKind
    amount: Decimal
    grant_id: str | None = None


@dataclass(frozen=True, slots=True)
class Posting:
    """A transaction to write. `reference` is unique for each provider; the legs sum to zero."""

    provider: Organization
    customer: Organization
    currency: str
    kind: TransactionKind
    reference: str
    description: str
    at: datetime
    legs: Sequence[Leg]
    invoice: Invoice | None = None
    actor: User | None = field(default=None)

    @property
    def parties(self) -> Parties:
        return self.provider.pk, self.customer.pk, self.currency


def on_invoice(
    invoice: Invoice,
    *,
    kind: TransactionKind,
    words: str,
    legs: Sequence[Leg],
    at: datetime,
    actor: User | None,
    reference: str = "",
) -> Posting:
    """Make the posting of what happens to an invoice: once for each kind, if no `reference` says otherwise."""
    return Posting(
        provider=invoice.organization,
        customer=invoice.customer,
        currency=invoice.currency,
        kind=kind,
        reference=reference or f"{kind}:{invoice.pk}",
        description=words,
        at=at,
        legs=legs,
        invoice=invoice,
        actor=actor,
    )


def post(postings: Sequence[Posting]) -> list[LedgerTransaction]:
    """Write them, in the caller's transaction: 4 queries however many there are.

    IntegrityError where a reference is taken, and at commit where the rules of the ledger are broken.
    """
    if not postings:
        return []
    accounts = _accounts(postings)
    made, entries = [], []
    for each in postings:
        done = LedgerTransaction(
            organization=each.provider,
            customer=each.customer,
            currency=each.currency,
            kind=each.kind,
            reference=each.reference,
            description=each.description[:200],
            invoice=each.invoice,
            actor=each.actor,
            at=each.at,
        )
        made.append(done)
        entries += [
            LedgerEntry(
                organization=each.provider,
                transaction=done,
                account_id=accounts[*each.parties, leg.kind],
                grant_id=leg.grant_id,
                amount=leg.amount,
            )
            for leg in each.legs
        ]
    LedgerTransaction.objects.bulk_create(made)
    LedgerEntry.objects.bulk_create(entries)
    return made


def _accounts(postings: Iterable[Posting]) -> dict[tuple[str, str, str, str], str]:
    """Return (provider, customer, currency, kind) -> account, making those that are not there."""
    wanted = {(*each.parties, leg.kind) for each in postings for leg in each.legs}
    # sorted, so that two writers at once wait for each other instead of dying
    LedgerAccount.objects.bulk_create(
        [
            LedgerAccount(organization_id=provider, customer_id=customer, currency=currency, kind=kind)
            for provider, customer, currency, kind in sorted(wanted)
        ],
        ignore_conflicts=True,
    )
    found = LedgerAccount.objects.filter(
        organization__in={key[0] for key in wanted}, customer__in={key[1] for key in wanted}
    ).values_list("organization_id", "customer_id", "currency", "kind", "id")
    return {(provider, customer, currency, kind): pk for provider, customer, currency, kind, pk in found}


def mark_spent(grant_ids: Collection[str], at: datetime) -> None:
    """Mark grants of which nothing is left, so that later look-ups pass them over."""
    CreditGrant.objects.filter(pk__in=grant_ids).update(spent_at=at)
