"""The items of a month's bill: what is expected so far of each line, before what was billed is taken off."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import ROUND_HALF_UP, Decimal, localcontext
from fractions import Fraction

from billing.currencies import DECIMALS, round_money
from billing.meters import name_of, order_of, unit_of
from billing.models import RateCard
from billing.pricing import EXACT, ZERO, PricedLine, Tariff
from billing.quote import group, tier_name

QUANTITY = Decimal(1).scaleb(-12)

# the order on a bill
FEE, USAGE, DISCOUNT, MAXIMUM, MINIMUM = range(5)


@dataclass(slots=True)
class Item:
    """One line of a month's bill, added up over the month's segments.

    `key` is the same in every closing of the month. `exact` is money, not rounded. `weights`: subscription id ->
    its share, in any unit. `scope` is the subscription whose own tiers it stands in; '' = the customer's.
    """

    key: str
    kind: int
    description: str
    currency: str
    card: RateCard | None = None
    scope: str = ""
    region: str = ""
    meter: str = ""
    tier: int | None = None
    unit_price: Decimal = ZERO
    quantity: Decimal = ZERO
    flat_fee: Decimal = ZERO
    packages: Decimal | None = None
    exact: Decimal = ZERO
    weights: dict[str, Decimal] = field(default_factory=dict)

    @property
    def amount(self) -> Decimal:
        """Rounded to the currency's decimals: the one place where it is."""
        return round_money(self.exact, self.currency)

    @property
    def unit(self) -> str:
        """What the quantity is counted in: month for a fee; nothing for what is taken off or added."""
        return {FEE: "month", USAGE: unit_of(self.meter)}.get(self.kind, "")

    @property
    def order(self) -> tuple:
        """Fees first, then meters in their order and tiers from the first, then what is taken off or added."""
        card = (self.card.name, self.card.id) if self.card else ("", "")
        return card, self.scope, self.kind, order_of(self.meter), self.region, self.tier or 0, self.key

    def add(self, line: PricedLine, weights: Mapping[str, Decimal]) -> None:
        """Add a priced line of the same tier."""
        self.quantity = EXACT.add(self.quantity, line.quantity)
        self.flat_fee = EXACT.add(self.flat_fee, line.flat_fee)
        self.exact = EXACT.add(self.exact, line.amount)
        if line.packages is not None:
            self.packages = EXACT.add(self.packages or ZERO, line.packages)
        self.weigh(weights)

    def weigh(self, weights: Mapping[str, Decimal]) -> None:
        """Add to the subscriptions' shares."""
        for pk, weight in weights.items():
            self.weights[pk] = EXACT.add(self.weights.get(pk, ZERO), weight)

    def parts(self) -> dict[str, tuple[Decimal, Decimal]]:
        """Return subscription id -> (units, money) by share. They add up to quantity and amount."""
        return divide_line(self.quantity, self.amount, self.weights, self.currency)


def divide_line(
    quantity: Decimal, amount: Decimal, weights: Mapping[str, Decimal], currency: str
) -> dict[str, tuple[Decimal, Decimal]]:
    """Return subscription id -> (units, money): whole units where they are whole, money as it is paid."""
    units = divide(quantity, weights, 0 if quantity == int(quantity) else 12)
    money = divide(amount, weights, DECIMALS[currency])
    return {pk: (units[pk], money[pk]) for pk in weights}


def divide(total: Decimal, weights: Mapping[str, Decimal], decimals: int) -> dict[str, Decimal]:
    """Divide a total by shares, so that the parts add up to it; without any weight in equal parts.

    Each part is its exact share, rounded down or up to the decimals: up where the most is cut off, and of equal
    ones for the first by name. So neither the order of the shares nor that of a calculation gives anybody another part.
    """
    step = Decimal(1).scaleb(-decimals)
    with localcontext(EXACT):
        total = total.quantize(step, rounding=ROUND_HALF_UP)
        if len(weights) == 1:
            return dict.fromkeys(weights, total)
        steps = int(total / step)
        shares = {pk: Fraction(weight) for pk, weight in weights.items()}
        whole = sum(shares.values())
        if not whole:
            shares, whole = dict.fromkeys(shares, Fraction(1)), Fraction(len(shares))
        exact = {pk: steps * share / whole for pk, share in shares.items()}
        parts = {pk: math.floor(each) for pk, each in exact.items()}
        left = steps - sum(parts.values())
        for pk in sorted(parts, key=lambda pk: (parts[pk] - exact[pk], pk))[:left]:
            parts[pk] += 1
        return {pk: each * step for pk, each in parts.items()}


def tier_words(meter: str, tariff: Tariff, line: PricedLine) -> str:
    """`Requests, above 333,000,000 up to 1,000,000,000`: the same however much is in the tier."""
    return f"{name_of(meter)}, {tier_name(tariff, replace(line, packages=None), unit_of(meter))}"


def card_of(key: str) -> str:
    """Return the id of the rate card that an item stands on; '' = of none."""
    kind, _, rest = key.partition(":")
    if kind in ("discount", "fee"):
        rest = rest.partition(":")[2]
    return rest.partition(":")[0].partition(".")[0]


def packages_words(packages: Decimal | None) -> str:
    """` (3 packages)`, or nothing where units are priced."""
    if packages is None:
        return ""
    return f" ({group(packages)} package{'' if abs(packages) == 1 else 's'})"
