"""Tiers turn units into priced lines, exactly."""

from decimal import Decimal

import pytest
from hypothesis import given, settings, strategies as st

from accounts.errors import Refused
from billing.currencies import round_money
from billing.presets import DATA_OUT, PRESETS, REST_REQUESTS
from billing.pricing import Tier, make_tariff, plain, read_tiers, write_tiers

D = Decimal
FONTS = [Tier(D(5), D(7)), Tier(D(10), D("6.5")), Tier(None, D(6))]
WITH_FEES = [Tier(D(10), D(10), D(2)), Tier(D(20), D(5), D(3)), Tier(None, D(5), D(3))]
EGRESS_FLAT = [Tier(None, D("0.09"))]


def tariff(tiers, free=0):
    return make_tariff("graduated", tiers, free)


@pytest.mark.parametrize(
    ("tiers", "units", "total"),
    [
        *[(FONTS, u, t) for u, t in [(0, 0), (1, 7), (5, 35), (6, "41.5"), (10, "67.5"), (11, "73.5"),
                                     (20, "127.5"), (25, "157.5")]],
        # a flat fee is due once its tier is reached; no use costs nothing
        *[(WITH_FEES, u, t) for u, t in [(0, 0), (1, 12), (10, 102), (11, 110), (12, 115), (21, 163)]],
        *[(REST_REQUESTS, u, t) for u, t in [
            (1, "0.0000035"), (1_000_000, "3.50"), (333_000_000, "1165.50"), (333_000_001, "1165.5000028"),
            (1_000_000_000, "3033.10"), (1_800_000_000, "4937.10"), (15_000_000_000, "36353.10"),
            (20_000_000_000, "48253.10"), (21_000_000_000, "49763.10"), (25_000_000_000, "55803.10")]],
        *[(DATA_OUT, u, t) for u, t in [(10_240, "921.60"), (10_241, "921.685"), (51_200, "4403.20"),
                                        (153_600, "11571.20"), (200_000, "13891.20")]],
        ([Tier(D(1000), D("0.1")), Tier(D(10_000), D("0.05")), Tier(None, D("0.01"))], 15_000, 600),
        ([Tier(D(1000), D("0.01")), Tier(D(10_000), D("0.008")), Tier(None, D("0.005"))], 15_000, 107),
        ([Tier(D(20), D(2)), Tier(D(120), D(20)), Tier(None, D(10))], 130, 2140),
        ([Tier(D(300_000_000), D("0.000001")), Tier(None, D("0.0000009"))], 432_000_000, "418.80"),
        ([Tier(D(300_000_000), D("0.000001")), Tier(None, D("0.0000009"))], 301_000_000, "300.90"),
        ([Tier(D(10**9), D("0.000001")), Tier(None, D("0.0000008"))], 1_500_000_000, 1400),
        ([Tier(D(5), D(0), D(100)), Tier(D(10), D(0), D(50)), Tier(D(15), D(5)), Tier(None, D(1))], 22, 182),
    ],
)  # fmt: skip
def test_graduated_tiers_price_each_unit_in_its_tier(tiers, units, total):
    assert tariff(tiers).total(D(units)) == D(total)


@pytest.mark.parametrize(
    ("calls", "kib_a_call", "requests", "data", "total"),
    [
        (5_000_000, 3, "17.50", "1.29", "18.79"),
        (15_000_000_000, 4, "36353.10", "5149.84", "41502.94"),
    ],
)
def test_amazons_worked_examples_come_out_to_the_cent(calls, kib_a_call, requests, data, total):
    gib = D(calls * kib_a_call * 1024) / 2**30
    lines = [
        round_money(tariff(REST_REQUESTS).total(D(calls)), "USD"),
        round_money(tariff(EGRESS_FLAT).total(gib), "USD"),
    ]
    assert lines == [D(requests), D(data)]
    assert sum(lines) == D(total)


def test_a_bill_shows_a_line_for_each_tier_with_its_bounds():
    lines = tariff(REST_REQUESTS).lines(D(334_000_000))
    assert [(line.tier, line.above, line.up_to, line.quantity, line.amount) for line in lines] == [
        (1, D(0), D(333_000_000), D(333_000_000), D("1165.5")),
        (2, D(333_000_000), D(1_000_000_000), D(1_000_000), D("2.8")),
    ]


def test_free_units_come_before_the_tiers_and_are_shown():
    lines = tariff(DATA_OUT, 100).lines(D(150))
    assert [(line.tier, line.quantity, line.amount) for line in lines] == [
        (0, D(100), D(0)),
        (1, D(50), D("4.5")),
    ]
    assert [line.tier for line in tariff(DATA_OUT, 100).lines(D(100))] == [0]


def test_one_call_at_the_lowest_price_does_not_vanish():
    assert tariff([Tier(None, D("0.00000151"))]).total(D(1)) == D("0.00000151")
    assert tariff([Tier(None, D("0.000000000001"))]).total(D(1)) == D("0.000000000001")


