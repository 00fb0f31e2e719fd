"""Packages: a started package is paid whole."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import ClassVar

from billing.pricing.lines import PricedLine
from billing.pricing.numbers import ZERO
from billing.pricing.tiers import Tier


def packages_of(units: Decimal, size: Decimal) -> Decimal:
    """Return how many packages of `size` units were started; none for no units."""
    whole, rest = divmod(units, size)
    return whole + 1 if rest else whole


@dataclass(frozen=True, slots=True)
class Package:
    """One price for each started package."""

    by_total: ClassVar[bool] = False
    tiers: Sequence[Tier]
    size: Decimal

    def lines(self, units: Decimal) -> list[PricedLine]:
        if not units:
            return []
        (only,) = self.tiers
        return [
            PricedLine(1, ZERO, None, units, only.unit_price, only.flat_fee, packages_of(units, self.size))
        ]
