"""Taking back parts of a bill: in any order, all of it comes back to the cent, and no more."""

from decimal import Decimal

import pytest
from hypothesis import given, strategies as st

from accounts.errors import Refused
from billing.crediting import Bill, ChargedTax, Credited, by_amount, by_lines
from billing.tax import Rate, tax

D = Decimal
CENT = D("0.01")
# drawn as a number: drawing decimals is slow
PERCENT = st.integers(0, 100_000).map(lambda thousandths: D(thousandths) / 1000)


def bill(lines: str, *rates: Rate) -> Bill:
    found = tax(D(lines), rates, "EUR")
    taxes = [ChargedTax(n, a, r.inclusive) for n, (a, r) in enumerate(zip(found.amounts, rates, strict=True))]
    return Bill(found.total, "EUR", taxes)


ADDED, CONTAINED = Rate(D(19)), Rate(D(7), inclusive=True)


@pytest.mark.parametrize(
    ("of", "amounts", "total", "taxes"),
    [
        (bill("100", ADDED), ["50"], "59.50", ["9.50"]),
        (bill("107", CONTAINED), ["53.50"], "53.50", ["3.50"]),
        (bill("107", CONTAINED, ADDED), ["107"], "126.00", ["7.00", "19.00"]),
        (bill("10"), ["1", "2"], "3", []),
    ],
)
def test_lines_bring_their_taxes(of, amounts, total, taxes):
    found = by_lines(of, Credited(), [D(each) for each in amounts])
    assert (found.total, list(found.taxes.values())) == (D(total), [D(each) for each in taxes])


def test_an_amount_holds_its_tax():
    found = by_amount(bill("100", ADDED), Credited(), D("11.90"))
    assert (found.total, found.taxes, found.lines(bill("100", ADDED).taxes)) == (
        D("11.90"),
        {0: D("1.90")},
        10,
    )


@pytest.mark.parametrize("amount", ["0", "-1", "0.001", "119.01", "NaN", "Infinity"])
def test_amounts_that_cannot_be_credited(amount):
    with pytest.raises(Refused) as refused:
        by_amount(bill("100", ADDED), Credited(), D(amount))
    assert refused.value.field == "amount"


def test_lines_beyond_the_bill_are_refused():
    with pytest.raises(Refused, match="50 EUR") as refused:
        by_lines(bill("100", ADDED), Credited(D("59.50"), {0: D("9.50")}), [D("50.01")])
    assert (refused.value.field, refused.value.code) == ("lines", "too_much")


@given(
    lines=st.integers(1, 10**7),
    rates=st.lists(st.builds(Rate, PERCENT, st.booleans()), max_size=3),
    cuts=st.lists(st.tuples(st.booleans(), st.integers(1, 99)), max_size=6),
)
def test_whatever_was_credited_before_the_rest_brings_every_tax_back_to_the_cent(lines, rates, cuts):
    of = bill(str(lines * CENT), *rates)
    total, taxes = D(0), dict.fromkeys(range(len(rates)), D(0))
    for as_lines, percent in cuts:
        before = Credited(total, taxes)
        left = of.lines - before.lines(of.taxes) if as_lines else of.total - total
        amount = (left * percent / 100).quantize(CENT)
        if not 0 < amount < of.total - total:
            continue
        found = by_lines(of, before, [amount]) if as_lines else by_amount(of, before, amount)
        total += found.total
        taxes = {key: taxes[key] + part for key, part in found.taxes.items()}
    if total < of.total:
        rest = by_amount(of, Credited(total, taxes), of.total - total)
        taxes = {key: taxes[key] + part for key, part in rest.taxes.items()}
    assert taxes == {each.id: each.amount for each in of.taxes}
