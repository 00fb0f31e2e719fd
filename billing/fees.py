"""Base fees of a month, whole or in part, as items. Nothing is read or written."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal, localcontext
from fractions import Fraction
from zoneinfo import ZoneInfo

from billing.items import FEE, QUANTITY, Item
from billing.models import Proration, RateCardVersion
from billing.periods import Period
from billing.price_book import PriceBook
from billing.pricing import EXACT, ZERO, plain, prorate
from billing.rating import Rated
from billing.timeline import Span

DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Part:
    """A time that a subscription was there and paid for, of a month: `active` of `whole` seconds or days."""

    span: Span
    active: Decimal
    whole: Decimal


def rate_fees(
    *,
    rated: Rated,
    spans: Iterable[Span],
    period: Period,
    book: PriceBook,
    payer_id: str,
    in_advance_only: bool = False,
) -> None:
    """Add the base fees of a payer's subscriptions. A trial pays none.

    `in_advance_only`: those of cards that bill the coming month's fee.
    """
    for part in fee_parts(spans, period):
        version = part.span.version
        if version is None or not version.base_fee or (in_advance_only and not version.base_fee_in_advance):
            continue
        if part.active:
            _add(rated, part, version, book, payer_id)


def fee_parts(spans: Iterable[Span], period: Period) -> list[Part]:
    """Return what is paid for of each span, by its version's proration; trials and free plans are left out."""
    histories: dict[str, list[Span]] = defaultdict(list)
    for span in spans:
        if span.paid_until > span.paid_from:
            histories[span.subscription.id].append(span)
    return [part for history in histories.values() for part in _parts(history, period)]


def active_share(spans: Sequence[Span], period: Period, proration: str) -> tuple[Decimal, Decimal]:
    """Return (active, whole): for how much of the month at least one of the spans was there, trials aside."""
    times = sorted((s.paid_from, s.paid_until) for s in spans if not s.trial and s.paid_until > s.paid_from)
    if not times or proration == Proration.NONE:
        return Decimal(bool(times)), Decimal(1)
    if proration == Proration.DAY:
        zone = ZoneInfo(period.timezone)
        days = {day for start, end in times for day in _days(start, end, zone)}
        return Decimal(len(days)), Decimal(_days_of(period, zone))
    active, reached = timedelta(), period.start
    for start, end in times:
        active += max(end - max(start, reached), timedelta())
        reached = max(reached, end)
    return _seconds(active), _seconds(period.end - period.start)


def share(start: datetime, end: datetime, period: Period, proration: str) -> tuple[Decimal, Decimal]:
    """Return (active, whole) of a time within a month: seconds, or the days that it touches, or all of it."""
    if proration == Proration.NONE:
        return Decimal(1), Decimal(1)
    if proration == Proration.DAY:
        zone = ZoneInfo(period.timezone)
        return Decimal(len(_days(start, end, zone)) if end > start else 0), Decimal(_days_of(period, zone))
    return _seconds(end - start), _seconds(period.end - period.start)


def _parts(history: list[Span], period: Period) -> Iterable[Part]:
    """One subscription's, in order. A day belongs to the last span that it sees."""
    zone = ZoneInfo(period.timezone)
    for span, following in zip(history, [*history[1:], None], strict=True):
        if span.trial or span.version is None:
            continue
        if span.version.proration == Proration.NONE:
            yield Part(span, Decimal(span is _paid_whole(history)), Decimal(1))
        elif span.version.proration == Proration.DAY:
            days = _days(span.paid_from, span.paid_until, zone)
            if following and days[-1] == _days(following.paid_from, following.paid_until, zone)[0]:
                days = days[:-1]
            yield Part(span, Decimal(len(days)), Decimal(_days_of(period, zone)))
        else:
            whole = _seconds(period.end - period.start)
            yield Part(span, _seconds(span.paid_until - span.paid_from), whole)


def _paid_whole(history: list[Span]) -> Span | None:
    """Without proration the last plan's fee is paid, at the price with which its time in the month began."""
    last = history[-1]
    paid: Span | None = None
    for span in reversed(history):
        if span.plan != last.plan or span.card != last.card or span.trial:
            break
        paid = span
    return paid


def _add(rated: Rated, part: Part, version: RateCardVersion, book: PriceBook, payer_id: str) -> None:
    span, card = part.span, part.span.card
    assert card is not None
    pk = span.subscription.id
    with localcontext(EXACT):
        exact = prorate(version.base_fee, part.active, part.whole)
        item: Item = rated.item(
            f"fee:{pk}:{card.id}.{version.number}",
            kind=FEE,
            description="Base fee",
            currency=card.currency,
            card=card,
            scope=pk if card.tiers_over == "subscription" else "",
            unit_price=version.base_fee,
        )
        item.quantity += (part.active / part.whole).quantize(QUANTITY)
        item.exact += exact
        item.weigh({pk: Decimal(1)})
        override = book.override(payer_id, card.id, "", span.start)
        if override and override.percent is not None:
            fee = Fraction(version.base_fee) * Fraction(part.active) / Fraction(part.whole)
            rated.discounts[override.id, card.id, item.scope][pk] += fee * Fraction(override.percent) / 100
    rated.workings[card.currency].append(
        {
            "kind": "fee",
            "subscription": pk,
            "rate_card": card.id,
            "version": version.number,
            "override": override.id if override else None,
            "from": span.paid_from.isoformat(),
            "until": span.paid_until.isoformat(),
            "proration": version.proration,
            "active": plain(part.active),
            "whole": plain(part.whole),
        }
    )


def _days(start: datetime, end: datetime, zone: ZoneInfo) -> list[date]:
    """Return the days that [start, end) touches."""
    first, last = start.astimezone(zone).date(), (end - timedelta(microseconds=1)).astimezone(zone).date()
    return [first + DAY * n for n in range((last - first).days + 1)]


def _days_of(period: Period, zone: ZoneInfo) -> int:
    return (period.end.astimezone(zone).date() - period.start.astimezone(zone).date()).days


def _seconds(length: timedelta) -> Decimal:
    return Decimal(length // timedelta(microseconds=1)) / 1_000_000 if length else ZERO
