"""From units and terms to the lines of a bill. Pure: invoices, estimates and quotes all take their lines here."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from accounts.errors import Refused
from billing.currencies import round_money
from billing.meters import name_of, order_of, unit_of
from billing.pricing import EXACT, LIMIT, MONEY_LIMIT, ZERO, PricedLine, Tariff, plain, to_bounds

USAGE, FEE, MINIMUM, MAXIMUM = "usage", "fee", "minimum", "maximum"


@dataclass(frozen=True, slots=True)
class BillLine:
    """One line of a bill.

    `meter` is '' for a fee. `tier` counts from 1; 0 = free or not charged, None = a fee. `quantity` is in
    `unit`s (request, GiB, month). `unit_price` is for each unit, or where `packages` is not None for each
    package. `amount` is rounded to the currency's decimals. `kind`: usage, fee, minimum or maximum.
    """

    meter: str
    description: str
    tier: int | None
    quantity: Decimal
    unit: str
    unit_price: Decimal
    flat_fee: Decimal
    amount: Decimal
    packages: Decimal | None = None
    kind: str = USAGE


@dataclass(frozen=True, slots=True)
class Terms:
    """What a rate card says: tariffs by meter, the base fee of each subscription, bounds of the month's sum."""

    currency: str
    tariffs: Mapping[str, Tariff]
    base_fee: Decimal = ZERO
    minimum: Decimal | None = None
    maximum: Decimal | None = None


def quote(*, terms: Terms, quantities: Mapping[str, Decimal], subscriptions: int = 1) -> list[BillLine]:
    """Return the lines of a whole month: base fees, each meter tier by tier, and what the bounds add or take.

    `quantities` is meter -> units (see billing/meters.py), added up over all that is rated together.
    Refused(field `quantities`) where an amount is beyond what an invoice can hold.
    """
    lines = fee_lines(terms.base_fee, terms.currency, subscriptions)
    for meter in sorted(terms.tariffs.keys() | quantities.keys(), key=order_of):
        units, tariff = quantities.get(meter, ZERO), terms.tariffs.get(meter)
        lines += meter_lines(meter, tariff, before=ZERO, after=units, currency=terms.currency)
    for line in lines:
        if line.amount >= MONEY_LIMIT or (line.packages or ZERO) >= LIMIT:
            raise Refused(
                f"{line.description}: the amount is beyond what an invoice can hold. Ask for less.",
                field="quantities",
                code="too_large",
            )
    return lines + bound_lines(terms, total_of(lines))


def total_of(lines: Iterable[BillLine]) -> Decimal:
    """Return the sum of the lines, each of which is rounded."""
    return sum((line.amount for line in lines), ZERO)


def fee_lines(base_fee: Decimal, currency: str, subscriptions: int = 1) -> list[BillLine]:
    """Return the base fee of whole months, if there is one. Each subscription's is rounded for itself."""
    if not base_fee or not subscriptions:
        return []
    count = Decimal(subscriptions)
    amount = EXACT.multiply(round_money(base_fee, currency), count)
    return [BillLine("", "Base fee", None, count, "month", base_fee, ZERO, amount, kind=FEE)]


def meter_lines(
    meter: str, tariff: Tariff | None, *, before: Decimal, after: Decimal, currency: str
) -> list[BillLine]:
    """Return the lines, tier by tier, that take a month of one meter from `before` to `after` units.

    Without a tariff it is one line at price 0, so that the counts are on the bill.

    The amounts are rounded before they are subtracted, so a month's invoices add up, to the cent, to what one
    invoice would have said.
    """
    if tariff is None:
        more = EXACT.subtract(after, before)
        text = f"{name_of(meter)}, not charged"
        return [BillLine(meter, text, 0, more, unit_of(meter), ZERO, ZERO, ZERO)] if more else []
    lines = []
    for earlier, later in tariff.pairs(before, after):
        line = later.less(earlier)
        amount = EXACT.subtract(round_money(later.amount, currency), round_money(earlier.amount, currency))
        if line.changes:
            lines.append(_usage_line(meter, tariff, line, amount))
    return lines


def _usage_line(meter: str, tariff: Tariff, line: PricedLine, amount: Decimal) -> BillLine:
    return BillLine(
        meter=meter,
        description=f"{name_of(meter)}, {tier_name(tariff, line, unit_of(meter))}",
        tier=line.tier,
        quantity=line.quantity,
        unit=unit_of(meter),
        unit_price=line.unit_price,
        flat_fee=line.flat_fee,
        amount=amount,
        packages=line.packages,
    )


def bound_lines(terms: Terms, amount: Decimal) -> list[BillLine]:
    """Return the line that takes `amount`, the sum of a month's rounded lines, to the minimum or maximum."""
    minimum, maximum = (
        None if bound is None else round_money(bound, terms.currency)
        for bound in (terms.minimum, terms.maximum)
    )
    more = to_bounds(amount, minimum, maximum)
    if not more:
        return []
    kind, bound, word = (MINIMUM, minimum, "Up") if more > 0 else (MAXIMUM, maximum, "Down")
    text = f"{word} to the {kind} of {group(bound)} {terms.currency}"
    return [BillLine("", text, None, Decimal(1), "month", more, ZERO, more, kind=kind)]


def tier_name(tariff: Tariff, line: PricedLine, unit: str = "") -> str:
    """Name a line's tier in words: `first 1,000`, `above 1,000 GiB up to 2,000 GiB`, `2 packages of 100, all`."""
    short = " GiB" if unit == "GiB" else ""
    if line.tier == 0:
        return f"first {group(line.up_to)}{short} free"
    if line.up_to is None:
        words = f"over {group(line.above)}{short}" if line.above else "all"
    elif not line.above:
        words = f"first {group(line.up_to)}{short}"
    else:
        words = f"above {group(line.above)}{short} up to {group(line.up_to)}{short}"
    if tariff.model.by_total and words != "all":
        words = f"all at the price of {words}"
    if line.packages is None:
        return words
    plural = "" if abs(line.packages) == 1 else "s"
    return f"{group(line.packages)} package{plural} of {group(tariff.package_size)}{short}, {words}"


def group(value: Decimal | None) -> str:
    """333000000 -> `333,000,000`."""
    whole, _, rest = plain(value or ZERO).partition(".")
    return f"{int(whole):,}" + (f".{rest}" if rest else "")
