"""What the running month has cost so far, line by line and tier by tier. Nothing is written."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal

from django.db.models import Q, QuerySet
from django.utils.timezone import now

from access.models import Subscription
from accounts.models import Organization
from billing.expected import Month, make_rater
from billing.items import Item
from billing.models import Meter, RateCard
from billing.next_calls import NextCalls
from billing.payers import Payers, by_payer, load_payers
from billing.periods import Period, month_of
from billing.pricing import ZERO
from billing.queries import default_currency, share_plans, subscriptions_in, subscriptions_of
from billing.quote import BillLine
from billing.timeline import Span, is_there
from metering.billable import GIB
from metering.queries import Quantity

KINDS = ("fee", "usage", "discount", "maximum", "minimum")


@dataclass(frozen=True, slots=True)
class SubscriptionEstimate:
    """One subscription's month so far in one currency: its own lines, and its part of those it shares.

    `subscription` has application, plan and both organizations loaded; `payer_id` pays for it this month.
    The parts of a shared line add up to it.
    """

    subscription: Subscription
    payer_id: str
    period: Period
    currency: str
    usage: Quantity
    lines: list[BillLine]
    # at the moment of the estimate: its card, and what further calls are priced by
    card: RateCard | None = None
    next_calls: NextCalls | None = None

    @property
    def subtotal(self) -> Decimal:
        return sum((line.amount for line in self.lines), ZERO)


@dataclass(frozen=True, slots=True)
class SharedEstimate:
    """Lines of a rate card that several subscriptions share, whole: their use adds up before tiers apply."""

    card: RateCard
    period: Period
    currency: str
    lines: list[BillLine]

    @property
    def subtotal(self) -> Decimal:
        return sum((line.amount for line in self.lines), ZERO)


@dataclass(frozen=True, slots=True)
class Estimate:
    """A developer's month so far over all subscriptions that it uses or pays for, at the moment `at`.

    `shared` are the lines that several of them share; their parts stand at the subscriptions, too.
    """

    organization: Organization
    at: datetime
    subscriptions: list[SubscriptionEstimate]
    shared: list[SharedEstimate] = field(default_factory=list)

    @property
    def totals(self) -> dict[str, Decimal]:
        """Currency -> sum."""
        return _totals((item.currency, item.subtotal) for item in self.subscriptions)


@dataclass(frozen=True, slots=True)
class CustomerEstimate:
    """What one customer owes a provider for the month so far, in one currency; its children's use included."""

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
    def payers(self) -> int:
        """How many customers there are; one with two currencies is one."""
        return len({item.customer.pk for item in self.customers})

    @property
    def totals(self) -> dict[str, Decimal]:
        """Currency -> sum."""
        return _totals((item.currency, item.total) for item in self.customers)


def estimate(
    *, organization: Organization, at: datetime | None = None, provider: Organization | None = None
) -> Estimate:
    """Estimate what `organization` (as a developer) owes for the month that `at` (default: now) falls in.

    Months are those of each provider's time zone. The whole month so far is shown, whether or not a part of
    it is on an invoice already; a minimum shows when the month is over. Who pays for others sees theirs, too; of
    whom another pays for, its part of what they share. `provider` narrows it to one.
    """
    at = at or now()
    months = list(_months([organization.pk], at, provider=provider))
    own = [
        item
        for month in months
        for item in _by_subscription(month, at)
        if organization.pk in (month.payer_id, item.subscription.organization_id)
    ]
    shared = [each for month in months if month.payer_id == organization.pk for each in _shared(month)]
    return Estimate(organization, at, own, shared)


def estimate_many(*, customers: Collection[str], at: datetime) -> list[SubscriptionEstimate]:
    """Estimate the month so far of many developers (ids) at once: the subscriptions of their own."""
    wanted = set(customers)
    return [
        item
        for month in _months(customers, at)
        for item in _by_subscription(month, at)
        if item.subscription.organization_id in wanted
    ]


