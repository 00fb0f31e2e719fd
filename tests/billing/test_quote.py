"""One pure function makes the lines of invoices, estimates and quotes."""

from decimal import Decimal
from itertools import pairwise

import pytest

from accounts.errors import Refused
from billing.meters import check_meter
from billing.presets import DATA_OUT, DATA_OUT_FREE, REST_REQUESTS
from billing.quote import Terms, meter_lines, quote
from tests.billing.pricing.tariffs import OPEN_METER_VOLUME, graduated, package, per_unit, volume

D = Decimal
AWS = {"requests": graduated(*REST_REQUESTS), "bytes_out": graduated(*DATA_OUT, free=DATA_OUT_FREE)}


def shown(lines):
    return [(line.kind, line.description, line.tier, line.quantity, line.amount) for line in lines]


def test_the_worked_example_of_the_docs():
    lines = quote(
        terms=Terms("USD", AWS, base_fee=D(10)), quantities={"bytes_out": D(120), "requests": D(334_000_000)}
    )
    assert shown(lines) == [
        ("fee", "Base fee", None, 1, D("10.00")),
        ("usage", "Requests, first 333,000,000", 1, 333_000_000, D("1165.50")),
        ("usage", "Requests, above 333,000,000 up to 1,000,000,000", 2, 1_000_000, D("2.80")),
        ("usage", "Data out, first 100 GiB free", 0, 100, 0),
        ("usage", "Data out, first 10,240 GiB", 1, 20, D("1.80")),
    ]


def test_every_subscription_pays_the_base_fee_rounded_for_itself():
    (fee,) = quote(terms=Terms("USD", {}, base_fee=D("0.335")), quantities={}, subscriptions=3)
    assert (fee.quantity, fee.unit_price, fee.amount) == (3, D("0.335"), D("1.02"))


def test_packages_are_counted_on_their_line():
    (free, paid) = quote(
        terms=Terms("USD", {"requests": package(100, 5, free=100)}), quantities={"requests": D(201)}
    )
    assert free.description == "Requests, first 100 free"
    assert paid.description == "Requests, 2 packages of 100, all"
    assert (paid.quantity, paid.packages, paid.unit_price, paid.amount) == (101, 2, 5, 10)


def test_a_total_that_picks_a_tier_says_so():
    terms = Terms("USD", {"requests": volume(*OPEN_METER_VOLUME)})
    assert [
        quote(terms=terms, quantities={"requests": D(n)})[0].description.removeprefix("Requests, ")
        for n in (3, 14, 16)
    ] == [
        "all at the price of first 5",
        "all at the price of above 10 up to 15",
        "all at the price of over 15",
    ]


@pytest.mark.parametrize(
    ("units", "bounds", "line"),
    [
        (5, {"minimum": D(150)}, ("minimum", "Up to the minimum of 150 USD", None, 1, 50)),
        (7, {"maximum": D(125)}, ("maximum", "Down to the maximum of 125 USD", None, 1, -25)),
    ],
)
def test_bounds_add_or_take_on_a_line_of_their_own(units, bounds, line):
    terms = Terms("USD", {"requests": volume(*OPEN_METER_VOLUME)}, **bounds)
    assert shown(quote(terms=terms, quantities={"requests": D(units)}))[1:] == [line]


def test_the_base_fee_counts_towards_the_minimum():
    lines = quote(terms=Terms("USD", {}, base_fee=D(10), minimum=D(25)), quantities={}, subscriptions=2)
    assert [line.amount for line in lines] == [20, 5]


def test_a_meter_without_a_price_is_shown_and_custom_ones_go_by_their_code():
    terms = Terms("USD", {"images": per_unit("0.5"), "audio": per_unit(1)})
    lines = quote(terms=terms, quantities={"images": D(3), "bytes_in": D("0.5"), "audio": D(1)})
    assert [(line.description, line.unit, line.amount) for line in lines] == [
        ("Data in, not charged", "GiB", 0),
        ("Audio, all", "unit", 1),
        ("Images, all", "unit", D("1.5")),
    ]


def test_parts_of_a_month_add_up_to_the_cent():
    price = per_unit("0.333")
    cuts = [0, 1, 4, 5, 9, 10]
    parts = [
        line.amount
        for before, after in pairwise(cuts)
        for line in meter_lines("requests", price, before=D(before), after=D(after), currency="USD")
    ]
    assert sum(parts) == D("3.33")


def test_the_largest_sums_are_rounded_as_well():
    (line,) = meter_lines(
        "requests",
        per_unit("999999999999.5"),
        before=D(0),
        after=D("999999999999999999.000000000001"),
        currency="JPY",
    )
    assert line.amount == D("999999999999499999000000000001")


@pytest.mark.parametrize("tariff", [per_unit(1), package("0.000000000001", 0)])
def test_what_no_invoice_can_hold_is_refused(tariff):
    terms = Terms("USD", {"requests": tariff})
    with pytest.raises(Refused, match=r"Requests, .*: the amount is beyond") as refused:
        quote(terms=terms, quantities={"requests": D(10**12)})
    assert refused.value.field == "quantities"


def test_a_negative_quantity_is_refused():
    with pytest.raises(Refused, match="cannot be negative"):
        quote(
            terms=Terms("USD", {"requests": per_unit(1)}),
            quantities={"requests": D(-1)},
        )


def test_a_meters_code_is_checked():
    for code in ("requests", "ws_messages", "a" * 40):
        assert check_meter(code) == code
    for code in ("", "Requests", "1st", "a" * 41, "a-b", "a\n"):
        with pytest.raises(Refused, match="is not a meter") as refused:
            check_meter(code)
        assert refused.value.field == "meter"
