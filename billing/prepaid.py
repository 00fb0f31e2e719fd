"""Customers who only use what they paid in advance: calls stop when the credits are used up.

The mechanism, and so the bound, is that of spend caps (`spend_stop.py`). What may still be spent is the credits that
can be used now, less what is owed already: open invoices, and use that is on no invoice yet, with its taxes.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from django.db.models import Q, Sum

from accounts.models import Organization
from billing.estimate import SubscriptionEstimate, estimate_many
from billing.ledger.balances import balances
from billing.models import CustomerTerms, Invoice, InvoiceState
from billing.periods import Period
from billing.pricing import ZERO
from billing.spend_stop import SOURCES, Limit, Source
from billing.tax_book import TaxBook, tax_book

USED_UP = "The prepaid credits of this subscription are used up."
# how long a month that is over may stay without its invoice; afterwards it is taken to have none
INVOICED_WITHIN = timedelta(days=7)

Account = tuple[str, str, str]  # provider, payer, currency


@dataclass(frozen=True, slots=True)
class _Month:
    """A month of what one payer owes one provider in one currency."""

    provider: str
    payer: str
    currency: str
    period: Period

    @property
    def account(self) -> Account:
        return self.provider, self.payer, self.currency

    @property
    def key(self) -> tuple[str, str, str, datetime]:
        """How invoices name it."""
        return (*self.account, self.period.start)

    @property
    def before(self) -> "_Month":
        return _Month(*self.account, self.period.previous())


@dataclass(frozen=True, slots=True)
class _Invoiced:
    """What invoices of a month hold of it, and whether they cover it to its end."""

    total: Decimal = ZERO
    until: datetime | None = None

    def covers(self, period: Period) -> bool:
        return self.until is not None and self.until >= period.end


Invoiced = dict[tuple[str, str, str, datetime], _Invoiced]


def customers() -> set[str]:
    """Return the ids of prepaid customers, and of those whose bills they pay."""
    payers = CustomerTerms.objects.filter(credit_only=True).values("customer")
    found = Organization.objects.filter(Q(pk__in=payers) | Q(billing_parent__in=payers))
    return set(found.values_list("pk", flat=True))


def limits(customer_ids: Collection[str], items: Sequence[SubscriptionEstimate], at: datetime) -> list[Limit]:
    """Return what the prepaid ones among these customers may still spend, one limit for each payer and currency."""
    prepaid = _prepaid(items)
    own = [item for item in items if _pair(item) in prepaid]
    if not own:
        return []
    payers = {payer for _, payer in prepaid}
    everything = own + _rest_of_groups(payers, prepaid, customer_ids, at)
    owed = _owed(everything, prepaid, at)
    has = balances(customer_ids=payers, at=at)
    subscriptions: dict[Account, set[str]] = defaultdict(set)
    for item in own:
        if item.card is not None:  # what is free costs nothing, and goes on
            subscriptions[_account(item)].add(item.subscription.pk)
    return [
        Limit(frozenset(members), has.get(key, ZERO) - owed[key], reason=USED_UP)
        for key, members in subscriptions.items()
    ]


def _prepaid(items: Iterable[SubscriptionEstimate]) -> set[tuple[str, str]]:
    pairs = {_pair(item) for item in items}
    terms = CustomerTerms.objects.filter(credit_only=True, customer__in={payer for _, payer in pairs})
    return pairs & set(terms.values_list("organization_id", "customer_id"))


def _rest_of_groups(
    payers: set[str], prepaid: set[tuple[str, str]], known: Collection[str], at: datetime
) -> list[SubscriptionEstimate]:
    """Members of these payers' groups that are not looked at just now spend of the same credits."""
    group = Organization.objects.filter(Q(pk__in=payers) | Q(billing_parent__in=payers))
    others = set(group.values_list("pk", flat=True)) - set(known)
    if not others:
        return []
    return [item for item in estimate_many(customers=others, at=at) if _pair(item) in prepaid]


