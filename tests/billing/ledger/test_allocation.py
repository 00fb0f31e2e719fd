"""Order of use: priority, then what expires first, then what began first."""

from decimal import Decimal

from hypothesis import HealthCheck, given, settings, strategies as st

from billing.ledger.allocation import Available, allocate
from tests.billing.ledger.factories import T0, day


def one(name, left, priority=1, starts_at=T0, expires_at=None):
    return Available(name, Decimal(left), priority, starts_at, expires_at)


def test_vector_v19_priorities_come_before_expiries():
    grants = [one("C", 100, 2), one("B", 80, 1, expires_at=day(20)), one("A", 50, 1, expires_at=day(10))]
    assert allocate(grants, Decimal(90), day(1)) == [("A", 50), ("B", 40)]


def test_equal_grants_are_used_in_the_order_of_their_start():
    grants = [one("late", 5, starts_at=day(2)), one("early", 5, starts_at=day(1))]
    assert allocate(grants, Decimal(7), day(3)) == [("early", 5), ("late", 2)]


def test_what_has_not_begun_or_has_expired_is_left_alone():
    grants = [one("past", 5, expires_at=day(3)), one("future", 5, starts_at=day(4)), one("now", 5)]
    assert allocate(grants, Decimal(20), day(3)) == [("now", 5)]


def test_credits_that_lasted_to_the_end_of_the_period_pay_for_it():
    grants = [one("to the end", 5, expires_at=day(31)), one("ended earlier", 5, expires_at=day(30))]
    assert allocate(grants, Decimal(20), day(32), for_use_until=day(31)) == [("to the end", 5)]


def test_nothing_is_taken_for_nothing_or_less():
    assert allocate([one("A", 5)], Decimal(0), T0) == []
    assert allocate([one("A", 5)], Decimal(-1), T0) == []


quick = settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])
moments = st.integers(0, 40).map(day)
grants_of_any_kind = st.lists(
    st.builds(
        Available,
        st.integers(0, 99).map(str),
        st.decimals(0, 1000, places=2),
        st.integers(1, 3),
        moments,
        st.none() | moments,
    ),
    max_size=8,
    unique_by=lambda each: each.id,
)


@quick
@given(grants_of_any_kind, st.decimals(-10, 3000, places=2), moments)
def test_it_takes_all_that_it_can_and_nothing_more(grants, amount, at):
    parts = allocate(grants, amount, at)
    left = {each.id: each.left for each in grants}
    usable = sum((each.left for each in grants if each.usable(at)), Decimal(0))
    assert sum((part for _, part in parts), Decimal(0)) == max(min(amount, usable), Decimal(0))
    assert all(0 < part <= left[pk] for pk, part in parts)
    by_id = {each.id: each for each in grants}
    assert [pk for pk, _ in parts] == sorted((pk for pk, _ in parts), key=lambda pk: by_id[pk].order)
    # only the last one may keep something
    assert all(part == left[pk] for pk, part in parts[:-1])


@quick
@given(grants_of_any_kind, st.decimals(0, 3000, places=2), st.decimals(0, 3000, places=2), moments)
def test_two_charges_use_what_one_of_both_would(grants, first, second, at):
    whole = dict(allocate(grants, first + second, at))
    before = dict(allocate(grants, first, at))
    rest = [
        Available(g.id, g.left - before.get(g.id, 0), g.priority, g.starts_at, g.expires_at) for g in grants
    ]
    after = dict(allocate(rest, second, at))
    assert {pk: before.get(pk, 0) + after.get(pk, 0) for pk in {*before, *after}} == whole
