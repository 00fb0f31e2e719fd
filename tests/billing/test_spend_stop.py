"""Spend caps: the money left becomes a number of calls, and nothing left becomes a stop that ends by itself."""

from decimal import Decimal

import pytest
from django.core import mail

from access.models import CallAllowance, PlanStage
from accounts.webhooks.endpoints import create_endpoint
from accounts.webhooks.models import WebhookEvent
from apis.models import Api
from billing import spend_stop
from billing.affordable import most_calls
from billing.budgets import change_budget, delete_budget
from billing.estimate import estimate
from billing.models import PriceOverride
from billing.next_calls import CallPrice, NextCalls
from billing.overrides import give_override
from billing.pricing import make_tariff
from billing.queries import subscriptions_in, with_prices
from billing.rate_cards import set_price
from billing.spend_stop import CAP_REACHED, Limit, Source, late_calls_of, most_late_calls
from billing.spending import watched
from tests.billing.factories import (
    NOVEMBER,
    OCTOBER,
    card_with,
    each_at,
    make_priced_plan,
    new_version,
    november,
    october,
    subscribed,
    use,
)
from tests.billing.test_budgets import AT, budget_of, look, make_plan_at
from tests.factories import audit_actions, make_organization, make_plan, make_stage, make_user

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
    found = most_calls(NextCalls("USD", (CallPrice(tariff, {"": D(units)}),)), D(money))
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


def further(plan, *, calls=0, amount="10", **on_plan):
    """How many further calls a cap of `amount` lets in on a plan, after `calls`."""
    customer = make_organization()
    subscription = subscribed(plan, customer)
    if calls:
        use(subscription, october(2), calls, **on_plan)
    budget_of(customer, amount=amount, stops=True)
    look(customer)
    return allowance(subscription).further


def volume(*tiers):
    return {
        "model": "volume",
        "tiers": [dict(zip(("up_to", "unit_price"), each, strict=True)) for each in tiers],
    }


def test_each_number_of_calls_has_to_fit_where_a_later_tier_makes_all_cheaper():
    plan = make_priced_plan(card_with(price=volume(("15", "1"), (None, "0.5"))))
    # 16 calls would cost 8, but 13, 14 and 15 more than 12
    assert further(plan, amount="12") == 12
    assert further(plan, amount="15") == 30
    assert further(plan, calls=14, amount="15") == 16
    assert further(plan, calls=20, amount="12") == 4


def test_a_volume_price_counts_its_own_units_alone():
    card = card_with(price=each_at("0.01"))
    new_version(card, october(10, 0), price=volume(("100", "1"), (None, "0.5")))
    # 500 calls at the first version's 0.01 do not reach the second version's cheaper tier
    assert further(make_priced_plan(card), calls=500, amount="15") == 10


def test_each_started_unit_of_a_call_is_held_back():
    plan = make_priced_plan(card_with(meter="http_requests", price=each_at("0.5")))
    assert further(plan, amount="10") == 20
    both = card_with(meter="stream_requests", price=each_at("0.5"))
    set_price(rate_card=both, meter="requests", actor=None, **each_at("0.25", free=4))
    assert further(make_priced_plan(both), amount="10") == 14  # 14 * 0.5 + 10 * 0.25 = 9.50


def overridden(price="0.01", **fields):
    """A subscription whose customer pays differently, and that has a cap of 10."""
    customer = make_organization()
    card = card_with(price=each_at(price))
    subscription = subscribed(make_priced_plan(card), customer)
    give_override(rate_card=card, customer=customer, actor=None, **fields)
    PriceOverride.objects.update(starts_at=october(1, 0))
    budget_of(customer, amount="10", stops=True)
    look(customer)
    return subscription


def test_a_discount_buys_more_calls_but_never_more_than_the_cap():
    subscription = overridden(percent="50")
    # a discount is rounded by itself: one cent is left
    assert allowance(subscription).further == 1998
    subscription = overridden(price="0.003", percent="33.3")
    for day in range(2, 12):
        left = allowance(subscription).further
        if not left:
            break
        use(subscription, october(day), left)
        spent = estimate(organization=subscription.organization, at=AT).totals["USD"]
        assert spent <= 10
        look(subscription.organization)
    assert spent >= D("9.98")
    assert allowance(subscription).stopped_until == OCTOBER.end


def test_a_customers_own_tariff_is_the_price_of_its_calls():
    assert allowance(overridden(meter="requests", **each_at("1"))).further == 10
    assert allowance(overridden(percent="100")).further is None


def test_rounding_by_line_never_takes_a_bill_above_its_cap():
    tiers = [{"up_to": "1", "unit_price": "0.005"}, {"up_to": "2", "unit_price": "0.005"}]
    tiers += [{"up_to": None, "unit_price": "0.005"}]
    plan = make_priced_plan(card_with(price={"model": "graduated", "tiers": tiers}))
    customer = make_organization()
    subscription = subscribed(plan, customer)
    budget_of(customer, amount="0.02", stops=True)
    look(customer)
    # three lines of 0.005 would be 0.03
    assert allowance(subscription).further == 2
    use(subscription, october(2), 2)
    assert estimate(organization=customer, at=AT).totals == {"USD": D("0.02")}


def test_calls_may_go_to_the_dearest_region():
    stages = [make_stage(), make_stage()]
    provider = stages[0].organization
    apis = [stage.version.api for stage in stages]
    for api, region in zip(apis, ("eu-1", "us-1"), strict=True):
        Api.objects.filter(pk=api.pk).update(region=region, organization=provider)
    tiers = [{"up_to": "10", "unit_price": "1"}, {"up_to": None, "unit_price": "0.1"}]
    card = card_with(provider, price={"model": "graduated", "tiers": tiers})
    plan = make_priced_plan(card)
    PlanStage.objects.filter(plan=plan).delete()
    for stage in stages:
        PlanStage.objects.create(organization=provider, plan=plan, stage=stage)
    # 20 calls of eu-1 cost 11; the others may be at 0.1 there, or at 1 in us-1
    assert further(plan, calls=20, api=apis[0].pk, amount="16.5") == 5
    assert further(plan, calls=20, api=apis[0].pk, amount="11.5") == 0


def late_calls(organization, budget, **group):
    living = list(with_prices(subscriptions_in(customer=organization)))
    return late_calls_of(budget, living, **group)


def test_how_exact_a_cap_is_depends_on_who_moves_its_tiers(acme, settings):
    settings.SPEND_INTERVAL = 10.0
    throttle = {"throttle_rate": 5, "throttle_burst": 20}
    plan = make_plan_at(**throttle)
    one = subscribed(plan, acme)
    budget = budget_of(acme, stops=True, subscription=one)
    assert late_calls(acme, budget) == 0
    assert late_calls(acme, budget, in_group=True) is None
    other = subscribed(plan, acme)
    assert late_calls(acme, budget) == 200
    other.delete()
    by_size = card_with(meter="http_requests", price=each_at("1"))
    budget = budget_of(
        acme, name="By size", stops=True, subscription=subscribed(make_priced_plan(by_size, **throttle), acme)
    )
    assert late_calls(acme, budget) == 100


def test_a_card_that_counts_each_subscription_alone_is_exact_beside_others(acme):
    card = card_with(price=each_at("1"), tiers_over="subscription")
    plan = make_priced_plan(card)
    budget = budget_of(acme, stops=True, subscription=subscribed(plan, acme))
    subscribed(plan, acme)
    assert late_calls(acme, budget) == late_calls(acme, budget, in_group=True) == 0
