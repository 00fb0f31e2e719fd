"""How many more calls an amount of money buys."""

from collections.abc import Callable, Collection
from decimal import Decimal

from billing.next_calls import NextCalls

# more calls than that are no bound
MOST = 10**12


def most_calls(prices: NextCalls | None, money: Decimal, regions: Collection[str] = ("",)) -> int | None:
    """Return how many further calls `money` (0 or more) buys, wherever among `regions` they go.

    That is the largest number up to which every number of calls fits: where a later tier makes all units cheaper,
    the calls before it have to fit, too. None = calls alone cost nothing, or MOST and more.
    """
    if prices is None:
        return None

    def fits(number: int) -> bool:
        return prices.cost(number, regions) <= money

    low = 0
    for end in prices.bends(regions):
        if end >= MOST:
            break
        if not fits(end):
            return _last_that_fits(fits, low, end)
        low = end
    high = low + 1
    while fits(high):
        if high >= MOST:
            return None
        low, high = high, high * 2
    return _last_that_fits(fits, low, high)


def _last_that_fits(fits: Callable[[int], bool], low: int, high: int) -> int:
    """`low` fits, `high` does not, and in between it is once and for all that one more does not."""
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if fits(middle) else (low, middle)
    return low
