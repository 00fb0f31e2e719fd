"""Tiers turn units into priced lines, exactly."""

from decimal import Decimal

import pytest

from accounts.errors import Refused
from billing.presets import DATA_OUT, PRESETS, REST_REQUESTS
from billing.pricing import Tier, make_tariff, plain, read_tiers, write_tiers

D = Decimal
FONTS = [Tier(D(5), D(7)), Tier(D(10), D("6.5")), Tier(None, D(6))]
WITH_FEES = [Tier(D(10), D(10), D(2)), Tier(D(20), D(5), D(3)), Tier(None, D(5), D(3))]
EGRESS_FLAT = [Tier(None, D("0.09"))]


def tariff(tiers, free=0):
    return make_tariff("graduated", tiers, free)


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
