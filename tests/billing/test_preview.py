"""What a change of plan or an end would cost: base fees shared by the second."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from access.models import PlanChange
from billing.preview import preview_change, preview_end
from billing.rate_cards import price_plan
from tests.billing.factories import make_rate_card
from tests.factories import make_organization, make_plan, make_stage, make_subscription

pytestmark = pytest.mark.django_db
OCTOBER = datetime(2026, 10, 1, tzinfo=UTC)
MIDDLE = OCTOBER + timedelta(days=15, hours=12)


def plans():
    provider = make_organization()
    cards = [
        make_rate_card(provider, name=f"{fee}", base_fee=Decimal(fee), currency=currency)
        for fee, currency in (("31", "USD"), ("62", "USD"), ("310", "JPY"))
    ]
    return [make_priced(card) for card in cards]


def make_priced(card):
    plan = make_plan(make_stage(), organization=card.organization, name=f"Plan {card.name}")
    price_plan(plan=plan, rate_card=card, actor=None)
    return plan


def amounts(preview):
    return [(line.amount, line.currency) for line in preview.lines]


def test_the_rest_of_the_month_is_exchanged():
    small, large, _ = plans()
    subscription = make_subscription(plan=small)
    preview = preview_change(subscription=subscription, plan=large, at=MIDDLE)
    assert amounts(preview) == [(Decimal("31.00"), "USD"), (Decimal("-15.50"), "USD")]
    assert preview.totals == {"USD": Decimal("15.50")}
    assert preview.lines[0].words == "Plan 62, 15.5 days of October 2026"


def test_currencies_stay_apart_and_have_their_own_decimals():
    small, _, yen = plans()
    preview = preview_change(
        subscription=make_subscription(plan=small), plan=yen, at=OCTOBER + timedelta(days=30, hours=1)
    )
    # 23 of 744 hours
    assert preview.totals == {"JPY": Decimal(10), "USD": Decimal("-0.96")}
    assert preview.lines[0].words == "Plan 310, 23 hours of October 2026"


def test_a_free_plan_costs_nothing():
    free = make_plan()
    preview = preview_change(subscription=make_subscription(plan=free), plan=make_plan(), at=MIDDLE)
    assert (preview.lines, preview.totals) == ([], {})


def test_an_end_owes_what_was_used_of_the_month():
    small, large, _ = plans()
    subscription = make_subscription(plan=large, started_at=OCTOBER - timedelta(days=40))
    assert preview_end(subscription=subscription, at=OCTOBER + timedelta(days=31)).totals == {
        "USD": Decimal(62)
    }
    assert preview_end(subscription=subscription, at=MIDDLE).totals == {"USD": Decimal(31)}
    PlanChange.objects.create(
        organization=subscription.organization,
        subscription=subscription,
        at=OCTOBER + timedelta(days=10),
        old_plan=small,
        new_plan=large,
    )
    assert amounts(preview_end(subscription=subscription, at=MIDDLE)) == [
        (Decimal(10), "USD"),
        (Decimal(11), "USD"),
    ]


def test_who_came_in_the_middle_owes_from_then_on():
    subscription = make_subscription(plan=plans()[0], started_at=MIDDLE)
    assert preview_end(subscription=subscription, at=MIDDLE + timedelta(days=1)).totals == {"USD": Decimal(1)}
