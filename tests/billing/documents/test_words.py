"""How documents write numbers."""

from decimal import Decimal

import pytest

from billing.documents import words

D = Decimal


@pytest.mark.parametrize(
    ("amount", "currency", "text"),
    [
        ("1180.1", "USD", "1,180.10"),
        ("-3", "EUR", "-3.00"),
        ("1180", "JPY", "1,180"),
        ("0.5", "BHD", "0.500"),
    ],
)
def test_money(amount, currency, text):
    assert words.money(D(amount), currency) == text


@pytest.mark.parametrize(
    ("amount", "currency", "text"),
    [
        ("0.000003500000", "USD", "0.0000035"),
        ("10", "USD", "10.00"),
        ("1200", "JPY", "1,200"),
        ("0.5", "JPY", "0.5"),
    ],
)
def test_prices_are_never_rounded(amount, currency, text):
    assert words.price(D(amount), currency) == text


@pytest.mark.parametrize(
    ("amount", "meter", "text"),
    [
        ("334000000.000000000000", "requests", "334,000,000"),
        ("20.001149764284", "bytes_out", "20.00115 GiB"),
        ("0.000000000931", "bytes_out", "0.000000000931 GiB"),
        ("-150", "requests", "-150"),
        ("-0.5", "", "-0.5"),
        ("0", "requests", "0"),
    ],
)
def test_quantities(amount, meter, text):
    assert words.quantity(D(amount), meter) == text
