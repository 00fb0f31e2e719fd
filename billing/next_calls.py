"""What further calls cost at most, as the bill will say it: all prices of calls, in all regions, rounded by line."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal, localcontext

from billing.currencies import DECIMALS
from billing.models import Meter
from billing.pricing import EXACT, ZERO, Tariff

# Each call counts at least one unit of each of these (nodes' batches are refused otherwise).
CALL_METERS = (Meter.REQUESTS, Meter.HTTP_REQUESTS, Meter.STREAM_REQUESTS)


@dataclass(frozen=True, slots=True)
class CallPrice:
    """The price of one meter: a tariff, from where it goes on in each region ('' = of none), and a discount."""

    tariff: Tariff
    before: Mapping[str, Decimal]
    percent: Decimal = ZERO


@dataclass(frozen=True, slots=True)
class NextCalls:
    """What further calls are priced by, in the currency of the card."""

    currency: str
    prices: tuple[CallPrice, ...]

    def cost(self, calls: int, regions: Collection[str] = ("",)) -> Decimal:
        """Return what the bill grows by at most, wherever among `regions` these calls go.

        Not below what it really grows by: a line's growth is rounded up, because what its rounding hid so far may
        come to light; and a discount is a line of its own, so it may hide as much again.
        """
        step = Decimal(1).scaleb(-DECIMALS[self.currency])
        cost = ZERO
        with localcontext(EXACT):
            for price in self.prices:
                kept = 1 - price.percent / 100
                for region in regions:
                    before = price.before.get(region, ZERO)
                    for line in price.tariff.difference(before, before + calls):
                        growth = (line.amount * kept).quantize(step, ROUND_CEILING)
                        cost += growth + step if growth and price.percent else growth
        return cost

    def bends(self, regions: Collection[str] = ("",)) -> list[int]:
        """Return the numbers of calls, in order, between which the cost never falls: the ends of tiers."""
        found: set[int] = set()
        for price in self.prices:
            tariff = price.tariff
            ends = [tier.up_to for tier in tariff.model.tiers if tier.up_to is not None]
            for region in regions:
                left = [tariff.free_units + end - price.before.get(region, ZERO) for end in ends]
                found |= {int(each.to_integral_value(ROUND_FLOOR)) for each in left if each >= 1}
        return sorted(found)
