"""Giving credits, and ending them: by expiry, by taking them back, by paying them back."""

from datetime import datetime, timedelta
from decimal import Decimal

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.utils.timezone import now

from accounts.audit import record
from accounts.errors import Refused
from accounts.models import Organization, User
from accounts.rows import check_fields, locked, taken_is_refused
from billing.currencies import check_currency, round_money
from billing.ledger.allocation import ZERO
from billing.ledger.balances import left_of
from billing.ledger.postings import Leg, Posting, mark_spent, post
from billing.models import AccountKind, CreditGrant, GrantSource, Invoice, TransactionKind
from billing.pricing import MONEY_LIMIT
from billing.soon import look_after_commit

# where the money of a grant comes from, and what its transaction is called
_ORIGINS = {
    GrantSource.PROMOTION: (AccountKind.PROMOTIONS, TransactionKind.GRANT),
    GrantSource.PURCHASE: (AccountKind.PAYMENTS, TransactionKind.PURCHASE),
    GrantSource.CARRIED: (AccountKind.CARRIED, TransactionKind.CARRY),
}


@transaction.atomic
def grant(
    *,
    provider: Organization,
    customer: Organization,
    amount: Decimal,
    currency: str,
    name: str = "Credits",
    source: GrantSource = GrantSource.PROMOTION,
    priority: int = 100,
    starts_at: datetime | None = None,
    expires_at: datetime | None = None,
    reference: str = "",
    invoice: Invoice | None = None,
    at: datetime | None = None,
    actor: User | None,
) -> CreditGrant:
    """Give a customer credits: `amount` > 0 in the currency's own decimals.

    Lower priorities are used first, then what expires first. `reference` makes it happen once: a second grant
    of the same reference is Refused(code `taken`). `invoice` = the one that owes them back.
    """
    at = at or now()
    currency = check_currency(currency)
    check_amount(amount, currency)
    made = CreditGrant(
        organization=provider,
        customer=customer,
        name=name,
        source=source,
        currency=currency,
        amount=amount,
        priority=priority,
        starts_at=starts_at or at,
        expires_at=expires_at,
        created_at=at,
    )
    check_fields(made)
    if expires_at is not None and expires_at <= made.starts_at:
        raise Refused("Credits must expire after they start; choose a later moment.", field="expires_at")
    origin, kind = _ORIGINS[source]
    with taken_is_refused("These credits were given already.", field="reference"):
        made.save(force_insert=True)
        legs = [Leg(origin, -amount), Leg(AccountKind.CREDITS, amount, made.pk)]
        reference = reference or f"grant:{made.pk}"
        post([Posting(provider, customer, currency, kind, reference, name, at, legs, invoice, actor)])
    look_after_commit(customer.pk)
    _audit(made, actor, "given", f"Gave {amount} {currency} of credits to {customer}: {name}")
    return made


@transaction.atomic
def revoke(*, credit_grant: CreditGrant, actor: User | None) -> Decimal:
    """Take back what is left of a grant; return how much that was. Refused where nothing is left."""
    return _end(credit_grant, AccountKind.EXPIRED, TransactionKind.REVOKE, now(), actor)


@transaction.atomic
def expire(*, credit_grant: CreditGrant, at: datetime | None = None) -> Decimal:
    """Post what is left of a grant that has expired as expired; return how much. Refused before its time."""
    at = at or now()
    if credit_grant.expires_at is None or credit_grant.expires_at > at:
        raise Refused(f"{credit_grant.name} has not expired.", field="expires_at", code="wrong_state")
    # posted at the moment when it expired, however late the task came
    return _end(credit_grant, AccountKind.EXPIRED, TransactionKind.EXPIRE, credit_grant.expires_at, None)


def expired(at: datetime) -> QuerySet[CreditGrant]:
    """Return grants of which something is left although they expired, longer ago than the delay.

    The delay (CREDIT_EXPIRY_DELAY_SECONDS) leaves time to bill the use that they still pay for.
    """
    before = at - timedelta(seconds=settings.CREDIT_EXPIRY_DELAY_SECONDS)
    found = CreditGrant.objects.filter(spent_at__isnull=True, expires_at__lte=before)
    return found.select_related("organization", "customer").order_by("expires_at", "id")


def check_amount(amount: Decimal, currency: str) -> None:
    """Raise Refused(field `amount`) unless it is above zero, not absurd, and in the currency's own decimals."""
    if not amount.is_finite() or not ZERO < amount < MONEY_LIMIT:
        raise Refused("Give an amount above zero.", field="amount")
    if amount != round_money(amount, currency):
        raise Refused(f"{amount} has more decimals than {currency} has.", field="amount")


def _end(
    credit_grant: CreditGrant,
    to: AccountKind,
    kind: TransactionKind,
    at: datetime,
    actor: User | None,
) -> Decimal:
    credit_grant = locked(credit_grant)
    left = left_of([credit_grant.pk])[credit_grant.pk]
    if left <= ZERO:
        raise Refused(f"Nothing is left of {credit_grant.name}.", code="wrong_state")
    post(
        [
            Posting(
                provider=credit_grant.organization,
                customer=credit_grant.customer,
                currency=credit_grant.currency,
                kind=kind,
                # a grant that got credits back from a void invoice may end a second time
                reference=f"{kind}:{credit_grant.pk}:{credit_grant.entries.count()}",
                description=f"{kind.label}: {credit_grant.name}",
                at=at,
                legs=[Leg(AccountKind.CREDITS, -left, credit_grant.pk), Leg(to, left)],
                actor=actor,
            )
        ]
    )
    mark_spent([credit_grant.pk], at)
    _audit(
        credit_grant,
        actor,
        kind.value,
        f"{kind.label}: {left} {credit_grant.currency} of {credit_grant.name}",
    )
    return left


def _audit(credit_grant: CreditGrant, actor: User | None, verb: str, summary: str) -> None:
    """Write the line into the provider's trail, and into the customer's if that is another."""
    for organization in {credit_grant.organization, credit_grant.customer}:
        record(
            organization=organization,
            actor=actor,
            action=f"credits.{verb}",
            target=credit_grant,
            summary=summary,
        )
