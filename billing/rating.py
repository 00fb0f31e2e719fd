"""From usage to a month's items: whose use adds up, segment by segment, tier by tier. Nothing is read or written.

Use of all subscriptions of a payer on one rate card within a region is one *group* (of one subscription, where the
card says so). Its month has segments, in each of which one version and the same overrides hold; a segment's
units are rated from the count where the one before stopped.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal, localcontext
from fractions import Fraction

from billing.items import USAGE, Item, tier_words
from billing.meters import name_of, order_of, shown_unpriced
from billing.models import Price, PriceOverride, PricingModel, RateCard, RateCardVersion, TiersOver
from billing.price_book import PriceBook
from billing.pricing import EXACT, ZERO, PricedLine, Tariff, plain
from billing.timeline import Span

# How a price goes on from what was counted before it began to hold:
# a total picks the tier, so a new price looks at its own units only;
ANEW = (PricingModel.VOLUME, PricingModel.TIERED_PACKAGE_TOTAL)
# what was begun on this card is paid, what was begun on another one is not;
OWN = (PricingModel.FLAT, PricingModel.PACKAGE)
# all others go on from the whole count, also from what a change of plans brought along.

# (API id, meter) -> units
Units = Mapping[tuple[str, str], Decimal]


@dataclass(slots=True)
class _Segment:
    """A group's use while one version and the same overrides hold: meter -> subscription -> API -> units."""

    version: RateCardVersion
    used: dict[str, dict[str, dict[str, Decimal]]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(lambda: defaultdict(Decimal)))
    )
    carried: dict[str, Decimal] = field(default_factory=lambda: defaultdict(Decimal))


@dataclass(slots=True)
class Group:
    """Use that adds up: of one card and region, by one payer or (`scope`) one subscription."""

    card: RateCard
    region: str
    scope: str
    segments: dict[datetime, _Segment] = field(default_factory=dict)

    def segment(self, span: Span) -> _Segment:
        assert span.version is not None
        return self.segments.setdefault(span.segment, _Segment(span.version))


@dataclass(frozen=True, slots=True)
class Counted:
    """Where a meter of a group stands: its count, what was used on this card, and by price that looks at its own."""

    count: Decimal
    own: Decimal
    anew: Mapping[str, Decimal]

    def before(self, model: str, key: str) -> Decimal:
        """Return from where a price of that model and key goes on."""
        if model in ANEW:
            return self.anew.get(key, ZERO)
        return self.own if model in OWN else self.count


@dataclass(slots=True)
class Rated:
    """A payer's items by key, and the workings: how each was made, as JSON. Both by currency."""

    items: dict[str, dict[str, Item]] = field(default_factory=lambda: defaultdict(dict))
    workings: dict[str, list[dict]] = field(default_factory=lambda: defaultdict(list))
    # (override's id, card's id, scope) -> what it takes off, exact, by subscription; a third has no decimals
    discounts: dict[tuple[str, str, str], dict[str, Fraction]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(Fraction))
    )

    # (card's id, scope, meter) -> region -> what was counted so far
    counts: dict[tuple[str, str, str], dict[str, Counted]] = field(default_factory=lambda: defaultdict(dict))

    def item(self, key: str, **fields: object) -> Item:
        """Return the item of that key, made when it is new."""
        currency = str(fields["currency"])
        found = self.items[currency]
        if key not in found:
            found[key] = Item(key=key, **fields)  # type: ignore[arg-type]
        return found[key]


def rate_usage(
    *,
    rated: Rated,
    spans: Sequence[tuple[Span, Units]],
    regions: Mapping[str, str],
    book: PriceBook,
    payer_id: str,
    default_currency: Mapping[str, str],
) -> None:
    """Add the items and workings of a payer's usage. `spans`: each subscription's together and in order.

    `regions`: API id -> region; `default_currency`: provider's id -> currency of its free plans. What costs
    nothing is on the bill, too, so that the counts can be seen.
    """
    groups: dict[tuple[str, str, str], Group] = {}
    for history in _by_subscription(spans):
        _sort_into_groups(history, regions, groups, rated, default_currency)
    for group in groups.values():
        _rate_group(group, rated, book, payer_id)


def _by_subscription(spans: Iterable[tuple[Span, Units]]) -> Iterable[list[tuple[Span, Units]]]:
    found: dict[str, list[tuple[Span, Units]]] = defaultdict(list)
    for span, units in spans:
        found[span.subscription.id].append((span, units))
    return found.values()


