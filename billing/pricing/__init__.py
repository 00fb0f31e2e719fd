"""Pure pricing: units in, priced lines out. Decimal only; nothing here knows a database.

A pricing model is one small class with `lines(units)` in a file of its own; `tariff.py` names them. Upper
bounds of tiers are inclusive: unit number `up_to` is still in the tier. Free units come before the tiers: the
first unit after them is unit number one of the first tier. A flat fee is due once its tier's first unit is
reached, so no use costs nothing.
"""

from billing.pricing.lines import PricedLine
from billing.pricing.numbers import EXACT, LIMIT, MONEY_LIMIT, PRICE_DECIMALS, ZERO, plain, read_decimal
from billing.pricing.tariff import MODELS, Tariff, make_tariff
from billing.pricing.tiers import Tier, read_tiers, write_tiers

__all__ = [
    "EXACT",
    "LIMIT",
    "MODELS",
    "MONEY_LIMIT",
    "PRICE_DECIMALS",
    "ZERO",
    "PricedLine",
    "Tariff",
    "Tier",
    "make_tariff",
    "plain",
    "read_decimal",
    "read_tiers",
    "write_tiers",
]
