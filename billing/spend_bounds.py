"""What is taken off or added to a month as a whole: discounts, a maximum, a minimum. Nothing is read or written."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from decimal import Decimal, localcontext
from fractions import Fraction

from billing.fees import active_share
from billing.items import DISCOUNT, MAXIMUM, MINIMUM, Item
from billing.meters import name_of
from billing.models import PriceOverride, RateCard, RateCardVersion
from billing.periods import Period
from billing.pricing import EXACT, ZERO, as_decimal, plain
from billing.rating import Rated
from billing.timeline import Span


def add_discounts(
    rated: Rated, overrides: Mapping[str, PriceOverride], cards: Mapping[str, RateCard]
) -> None:
    """Turn what overrides take off into an item each."""
    for (override_id, card_id, scope), taken in rated.discounts.items():
        override, card = overrides[override_id], cards[card_id]
        assert override.percent is not None
        what = f": {name_of(override.meter)}" if override.meter else ""
        item = rated.item(
            f"discount:{override_id}:{card_id}" + (f":{scope}" if scope else ""),
            kind=DISCOUNT,
            description=f"Discount of {plain(override.percent)} %{what}",
            currency=card.currency,
            card=card,
            scope=scope,
        )
        item.exact = -as_decimal(sum(taken.values(), Fraction(0)))
        item.weights = {pk: as_decimal(part) for pk, part in taken.items()}


def add_bounds(*, rated: Rated, spans: Iterable[Span], period: Period, over: bool) -> None:
    """Add what is missing to cards' minimums, and take off what is above their maximums.

    They are of fees and use together, less discounts, of the customer (or of each subscription, if the card says
    so), by the last version of the month. The minimum is due when the month is `over`, in proportion to the time
    that somebody was there; the maximum holds from the first unit on.
    """
    groups: dict[tuple[str, str], list[Span]] = defaultdict(list)
    for span in spans:
        if span.card is not None and not span.trial and span.paid_until > span.paid_from:
            scope = span.subscription.id if span.card.tiers_over == "subscription" else ""
            groups[span.card.id, scope].append(span)
    for (_, scope), members in groups.items():
        last = max(members, key=lambda span: span.paid_until)
        version = last.version
        if version and (version.maximum is not None or version.minimum is not None):
            _add_bound(rated, members, period, version, scope=scope, over=over)


def _add_bound(
    rated: Rated,
    members: list[Span],
    period: Period,
    version: RateCardVersion,
    *,
    scope: str,
    over: bool,
) -> None:
    card = version.rate_card
    items = [
        i for i in rated.items[card.currency].values() if i.card and i.card.id == card.id and i.scope == scope
    ]
    total = sum((item.amount for item in items), ZERO)
    suffix = f":{card.id}" + (f":{scope}" if scope else "")
    working = {"rate_card": card.id, "subscription": scope or None, "version": version.number}
    if version.maximum is not None and total > version.maximum:
        shares: dict[str, Decimal] = defaultdict(Decimal)
        for item in items:
            for pk, (_, money) in item.parts().items():
                shares[pk] += money
        words = f"Maximum of {plain(version.maximum)} {card.currency}"
        item = _item(rated, f"maximum{suffix}", card, kind=MAXIMUM, description=words, scope=scope)
        item.exact, item.weights = version.maximum - total, dict(shares)
        rated.workings[card.currency].append({"kind": "maximum", **working})
    if version.minimum is None or not over:
        return
    active, whole = active_share(members, period, version.proration)
    with localcontext(EXACT):
        due = version.minimum * active / whole
    if due > total:
        words = f"Minimum of {plain(version.minimum)} {card.currency}, as far as it was not reached"
        item = _item(rated, f"minimum{suffix}", card, kind=MINIMUM, description=words, scope=scope)
        item.exact = due - total
        item.weights = dict.fromkeys((span.subscription.id for span in members), Decimal(1))
        part = {"active": plain(active), "whole": plain(whole)}
        rated.workings[card.currency].append({"kind": "minimum", **working, **part})


def _item(rated: Rated, key: str, card: RateCard, **fields: object) -> Item:
    return rated.item(key, currency=card.currency, card=card, **fields)
