"""The items of a month's bill: what is expected so far of each line, before what was billed is taken off."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import ROUND_HALF_UP, Decimal, localcontext

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
        units = divide(self.quantity, self.weights, 0 if self.quantity == int(self.quantity) else 12)
        money = divide(self.amount, self.weights, DECIMALS[self.currency])
        return {pk: (units[pk], money[pk]) for pk in self.weights}


def divide(total: Decimal, weights: Mapping[str, Decimal], decimals: int) -> dict[str, Decimal]:
    """Divide a total by shares, so that the parts add up to it; without any weight in equal parts."""
    step, parts, given, seen = Decimal(1).scaleb(-decimals), {}, ZERO, ZERO
    with localcontext(EXACT):
        whole = sum(weights.values(), ZERO)
        for pk, weight in weights.items():
            seen += weight if whole else 1
            up_to = (total * seen / (whole or len(weights))).quantize(step, rounding=ROUND_HALF_UP)
            parts[pk], given = up_to - given, up_to
    return parts


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
