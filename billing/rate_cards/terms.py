"""What a version's terms may be."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from accounts.errors import Refused
from billing.models import Proration, RateCardVersion
from billing.pricing import MONEY_LIMIT, read_decimal

LONGEST_TRIAL_DAYS = 366
_NAMES = {"base_fee": "Base fee", "minimum": "Minimum", "maximum": "Maximum"}


def read_terms(version: RateCardVersion, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the terms as they are stored. Refused names the field. `version` has those that are not given."""
    terms = {name: _read(name, value) for name, value in given.items()}
    minimum = terms.get("minimum", version.minimum)
    maximum = terms.get("maximum", version.maximum)
    if minimum is not None and maximum is not None and minimum > maximum:
        raise Refused(
            f"The minimum {minimum:f} is above the maximum {maximum:f}.",
            field="minimum" if "minimum" in terms else "maximum",
        )
    return terms


def _read(name: str, value: Any) -> Any:
    if name == "base_fee":
        return _money(name, value)
    if name in ("minimum", "maximum"):
        return None if value in (None, "") else _money(name, value)
    if name == "proration":
        if value not in Proration.values:
            raise Refused(
                f"Unknown proration {value!r}. Use one of: {', '.join(Proration.values)}.", field=name
            )
        return value
    if name == "trial_days":
        days = read_decimal(value, field=name, name="Trial days", below=Decimal(LONGEST_TRIAL_DAYS + 1))
        if days != int(days):
            raise Refused("Trial days must be a whole number.", field=name)
        return int(days)
    return bool(value)


def _money(name: str, value: Any) -> Decimal:
    return read_decimal(value, field=name, name=_NAMES[name], below=MONEY_LIMIT)
