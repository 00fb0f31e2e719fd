"""From usage to bill lines: one subscription, one month. The estimate and the invoice use the same code."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, localcontext

from billing.currencies import round_money
from billing.models import Meter, RateCard
from billing.pricing import EXACT, ZERO, PricedLine, plain
from metering.queries import Quantity

GIB = Decimal(2**30)
# Columns keep 12 decimals: a byte is 9.3e-10 GiB, so rounding here still tells every byte apart.
QUANTITY = Decimal(1).scaleb(-12)
UNITS: dict[str, str] = {"": "month", Meter.REQUESTS: "request", Meter.BYTES_OUT: "GiB"}
NAMES: dict[str, str] = {Meter.REQUESTS: "Requests", Meter.BYTES_OUT: "Data out"}
NO_USAGE = Quantity(calls=0, bytes_out=0)


@dataclass(frozen=True, slots=True)
class BillLine:
    """One line of a bill.

    `meter` is '' for a base fee. `tier` counts from 1; 0 = free or not charged, None = a fee. `quantity` is
    in `unit`s (request, GiB, month). `amount` is rounded to the currency's decimals.
    """

    meter: str
    description: str
    tier: int | None
    quantity: Decimal
    unit: str
    unit_price: Decimal
    flat_fee: Decimal
    amount: Decimal


def units_of(usage: Quantity) -> dict[str, Decimal]:
    """Return meter -> units: requests as they are, bytes as GiB (2**30 bytes) with 12 decimals."""
    with localcontext(EXACT):
        return {
            Meter.REQUESTS: Decimal(usage.calls),
            Meter.BYTES_OUT: (Decimal(usage.bytes_out) / GIB).quantize(QUANTITY),
        }


def base_fee_line(rate_card: RateCard | None) -> BillLine | None:
    """Return the base fee of a whole month, or None when there is none."""
    if rate_card is None or not rate_card.base_fee:
        return None
    fee = rate_card.base_fee
    return BillLine(
        "", "Base fee", None, Decimal(1), UNITS[""], fee, ZERO, round_money(fee, rate_card.currency)
    )


def usage_lines(
    rate_card: RateCard | None, units: Mapping[str, Decimal], before: Mapping[str, Decimal] | None = None
) -> list[BillLine]:
    """Return the lines, tier by tier, that take a month from `before` to `units` (both meter -> units).

    `rate_card.prices` should be prefetched. A meter without a price, or a plan without a rate card, gives one
    line at price 0, so that the counts are on the bill.
    """
    lines: list[BillLine] = []
    for meter in Meter.values:
        after, billed = units.get(meter, ZERO), (before or {}).get(meter, ZERO)
        if after > billed:
            lines += _meter_lines(meter, rate_card, billed, after)
    return lines


def _meter_lines(meter: str, rate_card: RateCard | None, billed: Decimal, after: Decimal) -> list[BillLine]:
    price = next((p for p in rate_card.prices.all() if p.meter == meter), None) if rate_card else None
    name = NAMES[meter]
    if rate_card is None or price is None:
        with localcontext(EXACT):
            more = after - billed
        return [BillLine(meter, f"{name}, not charged", 0, more, UNITS[meter], ZERO, ZERO, ZERO)]
    tariff = price.tariff
    earlier = {line.tier: line for line in tariff.lines(billed)}
    lines = (
        _difference(meter, line, earlier.get(line.tier), rate_card.currency) for line in tariff.lines(after)
    )
    return [line for line in lines if line is not None]


def _difference(meter: str, line: PricedLine, earlier: PricedLine | None, currency: str) -> BillLine | None:
    """One tier's line, less what an earlier invoice of the month billed in it.

    The amounts are rounded before they are subtracted, so a month's invoices add up, to the cent, to what
    one invoice would have said.
    """
    quantity, flat_fee, amount = line.quantity, line.flat_fee, round_money(line.amount, currency)
    if earlier is not None:
        with localcontext(EXACT):
            quantity -= earlier.quantity
            flat_fee -= earlier.flat_fee
            amount -= round_money(earlier.amount, currency)
    if not quantity:
        return None
    return BillLine(
        meter,
        f"{NAMES[meter]}, {_tier_name(meter, line)}",
        line.tier,
        quantity,
        UNITS[meter],
        line.unit_price,
        flat_fee,
        amount,
    )


def _tier_name(meter: str, line: PricedLine) -> str:
    unit = " GiB" if meter == Meter.BYTES_OUT else ""
    if line.tier == 0:
        return f"first {_group(line.up_to)}{unit} free"
    if line.up_to is None:
        return f"over {_group(line.above)}{unit}" if line.above else "all"
    if line.above == 0:
        return f"first {_group(line.up_to)}{unit}"
    return f"above {_group(line.above)}{unit} up to {_group(line.up_to)}{unit}"


def _group(value: Decimal | None) -> str:
    """333000000 -> `333,000,000`."""
    whole, _, rest = plain(value or ZERO).partition(".")
    return f"{int(whole):,}" + (f".{rest}" if rest else "")
