"""What payers' months come to so far, whatever was billed of it: the one calculation behind invoices and estimates."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal, localcontext

from access.models import Subscription
from apis.models import Api
from billing.fees import rate_fees
from billing.models import TiersOver
from billing.next_calls import CALL_METERS, CallPrice, NextCalls
from billing.periods import Period
from billing.price_book import PriceBook, load_prices
from billing.pricing import EXACT, ZERO
from billing.rating import Rated, Units, price_key, rate_usage
from billing.spend_bounds import add_bounds, add_discounts
from billing.timeline import Span, is_there, spans_of
from metering.billable import UsageSpan, billable_in


@dataclass(slots=True)
class Month:
    """One payer's month: its items and workings, and what each subscription used."""

    payer_id: str
    period: Period
    default_currency: Mapping[str, str] = field(default_factory=dict)
    rated: Rated = field(default_factory=Rated)
    spans: list[Span] = field(default_factory=list)
    usage: Sequence[tuple[Span, Units]] = ()
    book: PriceBook = field(default_factory=PriceBook)
    _used: dict[str, dict] = field(default_factory=dict, init=False, repr=False)

    @property
    def used(self) -> Mapping[str, Units]:
        """Subscription's id -> (API id, meter) -> what it used. Added up when it is first asked for."""
        if self.usage and not self._used:
            with localcontext(EXACT):
                for span, units in self.usage:
                    sums = self._used.setdefault(span.subscription.id, defaultdict(Decimal))
                    for key, value in units.items():
                        sums[key] += value
        return self._used

    def next_calls(self, span: Span, at: datetime) -> NextCalls | None:
        """Return what further calls in a span are priced by; None = they are free."""
        if span.card is None or span.version is None or span.trial:
            return None
        prices = [price for meter in CALL_METERS if (price := self.price_of(span, meter, at))]
        return NextCalls(span.card.currency, tuple(prices)) if prices else None

    def price_of(self, span: Span, meter: str, at: datetime) -> CallPrice | None:
        """Return what further units of a meter are priced by in a span that has a card; None = they are free."""
        assert span.card is not None
        assert span.version is not None
        override = self.book.override(self.payer_id, span.card.id, meter, at)
        on_card = span.version.price_of.get(meter)
        price = override if override and override.model else on_card
        if price is None or price.tariff is None:
            return None
        key = price_key(span.version, override)
        scope = span.subscription.id if span.card.tiers_over == TiersOver.SUBSCRIPTION else ""
        counted = self.rated.counts.get((span.card.id, scope, meter), {})
        before = {region: each.before(price.model, key) for region, each in counted.items()}
        return CallPrice(price.tariff, before, (override and override.percent) or ZERO)


@dataclass(slots=True)
class Rater:
    """Rates months with one price book; keeps APIs' regions once they are known."""

    book: PriceBook
    default_currency: Mapping[str, str]
    regions: dict[str, str] = field(default_factory=dict)

    def months(
        self,
        *,
        payers: Mapping[str, Sequence[Subscription]],
        period: Period,
        over: bool,
        fees_in_advance_only: bool = False,
    ) -> dict[str, Month]:
        """Return payer's id -> month. 3 queries, and 1 more where an API is met for the first time.

        `payers`: payer's id -> the subscriptions that it pays for, its own and its children's, with all that
        `subscriptions_in` loads. `over`: the month has ended, so minimums are due. `fees_in_advance_only`: the
        coming month, of which nothing but these is known.
        """
        months = {pk: self._spans(pk, members, period) for pk, members in payers.items()}
        used = {} if fees_in_advance_only else self._usage(months.values())
        for month in months.values():
            if not fees_in_advance_only:
                spans = [(span, used.get((span.subscription.id, span.start), {})) for span in month.spans]
                self._rate_usage(month, spans)
            rate_fees(
                rated=month.rated,
                spans=month.spans,
                period=period,
                book=self.book,
                payer_id=month.payer_id,
                in_advance_only=fees_in_advance_only,
            )
            overrides = {o.id: o for o in self.book.overrides.get(month.payer_id, ())}
            add_discounts(month.rated, overrides, self.book.cards)
            if not fees_in_advance_only:
                add_bounds(rated=month.rated, spans=month.spans, period=period, over=over)
        return months

    def _spans(self, payer_id: str, members: Sequence[Subscription], period: Period) -> Month:
        month = Month(payer_id, period, self.default_currency, book=self.book)
        for subscription in members:
            if is_there(subscription, period):
                month.spans += spans_of(subscription, period, self.book, payer_id)
        return month

    def _usage(self, months: Collection[Month]) -> dict[tuple[str, object], Units]:
        spans = [span for month in months for span in month.spans]
        found = billable_in([UsageSpan(s.subscription.id, s.start, s.end) for s in spans])
        self._learn_regions({api for units in found for api, _ in units})
        return {(span.subscription.id, span.start): units for span, units in zip(spans, found, strict=True)}

    def _learn_regions(self, api_ids: Collection[str]) -> None:
        new = set(api_ids) - self.regions.keys()
        if new:
            self.regions |= dict.fromkeys(new, "")
            self.regions |= dict(Api.objects.filter(pk__in=new).values_list("pk", "region"))

    def _rate_usage(self, month: Month, spans: Sequence[tuple[Span, Units]]) -> None:
        month.usage = spans
        rate_usage(
            rated=month.rated,
            spans=spans,
            regions=self.regions,
            book=self.book,
            payer_id=month.payer_id,
            default_currency=self.default_currency,
        )


def make_rater(
    *,
    subscriptions: Sequence[Subscription],
    payer_ids: Collection[str],
    default_currency: Mapping[str, str],
) -> Rater:
    """Return a rater that knows the prices of all plans that these subscriptions are, were or will be on. 6 queries."""
    plans = {s.plan_id for s in subscriptions} | {s.next_plan_id for s in subscriptions if s.next_plan_id}
    for subscription in subscriptions:
        for change in subscription.past_changes:
            plans |= {change.old_plan_id, change.new_plan_id}
    book = load_prices(
        plan_ids=plans, payer_ids=payer_ids, provider_ids={s.provider_id for s in subscriptions}
    )
    return Rater(book, default_currency)
