"""Per unit: every unit at one price."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import ClassVar

from billing.pricing.lines import PricedLine
from billing.pricing.numbers import ZERO
from billing.pricing.tiers import Tier


@dataclass(frozen=True, slots=True)
class PerUnit:
    """One open tier without a flat fee."""

    by_total: ClassVar[bool] = False
    tiers: Sequence[Tier]

    def lines(self, units: Decimal) -> list[PricedLine]:
        (only,) = self.tiers
        return [PricedLine(1, ZERO, None, units, only.unit_price, ZERO)] if units else []
