"""Spend caps: the money left becomes a number of calls, and nothing left becomes a stop that ends by itself."""

from decimal import Decimal

import pytest
from django.core import mail

from access.models import CallAllowance
from accounts.webhooks.endpoints import create_endpoint
from accounts.webhooks.models import WebhookEvent
from billing import spend_stop
from billing.affordable import most_units
from billing.budgets import change_budget, delete_budget
from billing.pricing import make_tariff
from billing.spend_stop import CAP_REACHED, Limit, Source, most_late_calls
from billing.spending import watched
from tests.billing.factories import NOVEMBER, OCTOBER, make_priced_plan, november, october, subscribed, use
from tests.billing.test_budgets import budget_of, look, make_plan_at
from tests.factories import audit_actions, make_organization, make_plan, make_user

pytestmark = pytest.mark.django_db
D = Decimal


@pytest.fixture
def acme():
    return make_organization(make_user("alice"), name="Acme")


@pytest.fixture
def subscription(acme):
    return subscribed(make_plan_at(), acme)


def allowance(subscription):
    return CallAllowance.objects.filter(subscription=subscription).first()


def test_the_money_left_becomes_a_number_of_calls(acme, subscription):
    use(subscription, october(2), 120)
    budget_of(acme, amount="5", stops=True)
    look(acme)
    row = allowance(subscription)
    assert (row.further, row.counted, row.stopped_until) == (380, 120, None)
    assert row.window_starts_at == OCTOBER.start
    use(subscription, october(3), 379)
    look(acme)
    row = allowance(subscription)
    assert (row.further, row.counted, row.stopped_until) == (1, 499, None)


def test_a_cap_that_is_reached_stops_until_the_month_is_over(
    acme, subscription, django_capture_on_commit_callbacks
):
    create_endpoint(organization=acme, url="http://127.0.0.1:9/", actor=None)
    budget_of(acme, amount="5", stops=True, percents=[])
    use(subscription, october(2), 500)
    with django_capture_on_commit_callbacks() as callbacks:
        look(acme)
        look(acme)
    row = allowance(subscription)
    assert (row.further, row.stopped_until, row.reason) == (0, OCTOBER.end, CAP_REACHED)
    assert [(each.type, each.data["stopped"]) for each in WebhookEvent.objects.all()] == [
        ("spend_cap.reached", [subscription.pk])
    ]
    for callback in callbacks:
        callback()
    assert [each.subject for each in mail.outbox] == [
        "[Gatehouse] The spend cap All is reached: calls are refused"
    ]
    assert audit_actions()[-1] == "subscription.stopped"


def test_money_that_does_not_buy_another_call_stops_too(acme):
    subscription = subscribed(make_plan_at("0.03"), acme)
    budget_of(acme, amount="1", stops=True)
    use(subscription, october(2), 33)
    look(acme)
    assert allowance(subscription).stopped_until == OCTOBER.end


def test_a_new_month_a_raised_cap_and_no_cap_let_calls_in_again(acme, subscription):
    create_endpoint(organization=acme, url="http://127.0.0.1:9/", actor=None)
    budget = budget_of(acme, amount="5", stops=True)
    use(subscription, october(2), 500)
    look(acme)
    budget = change_budget(budget=budget, amount="7", actor=None)
    look(acme)
    assert (allowance(subscription).further, allowance(subscription).stopped_until) == (200, None)
    use(subscription, october(3), 200)
    look(acme)
    assert allowance(subscription).stopped_until == OCTOBER.end
    look(acme, november(1, 0))
    row = allowance(subscription)
    assert (row.further, row.counted, row.window_starts_at) == (700, 0, NOVEMBER.start)
    assert row.stopped_until is None
    delete_budget(budget=budget, actor=None)
    assert watched() == [acme.pk]  # still bound
    look(acme, november(1, 1))
    assert allowance(subscription).further is None
    look(acme, november(30, 23).replace(month=12, day=1))
    assert allowance(subscription) is None
    assert watched() == []
    assert (
        list(WebhookEvent.objects.order_by("at").values_list("type", flat=True)).count("spend_cap.lifted")
        == 2
    )


def test_the_tightest_cap_holds(acme, subscription):
    use(subscription, october(2), 100)
    budget_of(acme, name="Wide", amount="50", stops=True)
    budget_of(acme, name="Narrow", amount="3", stops=True, subscription=subscription)
    budget_of(acme, name="Alert only", amount="2")
    look(acme)
    assert allowance(subscription).further == 200


