"""Priced lines: what a model makes of units, and how two of the same tier are subtracted."""

from dataclasses import dataclass
from decimal import Decimal

from billing.pricing.numbers import EXACT, ZERO


@dataclass(slots=True)  # not frozen: it takes twice as long to make one, and nobody changes it
class PricedLine:
    """`quantity` units (or the `packages` they started) at `unit_price`, plus `flat_fee`. `amount` is exact.

    `tier` counts from 1; 0 = the free units. The tier holds the units above number `above` up to `up_to`.
    `packages` is None where the price is for each unit. In a difference, quantity, packages and flat fee may
    be negative.
    """

    tier: int
    above: Decimal
    up_to: Decimal | None
    quantity: Decimal
    unit_price: Decimal
    flat_fee: Decimal
    packages: Decimal | None = None

    @property
    def amount(self) -> Decimal:
        return EXACT.fma(self.charged, self.unit_price, self.flat_fee)

    @property
    def charged(self) -> Decimal:
        """What the unit price is multiplied by: packages, or units."""
        return self.quantity if self.packages is None else self.packages

    @property
    def changes(self) -> bool:
        """Whether a difference has anything to say; its amount may be 0."""
        return bool(self.quantity or self.flat_fee or self.packages)

    def less(self, earlier: "PricedLine | None") -> "PricedLine":
        """Return this line without what an earlier one of the same tier and tariff holds."""
        if earlier is None:
            return self
        packages = self.packages
        return PricedLine(
            self.tier,
            self.above,
            self.up_to,
            EXACT.subtract(self.quantity, earlier.quantity),
            self.unit_price,
            EXACT.subtract(self.flat_fee, earlier.flat_fee),
            None if packages is None else EXACT.subtract(packages, earlier.packages or ZERO),
        )

    def none_of(self) -> "PricedLine":
        """Return this tier's line for no units: from it, a tier that was left can be subtracted."""
        packages = None if self.packages is None else ZERO
        return PricedLine(self.tier, self.above, self.up_to, ZERO, self.unit_price, ZERO, packages)


def pair(before: list[PricedLine], after: list[PricedLine]) -> list[tuple[PricedLine, PricedLine]]:
    """Return (earlier, later) by tier, in order of tiers; a tier that only one side has is paired with none of it."""
    earlier, later = {line.tier: line for line in before}, {line.tier: line for line in after}
    return [
        (
            earlier[tier] if tier in earlier else later[tier].none_of(),
            later[tier] if tier in later else earlier[tier].none_of(),
        )
        for tier in sorted(earlier.keys() | later.keys())
    ]
