"""Minimum, maximum, discount, proration and metering increments."""

from datetime import date
from decimal import Decimal

import pytest

from accounts.errors import Refused
from billing.currencies import round_money
from billing.pricing import (
    HTTP_INCREMENT,
    STREAM_INCREMENT,
    WEBSOCKET_INCREMENT,
    check_bounds,
    discount,
    prorate,
    to_bounds,
    units_of_size,
)
from tests.billing.pricing.tariffs import OPEN_METER_VOLUME, package, volume

D = Decimal
KIB = 1024


@pytest.mark.parametrize(
    ("amount", "minimum", "maximum", "more"),
    [
        pytest.param(volume(*OPEN_METER_VOLUME).total(D(7)), None, 125, -25, id="V12-maximum"),
        pytest.param(volume(*OPEN_METER_VOLUME).total(D(5)), 150, None, 50, id="V12-minimum"),
        pytest.param(D(100), 100, 200, 0, id="at-the-minimum"),
        pytest.param(D(200), 100, 200, 0, id="at-the-maximum"),
        pytest.param(D(0), 100, 100, 100, id="one-sum-whatever-the-use"),
        pytest.param(D(7), None, 0, -7, id="free"),
        pytest.param(D(7), None, None, 0, id="no-bounds"),
    ],
)
def test_bounds(amount, minimum, maximum, more):
    def bound(value):
        return None if value is None else D(value)

    assert to_bounds(amount, bound(minimum), bound(maximum)) == more


def test_v13_a_maximum_over_two_parts_of_a_month():
    price, maximum = package(10, 15), D(100)
    first, whole = price.total(D(60)), price.total(D(110))
    taken, taken_in_all = to_bounds(first, None, maximum), to_bounds(whole, None, maximum)
    assert (first, taken) == (90, 0)
    assert (whole - first, taken_in_all - taken) == (75, -65)


def test_a_minimum_above_the_maximum_is_refused():
    check_bounds(D(1), D(1))
    check_bounds(D(1), None)
    with pytest.raises(Refused, match="minimum 2 is greater than the maximum 1") as refused:
        check_bounds(D(2), D(1))
    assert refused.value.field == "minimum"


def test_a_discount_is_a_part_of_the_amount():
    assert discount(D("0.000000000001"), D("12.5")) == D("-0.000000000000125")
    assert [discount(D(40), D(n)) for n in (0, 25, 100)] == [0, -10, -40]
    for percent in (D(-1), D("100.01")):
        with pytest.raises(Refused, match="0 to 100 percent") as refused:
            discount(D(1), percent)
        assert refused.value.field == "percent"


def test_v17_a_fee_by_days():
    quarter = (date(2026, 7, 15) - date(2026, 4, 15)).days
    active = (date(2026, 6, 20) - date(2026, 5, 20)).days + 1
    assert (quarter, active) == (91, 32)
    assert prorate(D(910), active, quarter) == 320


def test_proration_by_the_second_is_exact_until_its_line_is_rounded():
    month, half = 743 * 3600, 743 * 1800
    assert prorate(D(10), half, month) == 5
    third = prorate(D(10), 1, 3)
    assert round_money(third, "USD") == D("3.33")
    assert round_money(third * 3, "USD") == 10
    assert (prorate(D(10), 0, month), prorate(D(10), month, month)) == (0, 10)
    for active, whole in [(2, 1), (-1, 1), (0, 0)]:
        with pytest.raises(ValueError, match="not a part"):
            prorate(D(1), active, whole)


@pytest.mark.parametrize(
    ("size", "increment", "units"),
    [
        pytest.param(513 * KIB, HTTP_INCREMENT, 2, id="V10-http"),
        pytest.param(33 * KIB, WEBSOCKET_INCREMENT, 2, id="V10-websocket"),
        pytest.param(512 * KIB, HTTP_INCREMENT, 1, id="a-full-one"),
        pytest.param(512 * KIB + 1, HTTP_INCREMENT, 2, id="a-byte-more"),
        pytest.param(0, HTTP_INCREMENT, 1, id="an-empty-call"),
        pytest.param(4 * KIB * KIB + 512 * KIB, HTTP_INCREMENT, 9, id="AWS-HTTP-2"),
        pytest.param(25 * KIB * KIB, STREAM_INCREMENT, 3, id="streamed"),
    ],
)
def test_increments(size, increment, units):
    assert units_of_size(size, increment) == units


def test_increments_of_nonsense_are_a_mistake():
    for size, increment in [(-1, 1), (1, 0)]:
        with pytest.raises(ValueError, match="bytes in increments"):
            units_of_size(size, increment)
