"""A month replayed with other prices: what each customer would have paid. Nothing is written.

The same code rates both, what was and what would have been; only the rate card's versions are other ones.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Prefetch, Q
from django.utils.timezone import now

from access.models import Subscription
from accounts.errors import Refused
from accounts.models import Organization
from billing.expected import Month, make_rater
from billing.models import RateCard, RateCardVersion
from billing.payers import all_payers, by_payer, load_payers
from billing.periods import Period, month_of
from billing.pricing import ZERO
from billing.queries import default_currency, subscriptions_in

# customers at once: memory holds their month, and one row of each customer of the run
CUSTOMERS_AT_ONCE = 500
_TENTH = Decimal("0.1")


@dataclass(frozen=True, slots=True)
class CustomerChange:
    """What a customer (a payer, with all that it pays for) owes for the month by the card: as it was, and would be."""

    customer_id: str
    customer: str
    before: Decimal
    after: Decimal

    @property
    def difference(self) -> Decimal:
        return self.after - self.before

    @property
    def percent(self) -> Decimal | None:
        """The difference in percent, one decimal; None where nothing was paid before."""
        return (self.difference * 100 / self.before).quantize(_TENTH) if self.before else None


@dataclass(frozen=True, slots=True)
class Simulation:
    """Customers with use or fees by the card, who would pay most more first. Amounts are before tax."""

    rate_card: RateCard
    version: RateCardVersion
    period: Period
    customers: list[CustomerChange]

    @property
    def before(self) -> Decimal:
        return sum((each.before for each in self.customers), ZERO)

    @property
    def after(self) -> Decimal:
        return sum((each.after for each in self.customers), ZERO)

    @property
    def difference(self) -> Decimal:
        return self.after - self.before

    @property
    def more(self) -> int:
        """How many would pay more."""
        return sum(each.difference > 0 for each in self.customers)

    @property
    def less(self) -> int:
        return sum(each.difference < 0 for each in self.customers)


def simulate(
    *,
    rate_card: RateCard,
    version: RateCardVersion | None = None,
    instead: RateCard | None = None,
    period: Period | None = None,
) -> Simulation:
    """Replay a month (default: the last) of everybody who was billed by `rate_card`.

    The prices are those of `version` (of this card; default: its newest), or of the newest version of another card
    (`instead`, such as a draft that no plan has). They hold for the whole month. Refused(field `rate_card` or
    `month`). Queries: a constant number for 500 customers.
    """
    provider = rate_card.organization
    period = period or month_of(now(), provider.timezone).previous()
    if period.start > now():
        raise Refused(f"{period.label} has not begun yet.", field="month")
    chosen = _chosen(rate_card, version, instead)
    rows: list[CustomerChange] = []
    payers = all_payers(provider=provider)
    for start in range(0, len(payers), CUSTOMERS_AT_ONCE):
        rows += _replay(rate_card, chosen, period, payers[start : start + CUSTOMERS_AT_ONCE])
    rows.sort(key=lambda row: (-row.difference, row.customer, row.customer_id))
    return Simulation(rate_card, chosen, period, rows)


def _chosen(
    rate_card: RateCard, version: RateCardVersion | None, instead: RateCard | None
) -> RateCardVersion:
    card = instead or rate_card
    if card.organization_id != rate_card.organization_id:
        raise Refused("Choose a rate card of the same provider.", field="rate_card")
    if card.currency != rate_card.currency:
        raise Refused(
            f"{card} is in {card.currency}, and {rate_card} in {rate_card.currency}: amounts in different currencies "
            "cannot be compared.",
            field="rate_card",
        )
    if version is not None and version.rate_card_id != card.pk:
        raise Refused(f"{card} has no such version.", field="version", code="unknown")
    found = version or card.versions.last()
    assert found is not None, "every card has a version"
    return found


def _replay(
    rate_card: RateCard, version: RateCardVersion, period: Period, payer_ids: Collection[str]
) -> Iterator[CustomerChange]:
    payer_of = load_payers(payer_ids).of(period.end)
    found = _subscriptions(rate_card, period, payer_of)
    rater = make_rater(
        subscriptions=found,
        payer_ids=payer_ids,
        default_currency=default_currency([rate_card.organization_id]),
    )
    paid, over = by_payer(found, payer_of, payer_ids), now() >= period.end
    before = rater.months(payers=paid, period=period, over=over)
    if rate_card.pk not in rater.book.cards:
        return
    rater.book.cards[rate_card.pk] = _with_prices_of(rate_card, version)
    rater.book.known_stretches.clear()  # they name the card as it is
    after = rater.months(payers=paid, period=period, over=over)
    names = dict(Organization.objects.filter(pk__in=payer_ids).values_list("pk", "name"))
    for payer_id in paid:
        was, would_be = _total(before[payer_id], rate_card), _total(after[payer_id], rate_card)
        if was is not None or would_be is not None:
            yield CustomerChange(payer_id, names[payer_id], was or ZERO, would_be or ZERO)


def _subscriptions(rate_card: RateCard, period: Period, customers: Collection[str]) -> list[Subscription]:
    found = subscriptions_in(provider=rate_card.organization).filter(
        Q(ended_at__isnull=True) | Q(ended_at__gt=period.start),
        organization_id__in=customers,
        started_at__lt=period.end,
    )
    return list(found)


def _with_prices_of(rate_card: RateCard, version: RateCardVersion) -> RateCard:
    """Return the card as if it had that one version, of itself or of another card. It must not be saved."""
    only = RateCardVersion.objects.filter(pk=version.pk).prefetch_related("prices")
    card = RateCard.objects.prefetch_related(Prefetch("versions", only)).get(pk=version.rate_card_id)
    (kept,) = card.versions.all()
    card.pk, card.name = rate_card.pk, rate_card.name
    kept.rate_card = card
    return card


def _total(month: Month, rate_card: RateCard) -> Decimal | None:
    """Return what a payer owes by the card; None = it is not on the bill at all."""
    items = [
        item.amount
        for item in month.rated.items.get(rate_card.currency, {}).values()
        if item.card is not None and item.card.pk == rate_card.pk
    ]
    return sum(items, ZERO) if items else None
