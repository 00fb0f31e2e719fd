"""Proration: the part of a period's fee that falls to a part of the period. Pure."""

from decimal import Decimal, localcontext

from billing.pricing.numbers import EXACT


def prorate(amount: Decimal, active: Decimal | int, whole: Decimal | int) -> Decimal:
    """Return `amount * active / whole`, to 76 digits; round it once, on its line.

    `active` of `whole` are in one unit, seconds or days. ValueError unless 0 <= active <= whole and whole > 0.
    """
    if not 0 <= active <= whole or not whole:
        raise ValueError(f"{active} of {whole} is not a part of a period")
    with localcontext(EXACT):
        return amount * active / whole
