"""What tax a bill bears. Pure: amounts in, amounts out.

Inclusive rates are taken out of the lines' sum first; exclusive ones are added to what is left (the net). Each
rate's tax is rounded once, half away from zero, to the currency's decimals; rates do not tax each other.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal, localcontext

from billing.currencies import round_money
from billing.pricing import EXACT, ZERO

HUNDRED = Decimal(100)


@dataclass(frozen=True, slots=True)
class Rate:
    """A tax rate as it is charged: `percent` of the net, contained in prices (`inclusive`) or added to them."""

    percent: Decimal
    inclusive: bool = False


@dataclass(frozen=True, slots=True)
class Taxed:
    """`net` + sum of `amounts` (one for each rate, in their order) = what is to be paid."""

    net: Decimal
    amounts: list[Decimal]

    @property
    def tax(self) -> Decimal:
        return sum(self.amounts, ZERO)

    @property
    def total(self) -> Decimal:
        return self.net + self.tax


def tax(lines: Decimal, rates: Sequence[Rate], currency: str) -> Taxed:
    """Return net and taxes for the lines' sum, which is rounded to the currency's decimals already.

    14.29 with 24 % added: net 14.29, tax 3.43, total 17.72. 119 with 19 % contained: net 100, tax 19.
    """
    with localcontext(EXACT):
        contained = sum((rate.percent for rate in rates if rate.inclusive), ZERO)
        inside = [
            round_money(lines * rate.percent / (HUNDRED + contained), currency) if rate.inclusive else ZERO
            for rate in rates
        ]
        net = lines - sum(inside, ZERO)
        amounts = [
            found if rate.inclusive else round_money(net * rate.percent / HUNDRED, currency)
            for rate, found in zip(rates, inside, strict=True)
        ]
        return Taxed(net, amounts)
