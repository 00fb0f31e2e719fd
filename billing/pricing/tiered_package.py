"""Packages with tiers: counted inside each tier, or on the total."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import ClassVar

from billing.pricing.graduated import slices
from billing.pricing.lines import PricedLine
from billing.pricing.package import packages_of
from billing.pricing.tiers import Tier
from billing.pricing.volume import tier_of


@dataclass(frozen=True, slots=True)
class TieredPackage:
    """Graduated: each tier's units start packages of their own, at that tier's price.

    Bounds are in units. A bound inside a package cuts it: its rest starts a new one in the next tier.
    """

    by_total: ClassVar[bool] = False
    tiers: Sequence[Tier]
    size: Decimal

    def lines(self, units: Decimal) -> list[PricedLine]:
        return [
            PricedLine(
                number,
                above,
                tier.up_to,
                quantity,
                tier.unit_price,
                tier.flat_fee,
                packages_of(quantity, self.size),
            )
            for number, above, tier, quantity in slices(self.tiers, units)
        ]


@dataclass(frozen=True, slots=True)
class TieredPackageTotal:
    """Volume: the total picks one tier, and all packages that the total started have its price."""

    by_total: ClassVar[bool] = True
    tiers: Sequence[Tier]
    size: Decimal

    def lines(self, units: Decimal) -> list[PricedLine]:
        if not units:
            return []
        number, above, tier = tier_of(self.tiers, units)
        packages = packages_of(units, self.size)
        return [PricedLine(number, above, tier.up_to, units, tier.unit_price, tier.flat_fee, packages)]