def _sort_into_groups(
    history: Sequence[tuple[Span, Units]],
    regions: Mapping[str, str],
    groups: dict[tuple[str, str, str], Group],
    rated: Rated,
    default_currency: Mapping[str, str],
) -> None:
    """Put one subscription's use where it adds up. A change of plans takes its count along, unless it starts anew."""
    count: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    known: dict[str, dict[tuple[str, str], Decimal]] = defaultdict(dict)
    for span, units in history:
        pk = span.subscription.id
        if span.anew:
            count = defaultdict(Decimal)
        if span.card is None or span.trial:
            _not_charged(span, units, regions, rated, default_currency)
            continue
        scope = pk if span.card.tiers_over == TiersOver.SUBSCRIPTION else ""
        here = known[span.card.id]
        for region, meter in {*count, *here}:
            carried = count.get((region, meter), ZERO) - here.get((region, meter), ZERO)
            if carried:
                group = _group(groups, span.card, region, scope)
                group.segment(span).carried[meter] += carried
        with localcontext(EXACT):
            for (api, meter), value in units.items():
                region = regions.get(api, "")
                count[region, meter] += value
                _group(groups, span.card, region, scope).segment(span).used[meter][pk][api] += value
        known[span.card.id] = dict(count)


def _group(groups: dict, card: RateCard, region: str, scope: str) -> Group:
    key = (card.id, region, scope)
    if key not in groups:
        groups[key] = Group(card, region, scope)
    return groups[key]


