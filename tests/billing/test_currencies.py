"""Money is rounded once, to the decimals of its currency."""

from decimal import Decimal

import pytest

from accounts.errors import Refused
from billing.currencies import DECIMALS, check_currency, round_money

D = Decimal


@pytest.mark.parametrize(
    ("amount", "currency", "rounded"),
    [
        ("1.2875", "USD", "1.29"),
        ("0.005", "USD", "0.01"),
        ("0.0049", "USD", "0.00"),
        ("-0.005", "USD", "-0.01"),
        ("17.7196", "EUR", "17.72"),
        ("99.5", "JPY", "100"),
        ("1.0005", "BHD", "1.001"),
    ],
)
def test_amounts_are_rounded_half_up_to_the_currencys_decimals(amount, currency, rounded):
    assert str(round_money(D(amount), currency)) == rounded


def test_a_currency_is_taken_in_any_case_and_refused_when_unknown():
    assert check_currency(" eur ") == "EUR"
    with pytest.raises(Refused, match="ISO 4217") as refused:
        check_currency("dollars")
    assert refused.value.field == "currency"


def test_the_table_has_only_iso_codes():
    assert all(len(code) == 3 and code.isupper() for code in DECIMALS)
    assert (DECIMALS["USD"], DECIMALS["JPY"], DECIMALS["BHD"]) == (2, 0, 3)
