"""Volume: the total picks one tier, and every unit has its price."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import ClassVar

from billing.pricing.lines import PricedLine
from billing.pricing.numbers import ZERO
from billing.pricing.tiers import Tier


def tier_of(tiers: Sequence[Tier], units: Decimal) -> tuple[int, Decimal, Tier]:
    """Return (number, bound below it, tier) of the tier that holds unit number `units`."""
    above = ZERO
    for number, tier in enumerate(tiers, start=1):
        if tier.up_to is None or units <= tier.up_to:
            return number, above, tier
        above = tier.up_to
    raise AssertionError("the last tier is open")


@dataclass(frozen=True, slots=True)
class Volume:
    """A larger total can cost less than a smaller one: the price of earlier units changes with the tier."""

    by_total: ClassVar[bool] = True
    tiers: Sequence[Tier]

    def lines(self, units: Decimal) -> list[PricedLine]:
        if not units:
            return []
        number, above, tier = tier_of(self.tiers, units)
        return [PricedLine(number, above, tier.up_to, units, tier.unit_price, tier.flat_fee)]
