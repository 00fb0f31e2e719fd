"""What holds for every price list, by random ones."""

from collections import defaultdict
from decimal import Decimal
from functools import reduce
from itertools import pairwise

from hypothesis import example, given, settings, strategies as st

from billing.pricing import EXACT, MODELS, PACKAGE_MODELS, Tier, make_tariff, to_bounds
from billing.pricing.tariff import ONE_TIER
from tests.billing.pricing.tariffs import FONTS, volume

D = Decimal
MONOTONIC = [model for model in MODELS if model not in ("volume", "tiered_package_total")]
prices = st.decimals(min_value=0, max_value=1000, places=12)
fees = st.decimals(min_value=0, max_value=100, places=2)
units = st.decimals(min_value=0, max_value=2 * 10**6, places=12)
often = settings(max_examples=120, deadline=None)


@st.composite
def tariffs(draw, model):
    bounds = [] if model in ONE_TIER else sorted(draw(st.sets(st.integers(1, 10**6), max_size=4)))
    tiers = [
        Tier(
            None if bound is None else D(bound),
            D(0) if model == "flat" else draw(prices),
            D(0) if model in ("per_unit", "package") else draw(fees),
        )
        for bound in [*bounds, None]
    ]
    size = draw(st.integers(1, 10**4)) if model in PACKAGE_MODELS else None
    return make_tariff(model, tiers, draw(st.integers(0, 10**5)), package_size=size)


ANY = st.sampled_from(MODELS).flatmap(tariffs)
RISING = st.sampled_from(MONOTONIC).flatmap(tariffs)


def amount(lines):
    return reduce(EXACT.add, (line.amount for line in lines), D(0))


def held(lines):
    """What invoices hold of each tier: its units, packages, flat fee and money."""
    sums = defaultdict(D)
    for line in lines:
        parts = {
            "units": line.quantity,
            "packages": line.packages,
            "flat": line.flat_fee,
            "money": line.amount,
        }
        for name, value in parts.items():
            sums[line.tier, name] = EXACT.add(sums[line.tier, name], value or D(0))
    return {key: value for key, value in sums.items() if value}


@given(price=ANY, amounts=st.lists(st.integers(0, 10**5), max_size=8), order=st.randoms())
@often
def test_parts_in_any_order_add_up_to_the_whole(price, amounts, order):
    order.shuffle(amounts)
    so_far, billed = D(0), []
    for more in amounts:
        billed += price.difference(so_far, so_far + more)
        so_far += more
    assert held(billed) == held(price.lines(so_far))
    assert amount(billed) == price.total(so_far)


@given(
    price=ANY, events=st.dictionaries(st.text(max_size=3), st.integers(0, 10**4), max_size=8), data=st.data()
)
@often
def test_order_and_duplicates_of_events_change_nothing(price, events, data):
    arrived = data.draw(st.permutations([*events.items(), *list(events.items())[:3]]))
    seen, billed, so_far = {}, [], D(0)
    for key, value in arrived:
        seen[key] = value
        counted = D(sum(seen.values()))
        billed += price.difference(so_far, counted)
        so_far = counted
    assert amount(billed) == price.total(D(sum(events.values())))


@given(price=ANY, used=units)
@often
def test_from_nothing_the_difference_is_the_bill_and_back_it_is_its_refund(price, used):
    lines = price.lines(used)
    assert price.difference(D(0), used) == lines
    assert held(lines + price.difference(used, D(0))) == {}
    assert price.difference(used, used) == []


@given(price=ANY, used=units)
@often
def test_the_lines_hold_every_unit_once_and_none_is_negative(price, used):
    lines = price.lines(used)
    assert sum((line.quantity for line in lines), D(0)) == used
    assert all(min(line.quantity, line.flat_fee, line.packages or 0, line.amount) >= 0 for line in lines)


@given(price=ANY)
@often
def test_nothing_and_free_units_cost_nothing(price):
    assert price.lines(D(0)) == []
    assert price.total(price.free_units) == 0


@given(price=RISING, one=units, other=units)
@often
def test_more_use_never_costs_less(price, one, other):
    low, high = sorted((one, other))
    assert price.total(low) <= price.total(high)


def test_by_volume_more_use_can_cost_less():
    price = volume(*FONTS)
    assert price.total(D(5)) > price.total(D("5.1"))
    on_total = make_tariff("tiered_package_total", FONTS, package_size=5)
    assert (on_total.total(D(5)), on_total.total(D(6))) == (7, 13)
    cheaper = make_tariff("tiered_package_total", [Tier(D(5), D(7)), Tier(None, D(3))], package_size=5)
    assert (cheaper.total(D(5)), cheaper.total(D(6))) == (7, 6)


@given(
    sum_=st.decimals(0, 10**6, places=12),
    minimum=st.none() | st.decimals(0, 10**6, places=12),
    maximum=st.none() | st.decimals(0, 10**6, places=12),
)
@example(sum_=D(0), minimum=D(0), maximum=D(0))
@often
def test_bounds_hold_and_leave_what_is_between_them(sum_, minimum, maximum):
    if minimum is not None and maximum is not None and minimum > maximum:
        minimum, maximum = maximum, minimum
    bounded = EXACT.add(sum_, to_bounds(sum_, minimum, maximum))
    assert bounded >= 0
    assert minimum is None or bounded >= minimum
    assert maximum is None or bounded <= maximum
    inside = (minimum is None or sum_ >= minimum) and (maximum is None or sum_ <= maximum)
    assert (bounded == sum_) is inside


@given(price=prices, size=st.integers(1, 10**4), cuts=st.lists(st.integers(0, 10**5), min_size=1, max_size=6))
@often
def test_however_a_period_is_split_its_packages_cost_the_same(price, size, cuts):
    tariff = make_tariff("package", [Tier(None, price)], package_size=size)
    marks = sorted({0, *cuts})
    parts = [amount(tariff.difference(D(before), D(after))) for before, after in pairwise(marks)]
    assert sum(parts, D(0)) == tariff.total(D(marks[-1]))
