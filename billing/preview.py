"""What a change of plan or an end would cost, shown before anybody clicks. Nothing is written.

Only base fees are certain beforehand; what is used later is priced as always. A fee that begins or ends in the middle
of a month is shared as its rate card says: by the second, by the day, or not at all.
"""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from access.models import Subscription, UsagePlan
from billing.currencies import round_money
from billing.fees import share
from billing.models import RateCard
from billing.periods import Period, month_of
from billing.pricing import ZERO, prorate


@dataclass(frozen=True, slots=True)
class PreviewLine:
    """A rounded amount of money and what it is for; negative = given back."""

    words: str
    amount: Decimal
    currency: str


@dataclass(frozen=True, slots=True)
class Preview:
    """What the base fees of the running month come to, if it happens at `at`."""

    at: datetime
    period: Period
    lines: list[PreviewLine]

    @property
    def totals(self) -> dict[str, Decimal]:
        """Currency -> sum."""
        sums: dict[str, Decimal] = defaultdict(lambda: ZERO)
        for line in self.lines:
            sums[line.currency] += line.amount
        return dict(sums)


def preview_change(*, subscription: Subscription, plan: UsagePlan, at: datetime) -> Preview:
    """Say what a change to `plan` at `at` does to the month's base fees: the rest of the new, less that of the old.

    Load `provider` and both plans' `price__rate_card__versions` beforehand: nothing is asked here then.
    """
    period = month_of(at, subscription.provider.timezone)
    lines = _fee(plan, period, at, period.end) + [
        PreviewLine(line.words, -line.amount, line.currency)
        for line in _fee(subscription.plan, period, at, period.end)
    ]
    return Preview(at, period, lines)


def preview_end(*, subscription: Subscription, at: datetime) -> Preview:
    """Say what base fees of its last month are owed if the subscription ends at `at`. 1 query.

    Load `provider` and the plan's `price__rate_card__versions` beforehand.
    """
    # an end at midnight is the end of the month before it
    period = month_of(at - timedelta(microseconds=1), subscription.provider.timezone)
    start = max(period.start, subscription.started_at)
    changes = subscription.plan_changes.filter(at__gt=start, at__lt=at).select_related(
        "old_plan__price__rate_card"
    )
    lines: list[PreviewLine] = []
    for change in changes.order_by("at"):
        lines += _fee(change.old_plan, period, start, change.at)
        start = change.at
    return Preview(at, period, lines + _fee(subscription.plan, period, start, at))


def _fee(plan: UsagePlan, period: Period, start: datetime, end: datetime) -> list[PreviewLine]:
    """Return the part of the plan's monthly base fee that falls to `start` until `end`; none if there is no fee."""
    price = getattr(plan, "price", None)
    card: RateCard | None = price.rate_card if price else None
    version = card.version_at(start) if card else None
    if card is None or version is None or not version.base_fee:
        return []
    active, whole = share(start, end, period, version.proration)
    amount = round_money(prorate(version.base_fee, active, whole), card.currency)
    return [PreviewLine(f"{plan}, {_days(end - start)} of {period.label}", amount, card.currency)]


def _days(span: timedelta) -> str:
    """`9.5 days`, or `23 hours` of less than one."""
    whole = span >= timedelta(days=1)
    count = f"{span / timedelta(days=1 if whole else 1 / 24):.1f}".removesuffix(".0")
    return f"{count} {'day' if whole else 'hour'}{'' if count == '1' else 's'}"
