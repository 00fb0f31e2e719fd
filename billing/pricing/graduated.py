"""Graduated: each unit at the price of the tier that it falls in."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import ClassVar

from billing.pricing.lines import PricedLine
from billing.pricing.numbers import ZERO
from billing.pricing.tiers import Tier


def slices(tiers: Sequence[Tier], units: Decimal) -> Iterator[tuple[int, Decimal, Tier, Decimal]]:
    """Yield (tier's number, bound below it, tier, units in it) for each tier that `units` reach."""
    above = ZERO
    for number, tier in enumerate(tiers, start=1):
        if units <= above:
            return
        top = units if tier.up_to is None else min(units, tier.up_to)
        yield number, above, tier, top - above
        above = top


@dataclass(frozen=True, slots=True)
class Graduated:
    """AWS's way. Reaching a tier never changes the price of earlier units."""

    by_total: ClassVar[bool] = False
    tiers: Sequence[Tier]

    def lines(self, units: Decimal) -> list[PricedLine]:
        return [
            PricedLine(number, above, tier.up_to, quantity, tier.unit_price, tier.flat_fee)
            for number, above, tier, quantity in slices(self.tiers, units)
        ]
