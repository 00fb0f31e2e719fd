"""What the running month has cost so far, line by line and tier by tier. Nothing is written."""

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from django.db.models import Q, QuerySet
from django.utils.timezone import now

from access.models import Subscription
from accounts.models import Organization
from billing.periods import Period, month_of
from billing.pricing import ZERO
from billing.queries import default_currency, rate_card_of, subscriptions_in
from billing.quote import BillLine
from billing.rating import NO_USAGE, base_fee_line, units_of, usage_lines
from metering.queries import Quantity, quantities


@dataclass(frozen=True, slots=True)
class SubscriptionEstimate:
    """One subscription's month so far; `subscription` has application, plan and both organizations loaded."""

    subscription: Subscription
    period: Period
    currency: str
    usage: Quantity
    lines: list[BillLine]

    @property
    def subtotal(self) -> Decimal:
        return sum((line.amount for line in self.lines), ZERO)


@dataclass(frozen=True, slots=True)
class Estimate:
    """A developer's month so far over all its subscriptions, at the moment `at`."""

    organization: Organization
    at: datetime
    subscriptions: list[SubscriptionEstimate]

    @property
    def totals(self) -> dict[str, Decimal]:
        """Currency -> sum."""
        return _totals((item.currency, item.subtotal) for item in self.subscriptions)


@dataclass(frozen=True, slots=True)
class CustomerEstimate:
    """What one customer owes a provider for the month so far, in one currency."""

    customer: Organization
    currency: str
    requests: int
    bytes_out: int
    total: Decimal


@dataclass(frozen=True, slots=True)
class SalesEstimate:
    """A provider's month so far, largest customer first."""

    organization: Organization
    period: Period
    at: datetime
    customers: list[CustomerEstimate]

    @property
    def totals(self) -> dict[str, Decimal]:
        """Currency -> sum."""
        return _totals((item.currency, item.total) for item in self.customers)


def estimate(
    *, organization: Organization, at: datetime | None = None, provider: Organization | None = None
) -> Estimate:
    """Estimate what `organization` (as a developer) owes for the month that `at` (default: now) falls in.

    Months are those of each provider's time zone. The whole month so far is shown, whether or not a part of
    it is on an invoice already. `provider` narrows it to one. Queries: 3, plus one for each time zone.
    """
    at = at or now()
    subscriptions = subscriptions_in(customer=organization, provider=provider)
    return Estimate(organization, at, _rate(subscriptions, at))


def estimate_many(*, customers: Collection[str], at: datetime) -> list[SubscriptionEstimate]:
    """Estimate the month so far of many developers (ids) at once. Queries: 3, plus one for each time zone."""
    # a subscription that ended before any provider's running month began costs nothing in it
    recent = Q(ended_at=None) | Q(ended_at__gt=at - timedelta(days=32))
    return _rate(subscriptions_in().filter(recent, organization__in=customers), at)


def estimate_sales(*, organization: Organization, at: datetime | None = None) -> SalesEstimate:
    """Estimate what the customers of the provider `organization` owe for the month so far. 4 queries."""
    at = at or now()
    groups: dict[tuple[str, str], list[SubscriptionEstimate]] = defaultdict(list)
    for item in _rate(subscriptions_in(provider=organization), at):
        groups[(item.subscription.organization_id, item.currency)].append(item)
    customers = [
        CustomerEstimate(
            items[0].subscription.organization,
            currency,
            sum(item.usage.calls for item in items),
            sum(item.usage.bytes_out for item in items),
            sum((item.subtotal for item in items), ZERO),
        )
        for (_, currency), items in groups.items()
    ]
    customers.sort(key=lambda c: (-c.total, -c.requests, c.customer.name))
    return SalesEstimate(organization, month_of(at, organization.timezone), at, customers)


def _rate(found: QuerySet[Subscription], at: datetime) -> list[SubscriptionEstimate]:
    subscriptions = list(found)
    currencies = default_currency({s.provider_id for s in subscriptions})
    by_period: dict[Period, list[Subscription]] = defaultdict(list)
    for subscription in subscriptions:
        period = month_of(at, subscription.provider.timezone)
        if subscription.ended_at is None or subscription.ended_at > period.start:
            by_period[period].append(subscription)
    rated: list[SubscriptionEstimate] = []
    for period, members in by_period.items():
        used = quantities(subscription_ids=[s.pk for s in members], start=period.start, end=period.end)
        for one in members:
            usage, currency = used.get(one.pk, NO_USAGE), currencies[one.provider_id]
            rated.append(_rate_one(one, period, usage, currency))
    return rated


def _rate_one(
    subscription: Subscription, period: Period, usage: Quantity, default: str
) -> SubscriptionEstimate:
    card = rate_card_of(subscription)
    fee = base_fee_line(card)
    lines = ([fee] if fee else []) + usage_lines(card, units_of(usage))
    return SubscriptionEstimate(subscription, period, card.currency if card else default, usage, lines)


def _totals(pairs: Iterable[tuple[str, Decimal]]) -> dict[str, Decimal]:
    sums: dict[str, Decimal] = defaultdict(lambda: ZERO)
    for currency, amount in pairs:
        sums[currency] += amount
    return dict(sums)
