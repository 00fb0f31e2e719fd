"""How much of an invoice a credit note takes back, tax in proportion. Pure: amounts in, amounts out.

Taxes are worked out cumulatively: the part of each that all credits so far should hold, less what earlier ones
took. So credits that together take back an invoice take back each tax of it to the cent.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, localcontext

from accounts.errors import Refused
from billing.currencies import round_money
from billing.pricing import EXACT, ZERO


@dataclass(frozen=True, slots=True)
class ChargedTax:
    """A tax on the invoice: `contained` in its lines, or added to them."""

    id: int
    amount: Decimal
    contained: bool


@dataclass(frozen=True, slots=True)
class Credited:
    """What credit notes took back: `total`, and of it each tax by id."""

    total: Decimal = ZERO
    taxes: Mapping[int, Decimal] = field(default_factory=dict)

    def lines(self, charged: Sequence[ChargedTax]) -> Decimal:
        """Return what it comes to in the invoice's lines: without the taxes that were added to them."""
        added = (self.taxes.get(tax.id, ZERO) for tax in charged if not tax.contained)
        return self.total - sum(added, ZERO)

    @property
    def tax_total(self) -> Decimal:
        return sum(self.taxes.values(), ZERO)


@dataclass(frozen=True, slots=True)
class Bill:
    """An invoice as crediting sees it."""

    total: Decimal
    currency: str
    taxes: Sequence[ChargedTax]

    @property
    def lines(self) -> Decimal:
        """The sum of its lines."""
        return self.total - sum((tax.amount for tax in self.taxes if not tax.contained), ZERO)


def by_amount(bill: Bill, before: Credited, amount: Decimal) -> Credited:
    """Take back `amount`, taxes included. Refused(field `amount`) for more than is left."""
    left = bill.total - before.total
    _check_money(amount, bill.currency, "amount")
    if amount > left:
        raise Refused(
            f"Only {left.normalize():f} {bill.currency} of this invoice are left to credit.",
            field="amount",
            code="too_much",
        )
    return Credited(amount, _taxes(bill, before, before.total + amount, bill.total))


def by_lines(bill: Bill, before: Credited, amounts: Sequence[Decimal]) -> Credited:
    """Take back these amounts of lines, and the taxes that were added to them. Refused(field `lines`) as above."""
    for amount in amounts:
        _check_money(amount, bill.currency, "lines")
    lines, earlier = sum(amounts, ZERO), before.lines(bill.taxes)
    if earlier + lines > bill.lines:
        raise Refused(
            f"Only {(bill.lines - earlier).normalize():f} {bill.currency} of the lines are left to credit.",
            field="lines",
            code="too_much",
        )
    taxes = _taxes(bill, before, earlier + lines, bill.lines)
    added = sum((taxes[tax.id] for tax in bill.taxes if not tax.contained), ZERO)
    return Credited(min(lines + added, bill.total - before.total), taxes)


def _taxes(bill: Bill, before: Credited, part: Decimal, whole: Decimal) -> dict[int, Decimal]:
    with localcontext(EXACT):
        so_far = {tax.id: round_money(tax.amount * part / whole, bill.currency) for tax in bill.taxes}
    return {key: max(ZERO, amount - before.taxes.get(key, ZERO)) for key, amount in so_far.items()}


def _check_money(amount: Decimal, currency: str, at: str) -> None:
    if not amount.is_finite() or amount <= 0:
        raise Refused("Give an amount above 0.", field=at)
    if amount != round_money(amount, currency):
        raise Refused(f"{amount} has more decimals than {currency} has.", field=at)
