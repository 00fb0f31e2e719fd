"""From usage to bill lines: one subscription, one month. The estimate and the invoice use the same code."""

from collections.abc import Mapping
from decimal import Decimal, localcontext

from billing.models import Meter, RateCard
from billing.pricing import EXACT, ZERO
from billing.quote import BillLine, fee_lines, meter_lines
from metering.queries import Quantity

GIB = Decimal(2**30)
# Columns keep 12 decimals: a byte is 9.3e-10 GiB, so rounding here still tells every byte apart.
QUANTITY = Decimal(1).scaleb(-12)
NO_USAGE = Quantity(calls=0, bytes_out=0)


def units_of(usage: Quantity) -> dict[str, Decimal]:
    """Return meter -> units: requests as they are, bytes as GiB (2**30 bytes) with 12 decimals."""
    with localcontext(EXACT):
        return {
            Meter.REQUESTS: Decimal(usage.calls),
            Meter.BYTES_OUT: (Decimal(usage.bytes_out) / GIB).quantize(QUANTITY),
        }


def base_fee_line(rate_card: RateCard | None) -> BillLine | None:
    """Return the base fee of a whole month, or None when there is none."""
    return next(iter(fee_lines(rate_card.base_fee, rate_card.currency)), None) if rate_card else None


def usage_lines(
    rate_card: RateCard | None, units: Mapping[str, Decimal], before: Mapping[str, Decimal] | None = None
) -> list[BillLine]:
    """Return the lines, tier by tier, that take a month from `before` to `units` (both meter -> units).

    `rate_card.prices` should be prefetched. A meter without a price, or a plan without a rate card, gives one
    line at price 0, so that the counts are on the bill.
    """
    tariffs = {price.meter: price.tariff for price in rate_card.prices.all()} if rate_card else {}
    currency = rate_card.currency if rate_card else ""
    lines: list[BillLine] = []
    for meter in Meter.values:
        after, billed = units.get(meter, ZERO), (before or {}).get(meter, ZERO)
        if after > billed:
            lines += meter_lines(meter, tariffs.get(meter), before=billed, after=after, currency=currency)
    return lines
