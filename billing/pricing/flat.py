"""Flat: one price however much is used."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import ClassVar

from billing.pricing.lines import PricedLine
from billing.pricing.numbers import ZERO
from billing.pricing.tiers import Tier


@dataclass(frozen=True, slots=True)
class Flat:
    """One open tier with a flat fee only, due with the first unit that is not free.

    No use costs nothing, as with every tier's flat fee. What is owed without any use is the base fee.
    """

    by_total: ClassVar[bool] = False
    tiers: Sequence[Tier]

    def lines(self, units: Decimal) -> list[PricedLine]:
        (only,) = self.tiers
        return [PricedLine(1, ZERO, None, units, ZERO, only.flat_fee)] if units else []
