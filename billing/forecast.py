"""What the running month will cost if its use goes on as it did: tier by tier, from the prices of now."""

from collections import defaultdict
from datetime import datetime, timedelta
from decimal import Decimal

from billing.currencies import round_money
from billing.estimate import Estimate, SharedEstimate, SubscriptionEstimate
from billing.models import RateCard
from billing.pricing import EXACT, ZERO
from billing.quote import USAGE, BillLine, meter_lines, total_of
from billing.terms import terms_of

# of less use nothing can be said
LEAST = timedelta(days=1)


def forecast(estimate: Estimate) -> dict[str, Decimal] | None:
    """Return currency -> the whole month's sum, or None in its first day, or where nothing is used yet.

    Further use goes on from the tier that is reached; discounts go on in proportion; fees stay, and the card's
    minimum and maximum hold. Not looked at: regions, and changes of plan or price that are to come. No query: an
    estimate has its cards' prices.
    """
    sums: dict[str, Decimal] = defaultdict(lambda: ZERO)
    looked_ahead = False
    shared = {each.card.pk for each in estimate.shared}
    for item in estimate.subscriptions:
        sums[item.currency] += item.subtotal  # its parts of what it shares, too
        if item.card is None or item.card.pk not in shared:
            begun = max(item.period.start, item.subscription.started_at)
            ended = item.subscription.ended_at is not None
            more = None if ended else _more(item, item.card, begun, estimate.at)
            looked_ahead |= more is not None
            sums[item.currency] += more or ZERO
    for each in estimate.shared:
        more = _more(each, each.card, each.period.start, estimate.at)
        looked_ahead |= more is not None
        sums[each.currency] += more or ZERO
    return dict(sums) if looked_ahead else None


def _more(
    item: SubscriptionEstimate | SharedEstimate, card: RateCard | None, begun: datetime, at: datetime
) -> Decimal | None:
    """What the rest of the month adds; None = too early to say, or there is no price."""
    passed = at - begun
    if passed < LEAST or card is None:
        return None
    terms = terms_of(card)
    rest = Decimal((item.period.end - at).total_seconds()) / Decimal(passed.total_seconds())
    used: dict[str, Decimal] = defaultdict(lambda: ZERO)
    for line in item.lines:
        if line.kind == USAGE:
            used[line.meter] = EXACT.add(used[line.meter], line.quantity)
    further: list[BillLine] = []
    for meter, units in used.items():
        after = (units * (1 + rest)).quantize(Decimal("0.000001"))
        further += meter_lines(
            meter, terms.tariffs.get(meter), before=units, after=after, currency=terms.currency
        )
    more = round_money(total_of(further) * _kept(item.lines), terms.currency)
    whole = item.subtotal + more
    if terms.maximum is not None:
        whole = min(whole, max(terms.maximum, item.subtotal))
    if terms.minimum is not None:
        whole = max(whole, terms.minimum)
    return whole - item.subtotal


def _kept(lines: list[BillLine]) -> Decimal:
    """The part of list prices that is left after discounts so far, 0 to 1."""
    usage = sum((line.amount for line in lines if line.kind == USAGE), ZERO)
    off = sum((line.amount for line in lines if line.kind == "discount"), ZERO)
    return max(ZERO, min(Decimal(1), 1 + off / usage)) if usage else Decimal(1)
