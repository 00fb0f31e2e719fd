"""Tax of a sum: net, each rate's amount rounded once, total."""

from decimal import Decimal

import pytest
from hypothesis import given, strategies as st

from billing.currencies import DECIMALS
from billing.tax import Rate, tax

D = Decimal


def rates(*found: str) -> list[Rate]:
    """`19` is added, `19 in` is contained."""
    return [Rate(D(text.removesuffix(" in")), text.endswith(" in")) for text in found]


@pytest.mark.parametrize(
    ("lines", "percents", "net", "amounts", "total"),
    [
        # V20 of the pricing vectors: 14.29 + 24 % = 17.7196
        ("14.29 EUR", ["24"], "14.29", ["3.43"], "17.72"),
        ("100 EUR", [], "100", [], "100"),
        ("119 EUR", ["19 in"], "100", ["19.00"], "119"),
        ("100 EUR", ["19 in"], "84.03", ["15.97"], "100"),
        # Quebec: GST and QST, both on the net
        ("100 CAD", ["5", "9.975"], "100", ["5.00", "9.98"], "114.98"),
        # two contained rates share the gross by their percents
        ("112 USD", ["5 in", "7 in"], "100", ["5.00", "7.00"], "112"),
        # contained first, then added to what is left
        ("110 USD", ["10 in", "2"], "100", ["10.00", "2.00"], "112"),
        ("1005 JPY", ["10"], "1005", ["101"], "1106"),
        ("0.005 BHD", ["10"], "0.005", ["0.001"], "0.006"),
        ("-50 EUR", ["19"], "-50", ["-9.50"], "-59.50"),
        ("10 EUR", ["0"], "10", ["0"], "10"),
    ],
)
def test_vectors(lines, percents, net, amounts, total):
    amount, currency = lines.split()
    found = tax(D(amount), rates(*percents), currency)
    assert (found.net, found.amounts, found.total) == (D(net), [D(each) for each in amounts], D(total))


cents = st.integers(-(10**12), 10**12)
percent = st.integers(0, 10**8).map(lambda millionths: D(millionths) / 10**6)
some_rates = st.lists(st.builds(Rate, percent, st.booleans()), max_size=4)


@given(cents, some_rates, st.sampled_from(["USD", "JPY", "BHD"]))
def test_prices_with_tax_contained_stay_what_they_are_and_every_amount_is_money(units, applied, currency):
    unit = D(1).scaleb(-DECIMALS[currency])
    lines = units * unit
    found = tax(lines, applied, currency)
    added = sum((a for a, rate in zip(found.amounts, applied, strict=True) if not rate.inclusive), D(0))
    assert found.total - added == lines
    assert all(amount % unit == 0 for amount in [found.net, *found.amounts])


@given(cents, percent)
def test_a_contained_tax_is_a_tax_of_the_net_to_the_cent(units, rate):
    found = tax(units * D("0.01"), [Rate(rate, inclusive=True)], "USD")
    assert abs(found.net * rate / 100 - found.amounts[0]) <= D("0.0101")
