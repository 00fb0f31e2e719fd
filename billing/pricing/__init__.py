"""Pure pricing: units in, priced lines out. Decimal only; nothing here knows a database.

A pricing model is one small class with `lines(units)` in a file of its own; `tariff.py` names them. Upper
bounds of tiers are inclusive: unit number `up_to` is still in the tier. Free units come before the tiers: the
first unit after them is unit number one of the first tier. A flat fee is due once its tier's first unit is
reached, so no use costs nothing.
"""

from billing.pricing.bounds import check_bounds, discount, to_bounds
from billing.pricing.increments import (
    HTTP_INCREMENT,
    STREAM_INCREMENT,
    WEBSOCKET_INCREMENT,
    units_of_size,
)
from billing.pricing.lines import PricedLine
from billing.pricing.numbers import (
    EXACT,
    LIMIT,
    MONEY_LIMIT,
    PRICE_DECIMALS,
    ZERO,
    as_decimal,
    plain,
    read_decimal,
)
from billing.pricing.proration import prorate
from billing.pricing.tariff import MODELS, PACKAGE_MODELS, Tariff, make_tariff
from billing.pricing.tiers import Tier, read_tiers, write_tiers

__all__ = [
    "EXACT",
    "HTTP_INCREMENT",
    "LIMIT",
    "MODELS",
    "MONEY_LIMIT",
    "PACKAGE_MODELS",
    "PRICE_DECIMALS",
    "STREAM_INCREMENT",
    "WEBSOCKET_INCREMENT",
    "ZERO",
    "PricedLine",
    "Tariff",
    "Tier",
    "as_decimal",
    "check_bounds",
    "discount",
    "make_tariff",
    "plain",
    "prorate",
    "read_decimal",
    "read_tiers",
    "to_bounds",
    "units_of_size",
    "write_tiers",
]