def test_huge_quantities_are_exact():
    price = tariff([Tier(None, D("0.000000000003"))])
    assert price.total(D("999999999999999999.000000000001")) == D("2999999.999999999997000000000003")


def test_the_presets_are_valid_prices():
    for preset in PRESETS.values():
        for price in preset.prices:
            assert make_tariff(price.model, price.tiers, price.free_units).total(D(0)) == 0


def test_tiers_survive_being_stored():
    assert read_tiers(write_tiers(REST_REQUESTS)) == REST_REQUESTS
    assert write_tiers(REST_REQUESTS)[0] == {
        "up_to": "333000000",
        "unit_price": "0.0000035",
        "flat_fee": "0",
    }


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        ("10 @ 5", "must be a list"),
        ({"up_to": None}, "must be a list"),
        ([], "at least one tier"),
        ([3], "Tier 1 must be an object"),
        ([{"up_to": None}], "Tier 1: unit_price is missing"),
        ([{"up_to": 5, "unit_price": "1"}], "leave up_to of the last tier empty"),
        ([{"up_to": None, "unit_price": "1"}] * 2, "Tier 1: only the last tier"),
        (
            [{"up_to": n, "unit_price": "1"} for n in (10, 10, None)],
            "Tier 2: up_to 10 must be greater than 10",
        ),
        ([{"up_to": n, "unit_price": "1"} for n in (0, None)], "Tier 1: up_to 0 must be greater than 0"),
        ([{"up_to": None, "unit_price": "-1"}], "Tier 1: unit_price must be a number of at least 0"),
        ([{"up_to": None, "unit_price": "free"}], "Tier 1: unit_price must be a number"),
        ([{"up_to": None, "unit_price": "NaN"}], "Tier 1: unit_price must be a number"),
        ([{"up_to": None, "unit_price": "1e30"}], "Tier 1: unit_price must be less than"),
        ([{"up_to": None, "unit_price": "0.0000000000001"}], "more than 12 decimals"),
        ([{"up_to": None, "unit_price": "1", "price": "2"}], "Tier 1: unknown price"),
    ],
)
def test_bad_tiers_are_refused_with_the_tier_and_the_way_out(raw, words):
    with pytest.raises(Refused, match=words) as refused:
        read_tiers(raw)
    assert refused.value.field == "tiers"


def test_other_bad_input_names_its_field():
    for arguments, field in [
        (("volume-ish", FONTS, 0), "model"),
        (("graduated", FONTS, "-1"), "free_units"),
        (("graduated", FONTS, "lots"), "free_units"),
    ]:
        with pytest.raises(Refused) as refused:
            make_tariff(*arguments)
        assert refused.value.field == field
    with pytest.raises(Refused) as refused:
        tariff(FONTS).lines(D(-1))
    assert refused.value.field == "quantity"


def test_a_number_from_json_means_what_was_typed():
    assert read_tiers([{"up_to": None, "unit_price": 0.0000035}])[0].unit_price == D("0.0000035")


def test_plain_text_has_no_exponent_and_no_idle_zeros():
    assert [plain(D(n)) for n in ("1E+3", "0.50", "3.5E-6", "10", "0.000")] == [
        "1000",
        "0.5",
        "0.0000035",
        "10",
        "0",
    ]


prices = st.decimals(min_value=0, max_value=1000, places=12)


@st.composite
def tariffs(draw):
    bounds = sorted(draw(st.sets(st.integers(1, 10**6), max_size=5)))
    fees = st.decimals(min_value=0, max_value=100, places=2)
    tiers = [Tier(D(b), draw(prices), draw(fees)) for b in bounds] + [Tier(None, draw(prices), draw(fees))]
    return tariff(tiers, draw(st.integers(0, 10**5)))


units = st.decimals(min_value=0, max_value=2 * 10**6, places=12)


@given(tariffs(), units, units)
@settings(max_examples=150, deadline=None)
def test_more_use_never_costs_less(price, one, other):
    low, high = sorted((one, other))
    assert price.total(low) <= price.total(high)


@given(tariffs(), st.lists(st.integers(0, 10**5), max_size=8), st.randoms())
@settings(max_examples=150, deadline=None)
def test_increments_in_any_order_add_up_to_the_whole(price, amounts, shuffle):
    shuffle.shuffle(amounts)
    so_far, sums = D(0), D(0)
    for amount in amounts:
        sums += price.total(so_far + amount) - price.total(so_far)
        so_far += amount
    assert sums == price.total(D(sum(amounts)))


@given(tariffs(), units)
@settings(max_examples=150, deadline=None)
def test_the_lines_hold_every_unit_once(price, used):
    assert sum((line.quantity for line in price.lines(used)), D(0)) == used


@given(tariffs())
def test_nothing_costs_nothing(price):
    assert price.lines(D(0)) == []
    assert price.total(D(0)) == 0