def _owed(
    items: list[SubscriptionEstimate], prepaid: set[tuple[str, str]], at: datetime
) -> dict[Account, Decimal]:
    """Return what is open on invoices, and what no invoice holds yet of the running month and the one before."""
    months = {_month(item) for item in items}
    invoiced = _invoiced(months | {month.before for month in months})
    spent: dict[_Month, Decimal] = defaultdict(lambda: ZERO)
    for item in [*items, *_not_closed_yet(items, months, invoiced, at)]:
        spent[_month(item)] += item.subtotal
    books = {provider.pk: tax_book(provider, payers) for provider, payers in _by_provider(items, prepaid)}
    owed = _open_amounts(prepaid)
    for month, lines in spent.items():
        rest = _gross(books[month.provider], month, lines) - invoiced[month.key].total
        owed[month.account] += max(rest, ZERO)
    return owed


def _not_closed_yet(
    items: list[SubscriptionEstimate], months: set[_Month], invoiced: Invoiced, at: datetime
) -> list[SubscriptionEstimate]:
    """Return the month before, where it has just ended and waits for its invoice."""
    waiting = {
        month.before
        for month in months
        if at - month.period.start < INVOICED_WITHIN
        and not invoiced[month.before.key].covers(month.before.period)
    }
    if not waiting:
        return []
    members = {item.subscription.organization_id for item in items}
    before = min(item.period.start for item in items) - timedelta(seconds=1)
    return [item for item in estimate_many(customers=members, at=before) if _month(item) in waiting]


def _open_amounts(prepaid: set[tuple[str, str]]) -> dict[Account, Decimal]:
    due = Invoice.objects.filter(
        organization__in={provider for provider, _ in prepaid},
        customer__in={payer for _, payer in prepaid},
        state=InvoiceState.FINALIZED,
    )
    found = due.order_by().values_list("organization_id", "customer_id", "currency")
    owed: dict[Account, Decimal] = defaultdict(lambda: ZERO)
    for provider, payer, currency, amount in found.annotate(Sum("amount_due")):
        owed[provider, payer, currency] = amount
    return owed


def _invoiced(months: set[_Month]) -> Invoiced:
    rows = Invoice.objects.filter(
        organization__in={month.provider for month in months},
        customer__in={month.payer for month in months},
        month_start__in={month.period.start for month in months},
    )
    found: Invoiced = defaultdict(_Invoiced)
    for row in rows.exclude(state=InvoiceState.DRAFT):
        key = (row.organization_id, row.customer_id, row.currency, row.month_start)
        so_far = found[key]
        total = so_far.total + (ZERO if row.state == InvoiceState.VOID else row.total)
        found[key] = _Invoiced(total, max(row.period_end, so_far.until or row.period_end))
    return found


def _gross(book: TaxBook, month: _Month, lines: Decimal) -> Decimal:
    """Add the taxes that an invoice over these lines would bear."""
    draft = Invoice(
        organization_id=month.provider,
        customer_id=month.payer,
        currency=month.currency,
        period_end=month.period.end,
    )
    taxes, net = book.taxes(draft, lines)
    return net + sum((each.amount for each in taxes), ZERO)


def _by_provider(
    items: Iterable[SubscriptionEstimate], prepaid: set[tuple[str, str]]
) -> list[tuple[Organization, list[str]]]:
    providers = {item.subscription.provider_id: item.subscription.provider for item in items}
    return [
        (provider, [payer for sold_by, payer in prepaid if sold_by == pk])
        for pk, provider in providers.items()
    ]


def _pair(item: SubscriptionEstimate) -> tuple[str, str]:
    customer = item.subscription.organization
    return item.subscription.provider_id, customer.billing_parent_id or customer.pk


def _account(item: SubscriptionEstimate) -> Account:
    return (*_pair(item), item.currency)


def _month(item: SubscriptionEstimate) -> _Month:
    return _Month(*_account(item), item.period)


SOURCES.append(Source(customers, limits))
