"""Base fees: whole or in part, past or in advance."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from access.models import SubscriptionState
from billing.ledger.balances import balance
from billing.periods import month
from tests.billing.factories import (
    NOVEMBER,
    OCTOBER,
    amounts,
    card_with,
    change_plan_at,
    close,
    close_one,
    make_priced_plan,
    new_version,
    november,
    subscribed,
)
from tests.factories import make_organization

pytestmark = pytest.mark.django_db
D = Decimal


def at(day, hour=0, minute=0):
    return datetime(2026, 10, day, hour, minute, tzinfo=UTC)


def bill(proration, *, fee="31", started=None, ended=None, timezone="UTC"):
    provider = make_organization(timezone=timezone)
    plan = make_priced_plan(card_with(provider, base_fee=fee, proration=proration))
    state = SubscriptionState.CANCELLED if ended else SubscriptionState.ACTIVE
    subscribed(plan, started_at=started or at(1), ended_at=ended, state=state)
    return close_one(provider, period=month(2026, 10, timezone)).total


@pytest.mark.parametrize(
    ("proration", "started", "ended", "total"),
    [
        ("second", at(1), None, "31"),
        ("second", at(17), None, "15"),
        ("second", at(1), at(16, 12), "15.5"),
        ("second", at(10), at(10, 0, 1), "0.00"),
        # both the first and the last day count
        ("day", at(17, 23, 59), None, "15"),
        ("day", at(1), at(16, 12), "16"),
        ("day", at(10), at(10, 0, 1), "1"),
        ("none", at(31, 23, 59), None, "31"),
        ("none", at(1), at(1, 0, 1), "31"),
    ],
)
def test_a_part_of_a_month_costs_its_part(proration, started, ended, total):
    assert bill(proration, started=started, ended=ended) == D(total)


def test_thirty_two_of_ninety_one_days():
    """V17 in a month's terms: 8 of 31 days of 910, rounded once."""
    assert bill("day", fee="910", started=at(24)) == D("234.84")


def test_days_are_those_of_the_providers_calendar():
    # 23:30 UTC is the next day in Kolkata already
    assert bill("day", started=at(16, 23, 30), timezone="Asia/Kolkata") == 15


@pytest.mark.parametrize(
    ("proration", "moment", "fees"),
    [
        ("second", at(16, 12), ["15.5", "31"]),
        # the day of the change belongs to the new plan
        ("day", at(16, 12), ["15", "32"]),
        # the last plan is paid whole, the first not at all
        ("none", at(16, 12), ["62"]),
    ],
)
def test_a_change_of_plans_splits_the_fee(proration, moment, fees):
    small = card_with(base_fee="31", proration=proration)
    big = card_with(small.organization, name="Dear", base_fee="62", proration=proration)
    subscription = subscribed(make_priced_plan(small))
    change_plan_at(subscription, make_priced_plan(big), moment)
    assert amounts(close_one(small.organization)) == [D(fee) for fee in fees]


@pytest.mark.parametrize(("proration", "fees"), [("second", [15, 32]), ("day", [15, 32]), ("none", [31])])
def test_a_new_base_fee_in_mid_month(proration, fees):
    card = card_with(base_fee="31", proration=proration)
    new_version(card, at(16), base_fee="62")
    subscribed(make_priced_plan(card))
    assert amounts(close_one(card.organization)) == fees


def test_a_cancelled_plan_gives_back_what_was_billed_for_the_rest():
    card = card_with(base_fee="31")
    subscription = subscribed(make_priced_plan(card))
    assert close_one(card.organization, at=at(5)).total == 31
    subscription.ended_at, subscription.state = at(11), SubscriptionState.CANCELLED
    subscription.save()
    back = close_one(card.organization)
    assert (back.total, amounts(back)) == (0, [-21, 21])
    assert balance(provider=card.organization, customer=subscription.organization, currency="USD") == 21


def test_a_fee_in_advance_is_billed_with_the_month_before():
    card = card_with(base_fee="31", base_fee_in_advance=True)
    subscribed(make_priced_plan(card), started_at=at(17))
    # until the month is over, only its own fee
    assert amounts(close_one(card.organization, at=at(20))) == [15]
    coming = close_one(card.organization)
    (line,) = coming.lines.all()
    assert (line.month_start, line.amount) == (NOVEMBER.start, 31)
    assert line.description.endswith("Base fee (in advance for November 2026)")
    assert close(card.organization) == []
    december = NOVEMBER.following()
    (line,) = close_one(card.organization, period=NOVEMBER, at=NOVEMBER.end).lines.all()
    assert (line.month_start, line.amount) == (december.start, 31)


def test_a_fee_in_advance_is_given_back_for_the_time_after_the_end():
    card = card_with(base_fee="30", base_fee_in_advance=True)
    subscription = subscribed(make_priced_plan(card))
    assert close_one(card.organization).total == 60
    subscription.ended_at, subscription.state = november(11, 0), SubscriptionState.CANCELLED
    subscription.save()
    back = close_one(card.organization, period=NOVEMBER, at=NOVEMBER.end)
    assert sorted(amounts(back)) == [-20, 20]


def test_an_end_that_is_known_is_counted_with():
    card = card_with(base_fee="31")
    subscribed(make_priced_plan(card), cancel_at=at(11))
    assert close_one(card.organization, at=at(5)).total == 10


def test_a_change_that_is_to_come_is_counted_with_in_advance():
    card = card_with(base_fee="31", base_fee_in_advance=True)
    big = card_with(card.organization, name="Dear", base_fee="62", base_fee_in_advance=True)
    subscribed(
        make_priced_plan(card), next_plan=make_priced_plan(big), next_plan_at=OCTOBER.end, started_at=at(1)
    )
    assert amounts(close_one(card.organization, at=OCTOBER.end + timedelta(hours=1))) == [31, 62]
