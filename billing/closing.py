"""Closing a month for some payers at once: what is due of it, of late counts before it, and in advance of the next."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from django.db import transaction
from django.db.models import Q

from access.models import Subscription
from accounts.any_of import any_of
from accounts.models import Organization
from billing.differences import billed_months
from billing.drafts import Draft, draft_invoices, only_expected
from billing.expected import make_rater
from billing.issue import Closing, issue, of_month
from billing.models import Invoice, InvoiceState
from billing.payer_locks import lock_payers
from billing.payers import by_payer, load_payers
from billing.periods import Period
from billing.queries import default_currency, share_plans, subscriptions_of
from metering.chain.seal import seal_heads

# Counts may come 35 days late: those of a month's last day still within the second invoice after its own.
LATE_MONTHS = 2


@transaction.atomic
def close_payers(closing: Closing, payers: Collection[str]) -> list[Invoice]:
    """Bill these payers in one transaction; return their new invoices. Another closing of one of them waits."""
    lock_payers(closing.provider.id, payers)
    due = set(payers)
    if not closing.corrections:
        due -= _closed_to_the_end(closing, closing.period, payers)
    if not due:
        return []
    parts, known = _parts(closing, due), load_payers(due)
    paid = {part.period: known.of(part.period.end) for part in parts}
    found = _subscriptions(closing, {pk for payer_of in paid.values() for pk in payer_of})
    developers = {each.organization_id for each in found}
    while True:
        seals = seal_heads(developers, until=closing.end)
        drafts = _drafts(closing, parts, paid, found, due)
        # what was counted meanwhile may be in one and not in the other; sealing it keeps the next from coming in
        if seal_heads(developers, until=closing.end) == seals:
            return issue(closing, drafts, seals)


def _drafts(
    closing: Closing,
    parts: Iterable["_Part"],
    paid: Mapping[Period, Mapping[str, str]],
    found: Sequence[Subscription],
    due: set[str],
) -> list[Draft]:
    """Rate these parts and return what is not billed yet. `paid`: month -> customer's id -> payer's."""
    rater = make_rater(
        subscriptions=found,
        payer_ids=due,
        default_currency=default_currency([closing.provider.id]),
    )
    billed = billed_months(
        provider_id=closing.provider.id, payer_of={period.start: each for period, each in paid.items()}
    )
    months = []
    for part in parts:
        in_advance = part.period.start >= closing.period.end
        if in_advance and not rater.book.bills_in_advance:
            continue
        rated = rater.months(
            payers=by_payer(found, paid[part.period], part.payers),
            period=part.period,
            over=closing.at >= part.period.end,
            fees_in_advance_only=in_advance,
        )
        before = billed.get(part.period.start, {})
        months.append((rated, only_expected(rated, before) if in_advance else before))
    return draft_invoices(
        customers=_customers(found, due),
        months=months,
        current=closing.period,
        book=rater.book,
    )


@dataclass(frozen=True, slots=True)
class _Part:
    """A month that an invoice bills something of, and for whom."""

    period: Period
    payers: set[str]


def _parts(closing: Closing, due: set[str]) -> list[_Part]:
    """Return the month itself; months before it with what came late; and the coming one, for fees in advance."""
    parts = [_Part(closing.period, due)]
    period = closing.period
    for _ in range(LATE_MONTHS):
        period = period.previous()
        if of_month(closing, period).filter(period_end__gte=period.end).exists():
            parts.append(_Part(period, due - _with_void(closing, period, list(due))))
    if closing.at >= closing.period.end:
        parts.append(_Part(closing.period.following(), due))
    return parts


def _subscriptions(closing: Closing, customers: Collection[str]) -> list[Subscription]:
    """Those that may owe something for the month, for late counts before it, or in advance."""
    first = closing.period
    for _ in range(LATE_MONTHS):
        first = first.previous()
    found = subscriptions_of(closing.provider).filter(
        Q(ended_at__isnull=True) | Q(ended_at__gt=first.start),
        any_of("organization", customers),
        started_at__lt=closing.period.following().end,
    )
    return share_plans(found, closing.provider)


def _customers(found: Iterable[Subscription], payers: set[str]) -> dict[str, Organization]:
    """Return payers by id; those that have subscriptions themselves are loaded already."""
    known = {each.organization_id: each.organization for each in found if each.organization_id in payers}
    missing = payers - known.keys()
    return known | Organization.objects.in_bulk(missing) if missing else known


def _closed_to_the_end(closing: Closing, period: Period, customers: Collection[str]) -> set[str]:
    """Customers with an invoice, void or not, that covers the month to its end."""
    found = of_month(closing, period).filter(any_of("customer", customers), period_end__gte=period.end)
    return set(found.values_list("customer_id", flat=True))


def _with_void(closing: Closing, period: Period, customers: list[str]) -> set[str]:
    """Customers with a void invoice of the month: whether to bill them again is for people to say."""
    found = of_month(closing, period).filter(any_of("customer", customers), state=InvoiceState.VOID)
    return set(found.values_list("customer_id", flat=True))
