"""What is expected of a month, less what invoices hold of it already: the lines of the next invoice."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal, localcontext

from django.db.models import Max, Sum

from accounts.any_of import any_of
from billing.items import Item, divide_line
from billing.models import InvoiceLine, InvoiceState
from billing.pricing import EXACT, ZERO

# What a negative invoice leaves to the customer's credits; it is no part of what a month costs.
CARRIED = "carried"
_A_MONTH = timedelta(days=32)


@dataclass(frozen=True, slots=True)
class Billed:
    """Sums of the lines of one item on invoices that are not void."""

    currency: str
    description: str
    meter: str
    tier: int | None
    unit_price: Decimal
    quantity: Decimal
    flat_fee: Decimal
    packages: Decimal | None
    amount: Decimal


# payer's id -> item -> what was billed of it
BilledMonth = Mapping[str, Mapping[str, Billed]]


@dataclass(slots=True)
class Difference:
    """A line to be billed: its item as far as it is still expected, and what is to be added or taken off.

    Nobody changes it; it is not frozen because each line of a month's end makes one, which takes twice as long so.
    """

    key: str
    item: Item | None
    currency: str
    description: str
    meter: str
    tier: int | None
    unit_price: Decimal
    quantity: Decimal
    flat_fee: Decimal
    packages: Decimal | None
    amount: Decimal

    def parts(self) -> dict[str, tuple[Decimal, Decimal]]:
        """Return subscription id -> (units, money) where several share the line."""
        if self.item is None or len(self.item.weights) < 2:
            return {}
        return divide_line(self.quantity, self.amount, self.item.weights, self.currency)


def billed_months(
    *, provider_id: str, payer_of: Mapping[datetime, Mapping[str, str]]
) -> dict[datetime, dict[str, dict[str, Billed]]]:
    """Return month's start -> payer's id -> item -> what was billed. 1 query.

    `payer_of`: month's start -> customer's id -> who pays for it that month. What a customer was billed itself,
    before another began to pay for it, counts as billed to the one that pays.
    """
    customers = {pk for payers in payer_of.values() for pk in payers}
    rows = (
        InvoiceLine.objects.filter(
            any_of("invoice__customer", customers),
            invoice__organization=provider_id,
            # a month's fee may stand on the invoice of the month before
            invoice__month_start__gte=min(payer_of) - _A_MONTH,
            month_start__in=list(payer_of),
        )
        .exclude(invoice__state=InvoiceState.VOID)
        .exclude(item=CARRIED)
        .order_by()
        .values_list("month_start", "invoice__customer_id", "item", "invoice__currency")
        .annotate(
            Max("description"), Max("meter"), Max("tier"), Max("unit_price"),
            Sum("quantity"), Sum("flat_fee"), Sum("packages"), Sum("amount"),
        )
    )  # fmt: skip
    found: dict[datetime, dict[str, dict[str, Billed]]] = defaultdict(lambda: defaultdict(dict))
    for month_start, customer_id, key, *sums in rows:
        payer_id = payer_of[month_start].get(customer_id)
        if payer_id is None:
            continue
        items, billed = found[month_start][payer_id], Billed(*sums)
        items[key] = _sum(items[key], billed) if key in items else billed
    return found


def differences(items: Iterable[Item], billed: Mapping[str, Billed]) -> Iterator[Difference]:
    """Yield what is to be billed: expected items in their order, then items that are expected no more.

    Amounts are rounded before they are subtracted, so a month's invoices add up, to the cent, to what one would
    have said.
    """
    expected = sorted(items, key=lambda item: item.order)
    for item in expected:
        found = _less(item, billed.get(item.key))
        if found.quantity or found.amount or found.packages:
            yield found
    for key in sorted(billed.keys() - {item.key for item in expected}):
        gone = billed[key]
        if gone.quantity or gone.amount:
            yield _taken_back(key, gone)


def _less(item: Item, before: Billed | None) -> Difference:
    quantity, flat_fee, packages, amount = item.quantity, item.flat_fee, item.packages, item.amount
    if before is not None:
        with localcontext(EXACT):
            quantity, flat_fee = quantity - before.quantity, flat_fee - before.flat_fee
            amount -= before.amount
            packages = None if packages is None else packages - (before.packages or ZERO)
    return Difference(
        item.key, item, item.currency, item.description, item.meter, item.tier,
        item.unit_price, quantity, flat_fee, packages, amount,
    )  # fmt: skip


def _taken_back(key: str, gone: Billed) -> Difference:
    packages = None if gone.packages is None else -gone.packages
    return Difference(
        key, None, gone.currency, gone.description, gone.meter, gone.tier,
        gone.unit_price, -gone.quantity, -gone.flat_fee, packages, -gone.amount,
    )  # fmt: skip


def _sum(one: Billed, other: Billed) -> Billed:
    """Add what two customers were billed of one item, of which one payer pays now."""
    with localcontext(EXACT):
        packages = [p for p in (one.packages, other.packages) if p is not None]
        return Billed(
            one.currency, one.description, one.meter, one.tier, one.unit_price,
            one.quantity + other.quantity, one.flat_fee + other.flat_fee,
            sum(packages, ZERO) if packages else None, one.amount + other.amount,
        )  # fmt: skip