def estimate_sales(*, organization: Organization, at: datetime | None = None) -> SalesEstimate:
    """Estimate what the customers of the provider `organization` owe for the month so far."""
    at = at or now()
    period = month_of(at, organization.timezone)
    found = share_plans(subscriptions_of(organization).filter(_recent(at)), organization)
    found = [each for each in found if is_there(each, period)]
    known = load_payers({each.organization_id for each in found})
    months = list(_rate({period: found}, known))
    payers = _organizations(found, {month.payer_id for month in months})
    customers = [each for month in months for each in _customers(month, payers[month.payer_id], at)]
    customers.sort(key=lambda c: (-c.total, -c.requests, c.customer.name))
    return SalesEstimate(organization, period, at, customers)


def month_until(*, subscription: Subscription, at: datetime, until: datetime) -> Month | None:
    """Return the month that `at` falls in of whoever pays for a subscription, with what was used before `until`."""
    months = _months([subscription.organization_id], at, provider=subscription.provider, until=until)
    return next(
        (each for each in months if any(s.subscription.pk == subscription.pk for s in each.spans)), None
    )


def _organizations(found: Iterable[Subscription], wanted: set[str]) -> dict[str, Organization]:
    """Return these organizations by id; those that have subscriptions themselves are loaded already."""
    known = {each.organization_id: each.organization for each in found}
    missing = wanted - known.keys()
    return known | Organization.objects.in_bulk(missing) if missing else known


def _recent(at: datetime) -> Q:
    """A subscription that ended before any provider's running month began costs nothing in it."""
    return Q(ended_at=None) | Q(ended_at__gt=at - timedelta(days=32))


def _months(
    customers: Collection[str],
    at: datetime,
    provider: Organization | None = None,
    until: datetime | None = None,
) -> Iterator[Month]:
    """Yield the months (before `until`) of all that pay for these customers, with all that they pay for."""
    known, family = load_payers(customers), set(customers)
    if known.memberships:
        # whoever pays for one of them, and whoever it pays for besides
        known = load_payers(
            {pk for each in known.memberships for pk in (each.organization_id, each.parent_id)}
        )
        family |= {pk for each in known.memberships for pk in (each.organization_id, each.parent_id)}
    yield from _rate(_by_period(_of(family, at, provider), at, until), known)


def _of(customers: Collection[str], at: datetime, provider: Organization | None) -> QuerySet[Subscription]:
    return subscriptions_in(provider=provider).filter(_recent(at), organization__in=customers)


def _by_period(
    found: Iterable[Subscription], at: datetime, until: datetime | None
) -> dict[Period, list[Subscription]]:
    by_period: dict[Period, list[Subscription]] = defaultdict(list)
    for subscription in found:
        period = month_of(at, subscription.provider.timezone)
        if until is not None:
            period = replace(period, end=min(period.end, until))
        if is_there(subscription, period):
            by_period[period].append(subscription)
    return by_period


def _rate(by_period: dict[Period, list[Subscription]], known: Payers) -> Iterator[Month]:
    everything = [each for members in by_period.values() for each in members]
    if not everything:
        return
    payer_of = {period: known.of(period.end) for period in by_period}
    payers = {
        period: {payer_of[period].get(each.organization_id, each.organization_id) for each in members}
        for period, members in by_period.items()
    }
    rater = make_rater(
        subscriptions=everything,
        payer_ids={pk for each in payers.values() for pk in each},
        default_currency=default_currency({each.provider_id for each in everything}),
    )
    for period, members in by_period.items():
        itself = {each.organization_id: each.organization_id for each in members}
        paid = by_payer(members, itself | payer_of[period], payers[period])
        yield from rater.months(payers=paid, period=period, over=False).values()


