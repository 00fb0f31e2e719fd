"""What one call costs: the units that it counted, each at the price of the tier that its month had come to.

An estimate: a bill prices the whole month at once and rounds its lines, not calls. Flat fees are not in it, and of a
package only the call's part.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal, localcontext

from access.models import Subscription
from apis.models import Api
from billing.estimate import month_until
from billing.expected import Month
from billing.meters import name_of, unit_of
from billing.models import Meter
from billing.pricing import EXACT, ZERO, PricedLine, Tariff
from billing.quote import tier_name
from billing.timeline import Span
from metering.billable import gib

# as the gate's agent counts (gateway/batches.py)
_HTTP_UNIT = 512 * 1024
_STREAM_UNIT = 10 * 1024 * 1024
_MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class CostLine:
    """One meter of a call. `unit_price` is for each unit, a discount taken off; `tier` in words, 0 = free units."""

    meter: str
    quantity: Decimal
    unit: str
    unit_price: Decimal
    tier: str
    included: bool

    @property
    def amount(self) -> Decimal:
        """Exact, not rounded."""
        return EXACT.multiply(self.quantity, self.unit_price)


@dataclass(frozen=True, slots=True)
class CallCost:
    """What a billed call comes to; `free_because` says why there is no price ('' = there is one)."""

    currency: str
    lines: list[CostLine]
    free_because: str = ""

    @property
    def total(self) -> Decimal:
        return sum((line.amount for line in self.lines), ZERO)

    @property
    def included(self) -> bool:
        """Whether all of it is in the month's free units."""
        return bool(self.lines) and all(line.included for line in self.lines)


def cost_of_call(
    *, subscription: Subscription, api_id: str, at: datetime, bytes_in: int, bytes_out: int
) -> CallCost:
    """Return what a billed call at `at` costs. Load the subscription's provider. About 12 queries."""
    minute = at.replace(second=0, microsecond=0)
    month = month_until(subscription=subscription, at=minute, until=minute + _MINUTE)
    span = _span_of(month, subscription, minute) if month else None
    if month is None or span is None or span.card is None or span.version is None:
        return CallCost("", [], "The plan has no prices.")
    if span.trial:
        return CallCost(span.card.currency, [], "The subscription was on trial.")
    region = Api.objects.filter(pk=api_id).values_list("region", flat=True).first() or ""
    lines = list(_lines(month, span, minute, region, _units(bytes_in, bytes_out)))
    return CallCost(span.card.currency, lines, "" if lines else "The plan has no price for calls.")


def _span_of(month: Month, subscription: Subscription, at: datetime) -> Span | None:
    mine = (span for span in month.spans if span.subscription.pk == subscription.pk)
    return next((span for span in mine if span.start <= at < span.end), None)


def _units(bytes_in: int, bytes_out: int) -> dict[str, Decimal]:
    both = bytes_in + bytes_out
    return {
        Meter.REQUESTS: Decimal(1),
        Meter.HTTP_REQUESTS: Decimal(max(-(-both // _HTTP_UNIT), 1)),
        Meter.STREAM_REQUESTS: Decimal(max(-(-bytes_out // _STREAM_UNIT), 1)),
        Meter.BYTES_OUT: gib(bytes_out),
        Meter.BYTES_IN: gib(bytes_in),
    }


def _lines(
    month: Month, span: Span, at: datetime, region: str, units: dict[str, Decimal]
) -> Iterator[CostLine]:
    for meter, quantity in units.items():
        price = month.price_of(span, meter, at)
        line = price and _line_at(price.tariff, max(price.before.get(region, ZERO), quantity))
        if price and line:
            with localcontext(EXACT):
                unit_price = line.unit_price * (1 - price.percent / 100)
                if line.packages is not None and price.tariff.package_size:
                    unit_price /= price.tariff.package_size
            yield CostLine(
                meter=name_of(meter),
                quantity=quantity,
                unit=unit_of(meter),
                unit_price=unit_price,
                tier=tier_name(price.tariff, line, unit_of(meter)),
                included=line.tier == 0,
            )


def _line_at(tariff: Tariff, count: Decimal) -> PricedLine | None:
    """Return the line that the unit number `count` of a month stands in."""
    lines = tariff.lines(count)
    return lines[-1] if lines else None
