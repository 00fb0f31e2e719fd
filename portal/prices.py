"""A plan's limits and prices in words that a person reads before she picks it."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from access.models import QuotaScope, UsagePlan
from billing.meters import name_of, order_of
from billing.models import Meter, Price, RateCard
from portal import formats

MILLION = Decimal(1_000_000)
PAY_PER_USE = "Pay per use"
_SCALES = ((Decimal(10**12), "trillion"), (Decimal(10**9), "billion"), (MILLION, "million"))


@dataclass(frozen=True, slots=True)
class PlanTerms:
    """What a plan's card says. `price` is the headline, `tiers` the lines below it."""

    plan: UsagePlan
    price: str
    per: str
    rate: str
    burst: str
    quota: str
    tiers: list["MeterTerms"]

    @property
    def free(self) -> bool:
        return not self.tiers and self.price == "Free"

    @property
    def promise(self) -> str:
        """The end of the sentence on the button: `for $10.00 a month, plus usage`, `and pay per use`."""
        return "and pay per use" if self.price == PAY_PER_USE else f"for {self.price} {self.per}"


@dataclass(frozen=True, slots=True)
class MeterTerms:
    """One meter's price: a name and (range, price) lines."""

    name: str
    lines: list[tuple[str, str]]


def terms(plan: UsagePlan) -> PlanTerms:
    """Describe a plan. Load `price__rate_card__versions__prices` beforehand: nothing is asked here then."""
    assignment = getattr(plan, "price", None)
    card = assignment.rate_card if assignment else None
    listed = sorted(card.prices.all(), key=lambda each: order_of(each.meter)) if card else []
    described = [_meter_terms(price, card.currency) for price in listed] if card else []
    meters = [each for each in described if each is not None]
    price, per = _headline(card, meters)
    return PlanTerms(plan, price, per, rate_words(plan), burst_words(plan), quota_words(plan), meters)


def rate_words(plan: UsagePlan) -> str:
    if plan.throttle_rate is None:
        return "No limit"
    return f"{plan.throttle_rate:,g} calls a second"


def burst_words(plan: UsagePlan) -> str:
    return "No limit" if plan.throttle_burst is None else f"{plan.throttle_burst:,} calls at once"


def quota_words(plan: UsagePlan) -> str:
    if plan.quota_limit is None:
        return "No quota"
    whose = " for each key" if plan.quota_scope == QuotaScope.KEY else ""
    return f"{plan.quota_limit:,} calls {plan.get_quota_period_display()}{whose}"


def _headline(card: RateCard | None, meters: list[MeterTerms]) -> tuple[str, str]:
    if card is None:
        return "Free", ""
    if card.base_fee:
        return formats.money(card.base_fee, card.currency), "a month" + (", plus usage" if meters else "")
    if not meters:
        return "Free", ""
    return PAY_PER_USE, "with no monthly fee"


def _meter_terms(price: Price, currency: str) -> MeterTerms | None:
    if all(Decimal(tier["unit_price"]) == 0 == Decimal(tier.get("flat_fee") or 0) for tier in price.tiers):
        return None
    return meter_terms(price, currency)


def meter_terms(price: Price, currency: str) -> MeterTerms:
    """Describe one meter's price, tier by tier."""
    lines: list[tuple[str, str]] = []
    if price.free_units:
        lines.append((f"First {_units(price.free_units, price.meter)}", "free"))
    below = Decimal(0)
    after = " after that" if price.free_units else ""
    for tier in price.tiers:
        bound = Decimal(tier["up_to"]) if tier["up_to"] is not None else None
        lines.append((_range(below, bound, price.meter) + after, _tier_price(tier, price.meter, currency)))
        below, after = bound or below, ""
    return MeterTerms(name_of(price.meter), lines)


def _range(below: Decimal, bound: Decimal | None, meter: str) -> str:
    if bound is None:
        return f"Over {_units(below, meter)}" if below else "All"
    return f"Next {_units(bound - below, meter)}" if below else f"First {_units(bound, meter)}"


def _units(count: Decimal, meter: str) -> str:
    if meter == Meter.BYTES_OUT:
        return f"{formats.number(count / 1024)} TiB" if count >= 1024 else f"{formats.number(count)} GiB"
    for size, name in _SCALES:
        if count >= size:
            return f"{formats.number(count / size)} {name}"
    return formats.number(count)


def _tier_price(tier: dict[str, Any], meter: str, currency: str) -> str:
    price = Decimal(tier["unit_price"])
    fee = Decimal(tier.get("flat_fee") or 0)
    if meter == Meter.BYTES_OUT:
        text = f"{formats.money(price, currency)} per GiB"
    elif price and price < Decimal("0.01"):
        text = f"{formats.money(price * MILLION, currency)} per million"
    else:
        text = f"{formats.money(price, currency)} each"
    return f"{text} + {formats.money(fee, currency)}" if fee else text
