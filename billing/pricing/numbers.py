"""Numbers: how they are read, kept exact, and written."""

from decimal import Context, Decimal, InvalidOperation, localcontext
from fractions import Fraction
from typing import Any

from accounts.errors import Refused

ZERO = Decimal(0)
PRICE_DECIMALS = 12
# Enough for 10**18 units at 12 decimals times a price of 12 decimals, exactly.
EXACT = Context(prec=76)
# Columns hold quantities below 10**18 and amounts below 10**12.
LIMIT = Decimal(10) ** 18
MONEY_LIMIT = Decimal(10) ** 12


def read_decimal(raw: Any, *, field: str, name: str, below: Decimal = LIMIT) -> Decimal:
    """Return a number from 0 to less than `below`, with at most 12 decimals; Refused(field) otherwise."""
    try:
        value = Decimal(str(raw).strip())
    except InvalidOperation:
        raise Refused(f"{name} must be a number, not {raw!r}.", field=field) from None
    if not value.is_finite() or value < 0:
        raise Refused(f"{name} must be a number of at least 0, not {raw}.", field=field)
    if value >= below:
        raise Refused(f"{name} must be less than {below:,f}.", field=field)
    with localcontext(EXACT):
        if value.quantize(Decimal(1).scaleb(-PRICE_DECIMALS)) != value:
            raise Refused(f"{name} has more than {PRICE_DECIMALS} decimals.", field=field)
    return value


def as_decimal(value: Fraction) -> Decimal:
    """A fraction as a decimal: exact where it has one, else with 76 digits."""
    return EXACT.divide(Decimal(value.numerator), Decimal(value.denominator))


def plain(value: Decimal) -> str:
    """A decimal as text without exponent and without trailing zeros: `0.0000035`, `10`."""
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
