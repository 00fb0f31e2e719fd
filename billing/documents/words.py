"""How a document writes money, quantities and days. Pure functions."""

from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from billing.currencies import DECIMALS, round_money
from billing.pricing import plain

# what a quantity or price is for, as it is printed after a number; a custom meter's units have no name
UNITS = {"requests": "", "bytes_out": " GiB", "bytes_in": " GiB", "cache_hours": " h"}
# GiB have up to 12 decimals, and nobody reads more than 6 of them
SHOWN = Decimal("0.000001")


def money(amount: Decimal, currency: str) -> str:
    """`1,180.10`, `-3.00`, `1,180` (JPY): with the currency's decimals."""
    return f"{round_money(amount, currency):,}"


def money_of(amount: Decimal, currency: str) -> str:
    """`1,180.10 USD`."""
    return f"{money(amount, currency)} {currency}"


def price(amount: Decimal, currency: str) -> str:
    """A price for one unit: `0.0000035`, `10.00`; never rounded."""
    whole, _, rest = plain(amount).partition(".")
    return f"{int(whole):,}.{rest.ljust(DECIMALS[currency], '0')}".rstrip(".")


def quantity(amount: Decimal, meter: str) -> str:
    """`334,000,000`, `120 GiB`, `0.0023 GiB`: at most 6 decimals, unless that would hide all of it."""
    short = amount.quantize(SHOWN) if abs(amount) >= SHOWN else amount
    whole, _, rest = plain(short).partition(".")
    sign = "-" if amount < 0 else ""
    return f"{sign}{abs(int(whole)):,}" + (f".{rest}" if rest else "") + UNITS.get(meter, "")


def day(moment: datetime, timezone: str) -> str:
    """`2026-11-01` in that zone."""
    return f"{moment.astimezone(ZoneInfo(timezone)):%Y-%m-%d}"
