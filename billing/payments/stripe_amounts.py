"""Amounts as Stripe writes them: whole numbers of the smallest unit, with Stripe's own exceptions (pure)."""

from decimal import Decimal

from billing.currencies import DECIMALS

# Stripe counts these otherwise than ISO 4217 does (docs.stripe.com/currencies)
_STRIPE_DECIMALS = {"ISK": 2, "UGX": 2, "MGA": 0}


def _decimals(currency: str) -> int:
    return _STRIPE_DECIMALS.get(currency, DECIMALS[currency])


def to_minor(amount: Decimal, currency: str) -> int:
    """Return 1999 for 19.99 USD. ValueError for an amount that Stripe cannot take, such as 1.005 BHD."""
    scaled = amount.scaleb(_decimals(currency))
    # of currencies with three decimals Stripe takes only amounts whose last one is 0
    step = 10 if _decimals(currency) == 3 else 1
    if scaled % step:
        raise ValueError(f"{amount} {currency} is finer than Stripe takes")
    return int(scaled)


def from_minor(amount: int, currency: str) -> Decimal:
    """Return 19.99 for 1999 of USD."""
    return Decimal(amount).scaleb(-_decimals(currency))