def _by_subscription(month: Month, at: datetime) -> Iterator[SubscriptionEstimate]:
    """Yield each subscription's lines, by currency. One that owes nothing yet has no lines."""
    now_in = _spans_at(month, at)
    lines: dict[tuple[str, str], list[BillLine]] = defaultdict(list)
    for currency, items in month.rated.items.items():
        for item in sorted(items.values(), key=lambda each: each.order):
            parts = item.parts()
            for pk, (units, money) in parts.items():
                if units or money:
                    lines[pk, currency].append(_line(item, units, money, whole=len(parts) == 1))
    currencies: dict[str, list[str]] = defaultdict(list)
    for pk, currency in lines:
        currencies[pk].append(currency)
    for pk, span in now_in.items():
        usage = _usage(month, pk)
        mine = _currency(month, span)
        for currency in dict.fromkeys([mine, *currencies[pk]]):
            here = currency == mine
            yield SubscriptionEstimate(
                span.subscription,
                month.payer_id,
                month.period,
                currency,
                usage,
                lines[pk, currency],
                span.card if here else None,
                month.next_calls(span, at) if here else None,
            )


def _spans_at(month: Month, at: datetime) -> dict[str, Span]:
    """Return subscription id -> its span of the moment, or the last one that is over."""
    found: dict[str, Span] = {}
    for span in month.spans:
        if span.start <= at or span.subscription.pk not in found:
            found[span.subscription.pk] = span
    return found


def _currency(month: Month, span: Span) -> str:
    return span.card.currency if span.card else month.default_currency[span.subscription.provider_id]


def _shared(month: Month) -> Iterator[SharedEstimate]:
    by_card: dict[str, list[Item]] = defaultdict(list)
    for items in month.rated.items.values():
        for item in items.values():
            if item.card is not None and len(item.weights) > 1:
                by_card[item.card.pk].append(item)
    for found in by_card.values():
        card = found[0].card
        assert card is not None
        lines = [
            _line(item, item.quantity, item.amount, whole=True)
            for item in sorted(found, key=lambda each: each.order)
        ]
        yield SharedEstimate(card, month.period, card.currency, lines)


def _line(item: Item, units: Decimal, money: Decimal, *, whole: bool) -> BillLine:
    return BillLine(
        meter=item.meter,
        description=item.description,
        tier=item.tier,
        quantity=units,
        unit=item.unit,
        unit_price=item.unit_price,
        flat_fee=item.flat_fee if whole else ZERO,
        amount=money,
        packages=item.packages if whole else None,
        kind=KINDS[item.kind],
    )


def _customers(month: Month, payer: Organization, at: datetime) -> Iterator[CustomerEstimate]:
    """Yield a payer's month by currency; the use of a subscription stands in each in which it costs something."""
    using = {(_currency(month, span), pk) for pk, span in _spans_at(month, at).items()}
    totals: dict[str, Decimal] = {currency: ZERO for currency, _ in sorted(using)}
    for currency, items in month.rated.items.items():
        for item in items.values():
            totals[currency] = totals.get(currency, ZERO) + item.amount
            using |= {(currency, pk) for pk in item.weights}
    for currency, total in totals.items():
        usage = [_usage(month, pk) for its, pk in using if its == currency]
        yield CustomerEstimate(
            payer, currency, sum(each.calls for each in usage), sum(each.bytes_out for each in usage), total
        )


def _usage(month: Month, subscription_id: str) -> Quantity:
    used = month.used.get(subscription_id, {})
    calls = sum(int(value) for (_, meter), value in used.items() if meter == Meter.REQUESTS)
    # 12 decimals of a GiB tell every byte apart
    sent = sum(round(value * GIB) for (_, meter), value in used.items() if meter == Meter.BYTES_OUT)
    return Quantity(calls=calls, bytes_out=sent)


def _totals(pairs: Iterable[tuple[str, Decimal]]) -> dict[str, Decimal]:
    sums: dict[str, Decimal] = defaultdict(lambda: ZERO)
    for currency, amount in pairs:
        sums[currency] += amount
    return dict(sums)
