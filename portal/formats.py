"""How numbers, money, sizes and moments are written on pages and in charts. Pure functions."""

from datetime import datetime, timedelta
from decimal import Decimal

DASH = "–"
_SIZES = ("B", "KiB", "MiB", "GiB", "TiB")
_SIGNS = {"USD": "$", "EUR": "€", "GBP": "£"}


def number(value: float | Decimal | None) -> str:
    """1234567 -> `1,234,567`; decimals only where there are some."""
    if value is None:
        return DASH
    if isinstance(value, Decimal):
        value = value.normalize()
        return f"{value:,f}"
    return f"{value:,.10g}" if value != int(value) else f"{int(value):,}"


def size(octets: float | None) -> str:
    """Bytes -> `1.4 GiB` (binary units, as they are billed)."""
    if octets is None:
        return DASH
    amount = float(octets)
    for unit in _SIZES[:-1]:
        if amount < 1024:
            return f"{amount:,.0f} {unit}" if unit == "B" else f"{amount:,.1f} {unit}"
        amount /= 1024
    return f"{amount:,.1f} {_SIZES[-1]}"


def milliseconds(value: float | None) -> str:
    """12.34 -> `12 ms`, 1234 -> `1.23 s`; below 10 ms one decimal."""
    if value is None:
        return DASH
    if value >= 1_000:
        return f"{value / 1_000:.2f} s"
    return f"{value:.1f} ms" if value < 10 else f"{value:.0f} ms"


def money(amount: Decimal | None, currency: str = "USD", *, decimals: int | None = None) -> str:
    """`$4,937.10`, `12.00 CHF`. An amount that two decimals would hide keeps what it needs."""
    if amount is None:
        return DASH
    shown = f"{amount:,.{decimals}f}" if decimals is not None else _plain_money(amount)
    sign = _SIGNS.get(currency)
    if sign is None:
        return f"{shown} {currency}"
    return f"-{sign}{shown[1:]}" if shown.startswith("-") else f"{sign}{shown}"


def _plain_money(amount: Decimal) -> str:
    if amount == amount.quantize(Decimal("0.01")):
        return f"{amount:,.2f}"
    whole, _, rest = f"{amount:,.12f}".partition(".")
    return f"{whole}.{rest.rstrip('0')}"


def share(part: float, whole: float) -> str:
    """A part as percent of the whole: `0.4 %`; nothing of nothing is `0 %`."""
    if not whole:
        return "0 %"
    percent = 100 * part / whole
    return f"{percent:.1f} %" if 0 < percent < 10 else f"{percent:.0f} %"


def span_of_time(duration: timedelta) -> str:
    """`now`, `12 s`, `3 min`, `5 h`, `2 days`."""
    seconds = max(0, int(duration.total_seconds()))
    if seconds < 1:
        return "now"
    if seconds < 60:
        return f"{seconds} s"
    if seconds < 3600:
        return f"{seconds // 60} min"
    if seconds < 86_400:
        return f"{seconds // 3600} h"
    days = seconds // 86_400
    return f"{days} day{'s' if days > 1 else ''}"


def moment(at: datetime | None) -> str:
    """`2026-11-23 09:41 UTC` of an aware datetime."""
    return f"{at:%Y-%m-%d %H:%M} {at.tzname()}" if at else DASH
