"""Pure pricing: units in, priced lines out. Decimal only; nothing here knows a database.

A pricing model is one small class with `lines(units)`; `MODELS` names them. Upper bounds of tiers are
inclusive: unit number `up_to` is still in the tier. Free units come before the tiers: the first unit after
them is unit number one of the first tier. A tier's flat fee is due once its first unit is reached, so no use
costs nothing.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Context, Decimal, InvalidOperation, localcontext
from typing import Any, Protocol

from accounts.errors import Refused

ZERO = Decimal(0)
PRICE_DECIMALS = 12
# Enough for 10**18 units at 12 decimals times a price of 12 decimals, exactly.
EXACT = Context(prec=76)
# Columns hold quantities below 10**18 and amounts below 10**12.
LIMIT = Decimal(10) ** 18
MONEY_LIMIT = Decimal(10) ** 12


@dataclass(frozen=True, slots=True)
class Tier:
    """Units up to number `up_to` (inclusive; None = no end) at `unit_price`, plus `flat_fee` once."""

    up_to: Decimal | None
    unit_price: Decimal
    flat_fee: Decimal = ZERO


@dataclass(frozen=True, slots=True)
class PricedLine:
    """`quantity` units at `unit_price`, plus `flat_fee`; `amount` is exact, not rounded.

    `tier` counts from 1; 0 = the free units. The tier holds the units above number `above` up to `up_to`.
    """

    tier: int
    above: Decimal
    up_to: Decimal | None
    quantity: Decimal
    unit_price: Decimal
    flat_fee: Decimal

    @property
    def amount(self) -> Decimal:
        with localcontext(EXACT):
            return self.quantity * self.unit_price + self.flat_fee


class Model(Protocol):
    """What each pricing model offers."""

    def lines(self, units: Decimal) -> list[PricedLine]:
        """The priced lines of `units` (>= 0), in order of tiers; none for zero units."""


@dataclass(frozen=True, slots=True)
class Graduated:
    """Each unit at the price of the tier that it falls in (AWS's way)."""

    tiers: Sequence[Tier]

    def lines(self, units: Decimal) -> list[PricedLine]:
        found: list[PricedLine] = []
        above = ZERO
        with localcontext(EXACT):
            for number, tier in enumerate(self.tiers, start=1):
                if units <= above:
                    break
                top = units if tier.up_to is None else min(units, tier.up_to)
                found.append(
                    PricedLine(number, above, tier.up_to, top - above, tier.unit_price, tier.flat_fee)
                )
                above = top
        return found


MODELS: dict[str, type[Graduated]] = {"graduated": Graduated}


@dataclass(frozen=True, slots=True)
class Tariff:
    """The price of one meter: free units first, then a model."""

    model: Model
    free_units: Decimal = ZERO

    def lines(self, units: Decimal) -> list[PricedLine]:
        """Return the free line (tier 0, price 0) and the model's lines. Quantities add up to `units`."""
        if units < 0:
            raise Refused("Units cannot be negative.", field="quantity")
        with localcontext(EXACT):
            free = min(units, self.free_units)
            head = [PricedLine(0, ZERO, self.free_units, free, ZERO, ZERO)] if free else []
            return head + self.model.lines(units - free)

    def total(self, units: Decimal) -> Decimal:
        """The exact price of `units`, not rounded."""
        with localcontext(EXACT):
            return sum((line.amount for line in self.lines(units)), ZERO)


def make_tariff(model: str, tiers: Any, free_units: Any = ZERO) -> Tariff:
    """Check a price as people and programs give it, and return it.

    `tiers` is a list of `{"up_to", "unit_price", "flat_fee"}` (decimals as text) or of `Tier`.
    Refused(field `model`, `tiers` or `free_units`) says what is wrong.
    """
    if model not in MODELS:
        raise Refused(f"Unknown pricing model {model!r}. Use one of: {', '.join(MODELS)}.", field="model")
    return Tariff(
        MODELS[model](read_tiers(tiers)), read_decimal(free_units, field="free_units", name="free_units")
    )


def read_tiers(raw: Any) -> tuple[Tier, ...]:
    """Return checked tiers: at least one, bounds ascending, only the last one open."""
    if not isinstance(raw, Iterable) or isinstance(raw, str | bytes | Mapping):
        raise Refused("Tiers must be a list.", field="tiers")
    tiers = tuple(_read_tier(number, item) for number, item in enumerate(raw, start=1))
    if not tiers:
        raise Refused("Give at least one tier; its up_to may be empty.", field="tiers")
    if tiers[-1].up_to is not None:
        raise Refused(
            f"Tier {len(tiers)}: leave up_to of the last tier empty, so that every unit has a price.",
            field="tiers",
        )
    below = ZERO
    for number, tier in enumerate(tiers[:-1], start=1):
        if tier.up_to is None:
            raise Refused(f"Tier {number}: only the last tier may have an empty up_to.", field="tiers")
        if tier.up_to <= below:
            raise Refused(
                f"Tier {number}: up_to {tier.up_to:f} must be greater than {below:f}.", field="tiers"
            )
        below = tier.up_to
    return tiers


def write_tiers(tiers: Iterable[Tier]) -> list[dict[str, str | None]]:
    """Return tiers as they are stored: JSON with decimals as text."""
    return [
        {
            "up_to": None if tier.up_to is None else plain(tier.up_to),
            "unit_price": plain(tier.unit_price),
            "flat_fee": plain(tier.flat_fee),
        }
        for tier in tiers
    ]


def read_decimal(raw: Any, *, field: str, name: str, below: Decimal = LIMIT) -> Decimal:
    """Return a number from 0 to less than `below`, with at most 12 decimals; Refused(field) otherwise."""
    try:
        value = Decimal(str(raw).strip())
    except InvalidOperation:
        raise Refused(f"{name} must be a number, not {raw!r}.", field=field) from None
    if not value.is_finite() or value < 0:
        raise Refused(f"{name} must be a number of at least 0, not {raw}.", field=field)
    if value >= below:
        raise Refused(f"{name} must be less than {below:,f}.", field=field)
    with localcontext(EXACT):
        if value.quantize(Decimal(1).scaleb(-PRICE_DECIMALS)) != value:
            raise Refused(f"{name} has more than {PRICE_DECIMALS} decimals.", field=field)
    return value


def plain(value: Decimal) -> str:
    """A decimal as text without exponent and without trailing zeros: `0.0000035`, `10`."""
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _read_tier(number: int, raw: Any) -> Tier:
    if isinstance(raw, Tier):
        raw = {"up_to": raw.up_to, "unit_price": raw.unit_price, "flat_fee": raw.flat_fee}
    if not isinstance(raw, Mapping):
        raise Refused(f"Tier {number} must be an object with up_to and unit_price.", field="tiers")
    unknown = set(raw) - {"up_to", "unit_price", "flat_fee"}
    if unknown:
        raise Refused(
            f"Tier {number}: unknown {', '.join(sorted(map(str, unknown)))}. "
            "A tier has up_to, unit_price and flat_fee.",
            field="tiers",
        )
    if raw.get("unit_price") in (None, ""):
        raise Refused(f"Tier {number}: unit_price is missing.", field="tiers")

    def number_of(key: str, value: Any, below: Decimal = MONEY_LIMIT) -> Decimal:
        return read_decimal(value, field="tiers", name=f"Tier {number}: {key}", below=below)

    bound = raw.get("up_to")
    return Tier(
        None if bound in (None, "") else number_of("up_to", bound, LIMIT),
        number_of("unit_price", raw["unit_price"]),
        number_of("flat_fee", raw.get("flat_fee") or 0),
    )
