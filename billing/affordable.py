"""How many more calls an amount of money buys."""

from decimal import Decimal

from billing.estimate import SubscriptionEstimate
from billing.pricing import ZERO, Tariff

# more calls than that are no bound
MOST = 10**12


def further_calls(item: SubscriptionEstimate, money: Decimal) -> int | None:
    """Return how many calls `money` still buys this subscription this month; None = calls alone cost nothing.

    Exact prices, from the tier that the customer's month has reached; the money is of the card's currency.
    """
    if item.next_calls is None:
        return None
    tariff, counted = item.next_calls
    return most_units(tariff, counted, money)


def most_units(tariff: Tariff, units: Decimal, money: Decimal) -> int | None:
    """Return the largest n for which n units after `units` cost no more than `money`; None = MOST and more."""
    before = tariff.total(units)

    def fits(number: int) -> bool:
        return tariff.total(units + number) - before <= money

    # doubling from below: where a later tier makes everything cheaper (volume), the first bound is found
    high = 1
    while fits(high):
        if high >= MOST:
            return None
        high *= 2
    low = high // 2 if money >= ZERO else 0
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if fits(middle) else (low, middle)
    return low
