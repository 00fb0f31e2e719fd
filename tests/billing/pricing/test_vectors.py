"""Worked examples that Stripe, Lago, OpenMeter, Kill Bill and Zuplo publish, by the vector's number."""

from decimal import Decimal

import pytest

from billing.presets import DATA_OUT, REST_REQUESTS
from billing.pricing import make_tariff
from tests.billing.pricing.tariffs import (
    FONTS,
    LAGO_VOLUME,
    OPEN_METER,
    OPEN_METER_VOLUME,
    WITH_FEES,
    ZUPLO,
    flat,
    graduated,
    package,
    per_unit,
    tier,
    volume,
)

D = Decimal
MILLION, BILLION = 10**6, 10**9
REST = graduated(*REST_REQUESTS)
EGRESS = graduated(*DATA_OUT)


def rows(vector, tariff, **totals):
    """One test row for each `u<units>=<total>`."""
    return [
        pytest.param(tariff, D(name[1:].replace("_", ".")), D(total), id=f"{vector}-{name}")
        for name, total in totals.items()
    ]


TOTALS = [
    *rows("V1-volume", volume(*FONTS), u0=0, u1=7, u5=35, u6=39, u10=65, u11=66, u20=120, u25=150),
    *rows("V1-graduated", graduated(*FONTS), u0=0, u1=7, u5=35, u6="41.5", u10="67.5", u11="73.5",
          u20="127.5", u25="157.5"),
    *rows("V2-ours", graduated(*WITH_FEES), u0=0, u1=12, u10=102, u11=110, u12=115, u21=163),
    *rows("V2-at-zero", graduated(*WITH_FEES, flat_at_zero=True), u0=2, u1=12, u10=102, u11=110, u12=115,
          u21=163),
    *rows("V3-ours", volume(*LAGO_VOLUME), u0=0, u1=12, u100=210, u100_5="100.5", u101=101, u200=200,
          u300=200),
    *rows("V3-at-zero", volume(*LAGO_VOLUME, flat_at_zero=True), u0=10, u1=12, u300=200),
    *rows("V4-volume", volume(tier(None, "0.0006", 10)), u65000="49.00"),
    *rows("V4-package", package(100, 5, free=100), u201=10),
    *rows("V5", package(10, 100), u121=1300),
    *rows("V5-10-free", package(10, 100, free=10), u121=1200),
    *rows("V5-200-free", package(10, 100, free=200), u121=0),
    *rows("V5-at-15", package(10, 15), u0=0, u10=15, u11=30),
    *rows("V6-graduated", graduated(*ZUPLO), u15000=600),
    *rows("V6-volume", volume(*ZUPLO), u15000=150),
    *rows("V7", REST, u1="0.0000035", u1000000="3.50", u333000000="1165.50", u333000001="1165.5000028",
          u1000000000="3033.10", u1800000000="4937.10", u20000000000="48253.10", u25000000000="55803.10"),
    *rows("V9", EGRESS, u10240="921.60", u10241="921.685", u51200="4403.20", u153600="11571.20",
          u200000="13891.20"),
    *rows("V10", graduated(tier(300 * MILLION, "0.000001"), tier(None, "0.0000009")),
          u301000000="300.90", u1000000000="930"),
    *rows("V11", graduated(*OPEN_METER), u12=160, u22=182),
    *rows("V12-ours", volume(*OPEN_METER_VOLUME), u0=0, u3=100, u5=100, u7=150, u14=140, u15=150, u16=80,
          u100=500),
    *rows("V12-at-zero", volume(*OPEN_METER_VOLUME, flat_at_zero=True), u0=100, u3=100, u16=80),
    *rows("V16-all-tiers", graduated(tier(20, 2), tier(120, 20), tier(None, 10)), u130=2140),
    # its top tier example has two things: 120 units at 20, and 10 others at 10
    *rows("V16-top-tier", volume(tier(20, 2), tier(None, 20)), u120=2400),
    *rows("V16-top-tier-others", volume(tier(None, 10)), u10=100),
    *rows("V22", graduated(tier(1_000, "0.01"), tier(10_000, "0.008"), tier(None, "0.005")), u15000=107),
    *rows("V23", per_unit("0.00000151"), u1="0.00000151"),
    *rows("V23-least", per_unit("0.000000000001"), u1="0.000000000001"),
    *rows("flat", flat(20), u0=0, u1=20, u1000000=20),
    *rows("flat-free", flat(20, free=1000), u1000=0, u1001=20),
    *rows("flat-at-zero", flat(20, flat_at_zero=True), u0=20, u1=20),
    # 25 units in packages of 10, tiers up to 15 and beyond: two started in each, or three at the last's price
    *rows("slab", make_tariff("tiered_package", [tier(15, 100, 1), tier(None, 50, 2)], package_size=10),
          u0=0, u1=101, u15=201, u16=253, u25=253, u26=303),
    *rows("on-total", make_tariff("tiered_package_total", [tier(15, 100, 1), tier(None, 50, 2)],
                                  package_size=10), u0=0, u1=101, u15=201, u16=102, u25=152, u31=202),
]  # fmt: skip


