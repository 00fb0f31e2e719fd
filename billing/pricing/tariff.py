"""A tariff: the price of one meter, and how it is read."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal, localcontext
from typing import Any, ClassVar, Protocol

from accounts.errors import Refused
from billing.pricing.flat import Flat
from billing.pricing.graduated import Graduated
from billing.pricing.lines import PricedLine, pair
from billing.pricing.numbers import EXACT, ZERO, read_decimal
from billing.pricing.package import Package
from billing.pricing.per_unit import PerUnit
from billing.pricing.tiered_package import TieredPackage, TieredPackageTotal
from billing.pricing.tiers import Tier, read_tiers
from billing.pricing.volume import Volume


class Model(Protocol):
    """What each pricing model offers. `by_total`: the total picks one tier, instead of filling one after another."""

    by_total: ClassVar[bool]

    @property
    def tiers(self) -> Sequence[Tier]: ...

    def lines(self, units: Decimal) -> list[PricedLine]:
        """The priced lines of `units` (>= 0), in order of tiers; none for zero units."""


BY_UNIT: dict[str, Callable[[Sequence[Tier]], Model]] = {
    "graduated": Graduated,
    "volume": Volume,
    "per_unit": PerUnit,
    "flat": Flat,
}
BY_PACKAGE: dict[str, Callable[[Sequence[Tier], Decimal], Model]] = {
    "package": Package,
    "tiered_package": TieredPackage,
    "tiered_package_total": TieredPackageTotal,
}
MODELS = (
    "graduated",
    "volume",
    "package",
    "tiered_package",
    "tiered_package_total",
    "per_unit",
    "flat",
)
PACKAGE_MODELS = frozenset(BY_PACKAGE)
ONE_TIER = {"package": "tiered_package", "per_unit": "graduated", "flat": "graduated"}


@dataclass(frozen=True, slots=True)
class Tariff:
    """The price of one meter: free units first, then a model. Units are >= 0; amounts are exact.

    With `flat_at_zero` the first tier's flat fee is due without any use, too (as Lago and OpenMeter do).
    """

    model: Model
    free_units: Decimal = ZERO
    flat_at_zero: bool = False

    def lines(self, units: Decimal) -> list[PricedLine]:
        """Return the free line (tier 0, price 0) and the model's lines. Quantities add up to `units`."""
        if units < 0:
            raise Refused("Units cannot be negative.", field="quantity")
        with localcontext(EXACT):
            free = min(units, self.free_units)
            head = [PricedLine(0, ZERO, self.free_units, free, ZERO, ZERO)] if free else []
            return head + (self.model.lines(units - free) or self._at_zero())

    def pairs(self, before: Decimal, after: Decimal) -> list[tuple[PricedLine, PricedLine]]:
        """Return (line of `before`, line of `after`) for each tier that one of them reaches, in order."""
        return pair(self.lines(before), self.lines(after))

    def difference(self, before: Decimal, after: Decimal) -> list[PricedLine]:
        """Return by tier what takes a bill for `before` units to one for `after`. Tiers that stay are left out.

        The lines are negative where units left a tier: below `before`, or for another tier of a model that
        prices the total (15 at 10 become 16 at 5: -150 and +80).
        """
        if not before and not self.flat_at_zero:  # no line yet to take off
            return [line for line in self.lines(after) if line.changes]
        found = [later.less(earlier) for earlier, later in self.pairs(before, after)]
        return [line for line in found if line.changes]

    @property
    def package_size(self) -> Decimal | None:
        """Units of a package; None where the price is for each unit."""
        return getattr(self.model, "size", None)

    def total(self, units: Decimal) -> Decimal:
        """The exact price of `units`, not rounded."""
        with localcontext(EXACT):
            return sum((line.amount for line in self.lines(units)), ZERO)

    def _at_zero(self) -> list[PricedLine]:
        first = self.model.tiers[0]
        if not self.flat_at_zero or not first.flat_fee:
            return []
        return [PricedLine(1, ZERO, first.up_to, ZERO, first.unit_price, first.flat_fee)]


def make_tariff(
    model: str, tiers: Any, free_units: Any = ZERO, *, package_size: Any = None, flat_at_zero: bool = False
) -> Tariff:
    """Check a price as people and programs give it, and return it.

    `tiers` is a list of `{"up_to", "unit_price", "flat_fee"}` (decimals as text) or of `Tier`; models without
    tiers have one, with an empty up_to. `package_size` is for the models that count packages, units > 0.
    Refused(field `model`, `tiers`, `free_units` or `package_size`) says what is wrong.
    """
    if model not in MODELS:
        raise Refused(f"Unknown pricing model {model!r}. Use one of: {', '.join(MODELS)}.", field="model")
    checked = _check_shape(model, read_tiers(tiers))
    size = _read_size(model, package_size)
    free = read_decimal(free_units, field="free_units", name="free_units")
    made = BY_UNIT[model](checked) if size is None else BY_PACKAGE[model](checked, size)
    return Tariff(made, free, flat_at_zero)


def _check_shape(model: str, tiers: tuple[Tier, ...]) -> tuple[Tier, ...]:
    instead = ONE_TIER.get(model)
    if instead is None:
        return tiers
    if len(tiers) > 1:
        raise Refused(f"A {model} price has one tier. For more, use {instead}.", field="tiers")
    if model == "flat" and tiers[0].unit_price:
        raise Refused(
            "A flat price is the tier's flat_fee; set unit_price to 0, or use graduated.", field="tiers"
        )
    if model != "flat" and tiers[0].flat_fee:
        raise Refused(f"A {model} price has no flat fee. For one, use {instead}.", field="tiers")
    return tiers


def _read_size(model: str, raw: Any) -> Decimal | None:
    missing = raw in (None, "")
    if model not in BY_PACKAGE:
        if not missing:
            raise Refused(
                f"A {model} price has no packages: leave package_size empty, or use package.",
                field="package_size",
            )
        return None
    if missing:
        raise Refused(f"A {model} price needs package_size: how many units one has.", field="package_size")
    size = read_decimal(raw, field="package_size", name="package_size")
    if not size:
        raise Refused("package_size must be greater than 0.", field="package_size")
    return size