def _not_charged(
    span: Span, units: Units, regions: Mapping[str, str], rated: Rated, default_currency: Mapping[str, str]
) -> None:
    """Show what a free plan or a trial used."""
    pk, card, version = span.subscription.id, span.card, span.version
    sums: dict[tuple[str, str], dict[str, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
    for (api, meter), value in units.items():
        sums[meter, regions.get(api, "")][api] += value
    prices = version.price_of if version else {}
    for (meter, region), used in sums.items():
        if meter not in prices and not shown_unpriced(meter, set(prices)):
            continue
        currency = card.currency if card else default_currency[span.subscription.provider_id]
        kind = f"trial:{card.id}.{version.number}" if card and version else "usage:"
        item = rated.item(
            f"{kind}:{meter}:{region}:0:{pk}",
            kind=USAGE,
            description=_in_region(f"{name_of(meter)}, {'in the trial' if card else 'not charged'}", region),
            currency=currency,
            card=card,
            scope=pk,
            region=region,
            meter=meter,
            tier=0,
        )
        total = sum(used.values(), ZERO)
        item.add(PricedLine(0, ZERO, None, total, ZERO, ZERO), {pk: total})
        rated.workings[currency].append(
            {
                "kind": "trial" if card else "not charged",
                "from": span.start.isoformat(),
                "until": span.end.isoformat(),
                "region": region,
                "meter": meter,
                "units": {pk: _texts(used)},
            }
        )


def _rate_group(group: Group, rated: Rated, book: PriceBook, payer_id: str) -> None:
    meters = {meter for segment in group.segments.values() for meter in (*segment.used, *segment.carried)}
    for meter in sorted(meters, key=order_of):
        _Meter(group, meter, rated, book, payer_id).rate()


class _Meter:
    """Rates one meter of a group, from the month's first segment to its last."""

    def __init__(self, group: Group, meter: str, rated: Rated, book: PriceBook, payer_id: str) -> None:
        self.group, self.meter, self.rated, self.book, self.payer_id = group, meter, rated, book, payer_id
        self.count = self.own = ZERO
        # price -> (its tariff, its segments' units and discounts), for those that look at their own units only
        self.totals: dict[
            str, tuple[Tariff, list[tuple[Decimal, dict[str, Decimal], PriceOverride | None]]]
        ] = {}
        self.steps: list[dict] = []

    def rate(self) -> None:
        with localcontext(EXACT):
            for start, segment in sorted(self.group.segments.items()):
                self.count += segment.carried.get(self.meter, ZERO)
                used = segment.used.get(self.meter)
                if used:
                    self._segment(start, segment, used)
            for key, (tariff, parts) in self.totals.items():
                self._total(key, tariff, parts)
        card = self.group.card
        anew = {key: sum((each[0] for each in parts), ZERO) for key, (_, parts) in self.totals.items()}
        counted = Counted(self.count, self.own, anew)
        self.rated.counts[card.id, self.group.scope, self.meter][self.group.region] = counted
        if self.steps:
            self.rated.workings[card.currency].append(
                {
                    "kind": "usage",
                    "rate_card": card.id,
                    "region": self.group.region,
                    "subscription": self.group.scope or None,
                    "meter": self.meter,
                    "segments": self.steps,
                }
            )

    def _segment(self, start: datetime, segment: _Segment, used: dict[str, dict[str, Decimal]]) -> None:
        weights = {pk: sum(apis.values(), ZERO) for pk, apis in used.items()}
        units = sum(weights.values(), ZERO)
        override = self.book.override(self.payer_id, self.group.card.id, self.meter, start)
        prices = segment.version.price_of
        price = override if override and override.model else prices.get(self.meter)
        key = price_key(segment.version, override)
        before = self.own if price is not None and price.model in OWN else self.count
        if price is None:
            if shown_unpriced(self.meter, set(prices)):
                line = PricedLine(0, ZERO, None, units, ZERO, ZERO)
                self._add(key, line, weights, f"{name_of(self.meter)}, not charged")
        elif price.model in ANEW:
            tariff = _tariff(price)
            self.totals.setdefault(key, (tariff, []))[1].append((units, weights, override))
            before = ZERO
        else:
            tariff = _tariff(price)
            for line in tariff.difference(before, before + units):
                self._add(key, line, weights, self._words(key, tariff, line))
                if override is not None:
                    self._discount(override, Fraction(line.amount), weights)
        self._note(start, segment, used, before=before, priced=price is not None, override=override)
        self.count += units
        self.own += units

    def _total(
        self, key: str, tariff: Tariff, parts: list[tuple[Decimal, dict[str, Decimal], PriceOverride | None]]
    ) -> None:
        """Rate the units of all segments of one price at once; a discount takes its segments' share of it."""
        total = sum((units for units, _, _ in parts), ZERO)
        weights: dict[str, Decimal] = defaultdict(Decimal)
        for _, shares, _ in parts:
            for pk, share in shares.items():
                weights[pk] += share
        lines = tariff.lines(total)
        for line in lines:
            self._add(key, line, weights, self._words(key, tariff, line))
        amount = Fraction(sum((line.amount for line in lines), ZERO))
        for units, shares, override in parts:
            self._discount(override, amount * Fraction(units) / Fraction(total), shares)

    def _words(self, price: str, tariff: Tariff, line: PricedLine) -> str:
        known, key = self.book.words, (price, self.meter, line.tier)
        if key not in known:
            known[key] = tier_words(self.meter, tariff, line)
        return known[key]

    def _add(self, price: str, line: PricedLine, weights: Mapping[str, Decimal], words: str) -> None:
        group = self.group
        scope = f":{group.scope}" if group.scope else ""
        item = self.rated.item(
            f"usage:{price}:{self.meter}:{group.region}:{line.tier}{scope}",
            kind=USAGE,
            description=_in_region(words, group.region),
            currency=group.card.currency,
            card=group.card,
            scope=group.scope,
            region=group.region,
            meter=self.meter,
            tier=line.tier,
            unit_price=line.unit_price,
        )
        item.add(line, weights)

    def _discount(
        self, override: PriceOverride | None, amount: Fraction, weights: Mapping[str, Decimal]
    ) -> None:
        if override is None or override.percent is None:
            return
        off = amount * Fraction(override.percent) / 100 / Fraction(sum(weights.values(), ZERO))
        taken = self.rated.discounts[override.id, self.group.card.id, self.group.scope]
        for pk, weight in weights.items():
            taken[pk] += off * Fraction(weight)

    def _note(
        self,
        start: datetime,
        segment: _Segment,
        used: dict[str, dict[str, Decimal]],
        *,
        before: Decimal,
        priced: bool,
        override: PriceOverride | None,
    ) -> None:
        self.steps.append(
            {
                "from": start.isoformat(),
                "version": segment.version.number,
                "override": override.id if override else None,
                "priced": priced,
                "counted_before": plain(before),
                "units": {pk: _texts(apis) for pk, apis in used.items()},
            }
        )


def price_key(version: RateCardVersion, override: PriceOverride | None) -> str:
    """Return what tells a price from others of its meter: the card's version, and an override's own tariff."""
    key = f"{version.rate_card_id}.{version.number}"
    return f"{key}o{override.id}" if override and override.model else key


def _tariff(price: Price | PriceOverride) -> Tariff:
    tariff = price.tariff
    assert tariff is not None
    return tariff


def _in_region(words: str, region: str) -> str:
    return f"{words} ({region})" if region else words


def _texts(units: Mapping[str, Decimal]) -> dict[str, str]:
    return {key: plain(value) for key, value in units.items()}