@pytest.mark.parametrize(("tariff", "units", "total"), TOTALS)
def test_a_total(tariff, units, total):
    assert tariff.total(units) == total


PARTS = [
    pytest.param(graduated(*OPEN_METER), 12, 22, [(3, 5, 0, 15), (7, 1, 0, 7)], id="V11-12-to-22"),
    pytest.param(graduated(*OPEN_METER), 7, 8, [(1, 0, 0, 0)], id="V11-7-to-8-nothing-new"),
    pytest.param(package(10, 15), 17, 22, [(5, 15, 0, 15)], id="V13-one-more-package"),
    pytest.param(package(10, 15), 12, 17, [(5, 15, 0, 0)], id="V13-in-a-started-package"),
    pytest.param(per_unit(1, free=10), 5, 20, [(5, 0, 0, 0), (10, 1, 0, 10)], id="V14-pre-5"),
    pytest.param(per_unit(1, free=10), 20, 35, [(15, 1, 0, 15)], id="V14-pre-20"),
    pytest.param(per_unit(10), 5, 7, [(2, 10, 0, 20)], id="V15-late"),
    pytest.param(per_unit(10), 7, 10, [(3, 10, 0, 30)], id="V15-after-it"),
    pytest.param(volume(*OPEN_METER_VOLUME), 15, 16, [(-15, 10, 0, -150), (16, 5, 0, 80)], id="V15-volume"),
    pytest.param(volume(*OPEN_METER_VOLUME), 5, 7, [(-5, 0, -100, -100), (7, 0, 150, 150)], id="V12-5-to-7"),
    pytest.param(volume(*OPEN_METER_VOLUME), 16, 0, [(-16, 5, 0, -80)], id="refund-volume"),
    pytest.param(graduated(*WITH_FEES), 11, 10, [(-1, 5, -3, -8)], id="refund-of-a-tier"),
    pytest.param(per_unit("0.0002"), MILLION, 2 * MILLION, [(MILLION, "0.0002", 0, 200)], id="V18-second"),
    pytest.param(flat(20), 0, 3, [(3, 0, 20, 20)], id="flat-first"),
    pytest.param(flat(20), 3, 9, [(6, 0, 0, 0)], id="flat-later"),
    pytest.param(flat(20, flat_at_zero=True), 0, 3, [(3, 0, 0, 0)], id="flat-paid-at-zero"),
]


@pytest.mark.parametrize(("tariff", "before", "after", "lines"), PARTS)
def test_what_takes_a_bill_from_one_count_to_another(tariff, before, after, lines):
    found = tariff.difference(D(before), D(after))
    assert [(line.quantity, line.unit_price, line.flat_fee, line.amount) for line in found] == [
        tuple(D(number) for number in line) for line in lines
    ]


def test_lines_tell_the_packages_that_are_paid():
    free, paid = package(100, 5, free=100).lines(D(201))
    assert (free.tier, free.quantity, free.packages, free.amount) == (0, 100, None, 0)
    assert (paid.tier, paid.quantity, paid.packages, paid.amount) == (1, 101, 2, 10)
    (more,) = package(10, 15).difference(D(17), D(22))
    assert (more.quantity, more.packages) == (5, 1)


def test_a_bound_inside_a_package_cuts_it_where_packages_are_counted_by_tier():
    tiers = [tier(15, 100), tier(None, 50)]
    by_tier = make_tariff("tiered_package", tiers, package_size=10).lines(D(25))
    assert [(line.tier, line.quantity, line.packages) for line in by_tier] == [(1, 15, 2), (2, 10, 1)]
    (on_total,) = make_tariff("tiered_package_total", tiers, package_size=10).lines(D(25))
    assert (on_total.tier, on_total.quantity, on_total.packages) == (2, 25, 3)
