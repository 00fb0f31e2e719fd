"""A subscription's month, cut where something changes: plan, card, version, override, the end of its trial."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from access.models import CountersOnChange, Subscription, UsagePlan
from billing.models import RateCard, RateCardVersion
from billing.periods import Period
from billing.price_book import PriceBook, Stretch, version_at

MINUTE = timedelta(minutes=1)


@dataclass(slots=True)  # not frozen: it takes twice as long to make one, and nobody changes it
class Span:
    """A part of a subscription's month in which nothing changes. Its spans cover the month without a gap.

    `start` and `end` are whole minutes, which usage is counted by; `paid_from` and `paid_until` are when the
    subscription was there in it, to the second (equal = it was not). `segment` is when its prices began: spans of
    other subscriptions with the same one are rated together. `anew` = its counts start anew here.
    """

    subscription: Subscription
    plan: UsagePlan
    start: datetime
    end: datetime
    card: RateCard | None
    version: RateCardVersion | None
    trial: bool
    anew: bool
    segment: datetime
    paid_from: datetime
    paid_until: datetime


def is_there(subscription: Subscription, period: Period) -> bool:
    """Whether it was there at all in the period; a request that was declined ends where it began."""
    started, ended = subscription.started_at, ends_at(subscription)
    return started < period.end and (ended is None or (ended > period.start and ended > started))


def ends_at(subscription: Subscription) -> datetime | None:
    """Return when it ended or, as far as is known, will end."""
    return subscription.ended_at or subscription.cancel_at


def spans_of(subscription: Subscription, period: Period, book: PriceBook, payer_id: str) -> list[Span]:
    """Return the spans of a subscription's month, in order. Load it by `subscriptions_in`."""
    there_from = max(subscription.started_at, period.start)
    there_until = min(ends_at(subscription) or period.end, period.end)
    trial_end = _trial_end(subscription, book)
    found: list[Span] = []
    for first, until, plan, anew in _plans(subscription, period):
        for stretch in book.stretches(plan.id, first, until):
            moments = _moments(stretch, trial_end, book, payer_id)
            for start, end in pairwise(moments):
                found.append(
                    Span(
                        subscription,
                        plan,
                        start,
                        end,
                        stretch.card,
                        stretch.version,
                        trial=trial_end is not None and start < trial_end,
                        anew=anew and start == first,
                        segment=_segment(stretch.card, start, period, book, payer_id),
                        paid_from=max(start, there_from),
                        paid_until=max(min(end, there_until), start, there_from),
                    )
                )
    return found


def _plans(
    subscription: Subscription, period: Period
) -> Iterator[tuple[datetime, datetime, UsagePlan, bool]]:
    """Yield (from, until, plan, whether counts start anew): its plans of the month, the coming one included."""
    changes = subscription.past_changes
    plan = changes[0].old_plan if changes else subscription.plan
    steps = [(c.at, c.new_plan, c.counters == CountersOnChange.RESET) for c in changes]
    coming, at = subscription.next_plan, subscription.next_plan_at
    if coming is not None and at is not None and not subscription.next_plan_waits:
        steps.append((at, coming, coming.counters_on_change == CountersOnChange.RESET))
    start, anew = period.start, False
    for moment, following, reset in steps:
        if moment >= period.end:
            break
        if moment > start:
            yield start, moment, plan, anew
        if moment >= start:
            start, anew = moment, reset and moment > period.start
        plan = following
    yield start, period.end, plan, anew


def _trial_end(subscription: Subscription, book: PriceBook) -> datetime | None:
    """Return when its trial ends: as its first plan's card said when it started."""
    changes = subscription.past_changes
    first = changes[0].old_plan_id if changes else subscription.plan_id
    card = book.card_at(first, subscription.started_at)
    days = version_at(card, subscription.started_at).trial_days if card else 0
    if not days:
        return None
    end = subscription.started_at + timedelta(days=days)
    whole = end.replace(second=0, microsecond=0)
    return whole if whole == end else whole + MINUTE


def _moments(stretch: Stretch, trial_end: datetime | None, book: PriceBook, payer_id: str) -> list[datetime]:
    inner = set(book.moments(payer_id, stretch.card.id)) if stretch.card else set()
    if trial_end:
        inner.add(trial_end)
    between = sorted(moment for moment in inner if stretch.start < moment < stretch.end)
    return [stretch.start, *between, stretch.end]


def _segment(card: RateCard | None, at: datetime, period: Period, book: PriceBook, payer_id: str) -> datetime:
    """Return when the prices that hold at a moment of the month began to hold: not before the month did."""
    if card is None:
        return at
    begun = [v.effective_from for v in card.loaded_versions] + book.moments(payer_id, card.id)
    return max((moment for moment in begun if period.start < moment <= at), default=period.start)
