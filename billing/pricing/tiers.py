"""Tiers: bounds and prices, read from what people and programs give, and written as they are stored."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from accounts.errors import Refused
from billing.pricing.numbers import LIMIT, MONEY_LIMIT, ZERO, plain, read_decimal


@dataclass(frozen=True, slots=True)
class Tier:
    """Units up to number `up_to` (inclusive; None = no end) at `unit_price`, plus `flat_fee` once.

    In models that count packages `unit_price` is for each package.
    """

    up_to: Decimal | None
    unit_price: Decimal
    flat_fee: Decimal = ZERO


def read_tiers(raw: Any) -> tuple[Tier, ...]:
    """Return checked tiers: at least one, bounds ascending, only the last one open. Refused(field `tiers`)."""
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