def test_a_cap_touches_nobody_else_and_nothing_that_is_free(acme, subscription):
    free = subscribed(make_plan(organization=subscription.provider), acme)
    foreign = subscribed(subscription.plan)
    for each in (subscription, free, foreign):
        use(each, october(2), 900)
    budget_of(acme, amount="5", stops=True)
    look(acme)
    assert list(CallAllowance.objects.values_list("subscription", flat=True)) == [subscription.pk]


def test_base_fees_count(acme):
    subscription = subscribed(make_plan_at(base_fee="10"), acme)
    budget_of(acme, amount="10", stops=True)
    look(acme)
    assert allowance(subscription).stopped_until == OCTOBER.end


def test_the_quota_window_may_be_another_than_the_month(acme):
    subscription = subscribed(make_plan_at(quota_limit=1_000, quota_period="DAY"), acme)
    use(subscription, october(2), 100)
    use(subscription, october(20, 3), 7)
    budget_of(acme, amount="5", stops=True)
    look(acme, october(20))
    row = allowance(subscription)
    assert (row.further, row.counted, row.window_starts_at) == (393, 7, october(20, 0))


def test_data_is_held_by_what_is_metered(acme):
    from billing.rate_cards import create_rate_card, set_price

    card = create_rate_card(organization=make_organization(), name="Data", actor=None)
    set_price(rate_card=card, meter="bytes_out", tiers=[{"up_to": None, "unit_price": "1"}], actor=None)
    subscription = subscribed(make_priced_plan(card), acme)
    budget_of(acme, amount="3", stops=True)
    use(subscription, october(2), 10, 2 * 2**30)
    look(acme)
    assert allowance(subscription).further is None
    use(subscription, october(3), 10, 2**30)
    look(acme)
    assert allowance(subscription).stopped_until == OCTOBER.end


def test_other_limits_than_budgets_can_be_held(acme, subscription, monkeypatch):
    def limits(customer_ids, items, at):
        return [Limit(frozenset(each.subscription.pk for each in items), D("0.50"), "The credit is spent.")]

    monkeypatch.setattr(spend_stop, "SOURCES", [Source(lambda: [acme.pk], limits)])
    assert watched(caps_only=True) == [acme.pk]
    look(acme)
    assert allowance(subscription).further == 50


def test_the_bound_in_calls_is_what_the_throttle_lets_in_until_the_stop(settings):
    settings.SPEND_INTERVAL = 10.0
    assert most_late_calls(make_plan(throttle_rate=5, throttle_burst=20)) == 5 * 16 + 20
    assert most_late_calls(make_plan()) is None


@pytest.mark.parametrize(
    ("tiers", "free", "units", "money", "most"),
    [
        ([(None, "0.01", "0")], "0", "0", "1", 100),
        ([(None, "0.01", "0")], "0", "0", "0", 0),
        ([(None, "0.01", "0")], "0", "0", "0.019", 1),
        ([(None, "0.01", "0")], "50", "20", "1", 130),
        ([("10", "1", "0"), (None, "2", "0")], "0", "8", "6", 4),
        ([("10", "1", "0"), (None, "0.5", "3")], "0", "8", "4.4", 2),  # the flat fee comes with unit 11
        ([(None, "0", "0")], "0", "0", "0", None),
        ([(None, "0.000000000001", "0")], "0", "0", "5", None),
    ],
)
def test_how_many_units_money_buys(tiers, free, units, money, most):
    names = ("up_to", "unit_price", "flat_fee")
    tariff = make_tariff("graduated", [dict(zip(names, tier, strict=True)) for tier in tiers], free)
    found = most_units(tariff, D(units), D(money))
    assert found == most
    if most is not None:
        cost = [tariff.total(D(units) + n) - tariff.total(D(units)) for n in (most, most + 1)]
        assert cost[0] <= D(money) < cost[1]


def test_a_limit_that_is_no_budget_tells_of_used_up_credit(acme, subscription, monkeypatch):
    create_endpoint(organization=acme, url="http://127.0.0.1:9/", actor=None)

    def limits(customer_ids, items, at):
        return [Limit(frozenset(each.subscription.pk for each in items), D(0), "The credit is spent.")]

    monkeypatch.setattr(spend_stop, "SOURCES", [Source(lambda: [acme.pk], limits)])
    look(acme)
    look(acme)
    event = WebhookEvent.objects.get()
    assert event.type == "credit.used_up"
    assert event.data == {"provider": subscription.provider_id, "stopped": [subscription.pk]}
