"""Minimum, maximum and discount of a group's amounts. Pure; amounts are exact."""

from decimal import Decimal, localcontext

from accounts.errors import Refused
from billing.pricing.numbers import EXACT, ZERO, plain

HUNDRED = Decimal(100)


def check_bounds(minimum: Decimal | None, maximum: Decimal | None) -> None:
    """Refused(field `minimum`) if the minimum is greater than the maximum. None = no such bound."""
    if minimum is not None and maximum is not None and minimum > maximum:
        raise Refused(
            f"The minimum {plain(minimum)} is greater than the maximum {plain(maximum)}.", field="minimum"
        )


def to_bounds(amount: Decimal, minimum: Decimal | None, maximum: Decimal | None) -> Decimal:
    """Return what must be added to `amount`: positive up to the minimum, negative down to the maximum, else 0.

    For a month in parts take the amount of the whole month so far, and subtract what was added before.
    """
    if minimum is not None and amount < minimum:
        return EXACT.subtract(minimum, amount)
    if maximum is not None and amount > maximum:
        return EXACT.subtract(maximum, amount)
    return ZERO


def discount(amount: Decimal, percent: Decimal) -> Decimal:
    """Return what `percent` (0 to 100) takes off: `-amount * percent / 100`, exact. Refused(field `percent`)."""
    if not ZERO <= percent <= HUNDRED:
        raise Refused(f"A discount is 0 to 100 percent, not {plain(percent)}.", field="percent")
    with localcontext(EXACT):
        return -amount * percent / HUNDRED
