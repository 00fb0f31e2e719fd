"""Amazon's published worked examples, and those derived from its price list, to the cent."""

from decimal import Decimal

import pytest

from billing.presets import CACHE_HOURS, PRESETS
from billing.pricing import HTTP_INCREMENT, WEBSOCKET_INCREMENT, make_tariff, units_of_size
from billing.quote import Terms, quote
from tests.billing.pricing.tariffs import graduated, per_unit, tier

D = Decimal
KIB, MIB, GIB = 2**10, 2**20, 2**30
MILLION, BILLION = 10**6, 10**9
MONTH_MINUTES = 30 * 24 * 60
# Amazon's examples use one price for all data out
EGRESS = per_unit("0.09")
PORTAL = graduated(tier(10, 0, 125), tier(None, "12.50"))


def preset(name, **others):
    prices = PRESETS[name].prices
    return {p.meter: make_tariff(p.model, p.tiers, p.free_units) for p in prices} | others


def gib(calls, kib):
    return D(calls) * D(kib) * KIB / GIB


REST, HTTP = preset("aws-rest-requests"), preset("aws-http-requests")
WEBSOCKET = preset("aws-websocket")
ROWS = [
    pytest.param(HTTP, {"http_requests": 10_000 * MONTH_MINUTES * units_of_size(46 * KIB, HTTP_INCREMENT)},
                 ["300.00", "118.80"], "418.80", id="HTTP-1"),
    pytest.param(HTTP, {"http_requests": 25 * MONTH_MINUTES * units_of_size(int(4.5 * MIB), HTTP_INCREMENT)},
                 ["9.72"], "9.72", id="HTTP-2"),
    pytest.param(preset("aws-rest-requests", bytes_out=EGRESS),
                 {"requests": 5 * MILLION, "bytes_out": gib(5 * MILLION, 3)},
                 ["17.50", "1.29"], "18.79", id="REST-1-and-V8"),
    pytest.param(preset("aws-rest-requests", bytes_out=EGRESS),
                 {"requests": 15 * BILLION, "bytes_out": gib(15 * BILLION, 4)},
                 ["1165.50", "1867.60", "33320.00", "5149.84"], "41502.94", id="REST-2"),
    pytest.param(preset("aws-rest-requests", link_hours=per_unit("0.01"), link_gib=per_unit("0.01")),
                 {"requests": 5 * MILLION, "link_hours": 720, "link_gib": gib(5 * MILLION, "3.3")},
                 ["17.50", "0.16", "7.20"], "24.86", id="REST-3-private"),
    pytest.param(preset("aws-cache-1.6"), {"cache_hours": 24}, ["0.91"], "0.91", id="Cache-a-day"),
    pytest.param(WEBSOCKET,
                 {"ws_messages": 1_000 * 600 * 30 * units_of_size(3 * KIB, WEBSOCKET_INCREMENT),
                  "ws_minutes": 1_000 * 12 * 60 * 30},
                 ["18.00", "5.40"], "23.40", id="WS-1"),
    pytest.param(REST, {"requests": 21 * BILLION}, ["1165.50", "1867.60", "45220.00", "1510.00"], "49763.10",
                 id="derived-REST-21-billion"),
    pytest.param(HTTP, {"http_requests": BILLION}, ["300.00", "630.00"], "930.00",
                 id="derived-HTTP-1-billion"),
    pytest.param(WEBSOCKET, {"ws_messages": 15 * BILLION // 10, "ws_minutes": 10 * MILLION},
                 ["1000.00", "400.00", "2.50"], "1402.50", id="derived-WS"),
    pytest.param(preset("aws-cache-0.5"), {"cache_hours": 730}, ["14.60"], "14.60",
                 id="derived-cache-0.5"),
    pytest.param(preset("aws-cache-237"), {"cache_hours": 730}, ["2774.00"], "2774.00",
                 id="derived-cache-237"),
    pytest.param({"products": PORTAL}, {"products": 10}, ["125.00"], "125.00", id="portal-10"),
    pytest.param({"products": PORTAL}, {"products": 13}, ["125.00", "37.50"], "162.50", id="portal-13"),
]  # fmt: skip


@pytest.mark.parametrize(("tariffs", "quantities", "amounts", "total"), ROWS)
def test_the_lines_and_the_total(tariffs, quantities, amounts, total):
    lines = quote(
        terms=Terms("USD", tariffs), quantities={meter: D(units) for meter, units in quantities.items()}
    )
    assert [line.amount for line in lines] == [D(amount) for amount in amounts]
    assert sum(line.amount for line in lines) == D(total)


def test_a_day_of_cache_is_exact_before_it_is_rounded():
    assert preset("aws-cache-1.6")["cache_hours"].total(D(24)) == D("0.912")


def test_gib_not_gb_gives_amazons_figure():
    data = gib(5 * MILLION, 3)
    assert round(data, 4) == D("14.3051")
    assert round(EGRESS.total(data), 4) == D("1.2875")


@pytest.mark.parametrize(
    ("name", "units", "total"), [("aws-data-out", 150, "4.5"), ("aws-data-out-from-first", 150, "13.5")]
)
def test_data_out_is_offered_with_and_without_the_free_part(name, units, total):
    assert preset(name)["bytes_out"].total(D(units)) == D(total)


def test_every_size_of_cache_has_its_list():
    for size, price in CACHE_HOURS.items():
        assert preset(f"aws-cache-{size}")["cache_hours"].total(D(1)) == D(price)
    assert len(CACHE_HOURS) == 8
