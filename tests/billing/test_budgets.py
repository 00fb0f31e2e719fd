"""Budgets as developers set them, and alerts: once for each part and month, whoever looks and how often."""

import threading
from decimal import Decimal

import pytest
from django.core import mail
from django.db import connection

from accounts.errors import Refused
from accounts.webhooks.endpoints import create_endpoint
from accounts.webhooks.models import WebhookEvent
from billing.budgets import change_budget, create_budget, delete_budget
from billing.models import Budget, BudgetAlert
from billing.rate_cards import create_rate_card, set_price
from billing.spending import look_at, watched
from tests.billing.factories import make_priced_plan, november, october, subscribed, use
from tests.factories import audit_actions, make_application, make_organization, make_staff, make_user

pytestmark = pytest.mark.django_db
D = Decimal
AT = october(20)


def make_plan_at(price="0.01", currency="USD", base_fee="0", provider=None, **fields):
    """A plan that charges calls alone."""
    provider = provider or make_organization()
    card = create_rate_card(
        organization=provider, name=currency, currency=currency, base_fee=base_fee, actor=None
    )
    set_price(rate_card=card, meter="requests", tiers=[{"up_to": None, "unit_price": price}], actor=None)
    return make_priced_plan(card, **fields)


@pytest.fixture
def acme():
    return make_organization(make_user("alice"), name="Acme")


@pytest.fixture
def subscription(acme):
    return subscribed(make_plan_at(), acme)


def budget_of(organization, **fields):
    defaults = {"name": "All", "amount": "10", "currency": "USD", "actor": None}
    return create_budget(organization=organization, **(defaults | fields))


def look(organization, at=AT):
    return look_at(organization_ids=[organization.pk], at=at)


def told():
    rows = BudgetAlert.objects.filter(told=True).order_by("period", "percent", "amount")
    return list(rows.values_list("period", "percent"))


def test_each_part_is_told_once_by_mail_and_webhook(acme, subscription, django_capture_on_commit_callbacks):
    create_endpoint(organization=acme, url="http://127.0.0.1:9/", actor=None)
    budget = budget_of(acme)
    use(subscription, october(2), 499)
    look(acme)
    assert told() == []
    use(subscription, october(3), 1)
    with django_capture_on_commit_callbacks() as callbacks:
        look(acme)
        look(acme)
    assert told() == [("2026-10", 50)]
    event = WebhookEvent.objects.get()
    assert event.data == {
        "budget": budget.pk, "name": "All", "scope": "organization", "application": None,
        "subscription": None, "period": "2026-10", "currency": "USD", "amount": "10.00", "spent": "5.00",
        "percent": 50,
    }  # fmt: skip
    for callback in callbacks:
        callback()
    assert [(each.to, each.subject) for each in mail.outbox] == [
        (["alice@example.com"], "[Gatehouse] 50 % of the budget All is spent")
    ]
    assert "5.00 of 10.00 USD" in mail.outbox[0].body


def test_parts_that_are_reached_at_once_make_one_mail(acme, subscription, django_capture_on_commit_callbacks):
    budget_of(acme)
    use(subscription, october(2), 1_000)
    with django_capture_on_commit_callbacks(execute=True):
        look(acme)
    assert told() == [("2026-10", 50), ("2026-10", 80), ("2026-10", 100)]
    assert [each.subject for each in mail.outbox] == ["[Gatehouse] 100 % of the budget All is spent"]


def test_mail_can_be_switched_off(acme, subscription, django_capture_on_commit_callbacks):
    budget_of(acme, mails=False)
    use(subscription, october(2), 1_000)
    with django_capture_on_commit_callbacks(execute=True):
        look(acme)
    assert mail.outbox == []


def test_a_new_month_begins_anew(acme, subscription):
    budget_of(acme, percents=[50])
    use(subscription, october(2), 600)
    look(acme)
    look(acme, november(1, 0))
    assert Budget.objects.get().spent == 0
    use(subscription, november(2), 600)
    look(acme, november(3))
    assert told() == [("2026-10", 50), ("2026-11", 50)]


def test_the_month_is_that_of_the_providers_clock(acme):
    plan = make_plan_at(provider=make_organization(timezone="Asia/Tokyo"))
    use(subscribed(plan, acme), october(31, 20), 600)  # in Tokyo it is November
    budget_of(acme, percents=[50])
    look(acme, october(31, 21))
    assert told() == [("2026-11", 50)]


def test_a_budget_counts_what_it_covers_only(acme, subscription):
    other = subscribed(subscription.plan, acme)
    foreign = subscribed(subscription.plan)
    euros = subscribed(make_plan_at(currency="EUR"), acme)
    for each in (subscription, other, foreign, euros):
        use(each, october(2), 300)
    whole = budget_of(acme, name="All")
    of_application = budget_of(acme, name="App", application=other.application)
    of_subscription = budget_of(acme, name="Sub", subscription=subscription)
    in_euros = budget_of(acme, name="Euros", currency="eur")
    look(acme)
    spent = dict(Budget.objects.values_list("pk", "spent"))
    assert [spent[each.pk] for each in (whole, of_application, of_subscription, in_euros)] == [6, 3, 3, 3]


def test_another_amount_is_told_anew_but_not_what_was_told_and_holds_still(acme, subscription):
    budget = budget_of(acme)
    use(subscription, october(2), 850)
    look(acme)
    assert told() == [("2026-10", 50), ("2026-10", 80)]
    budget = change_budget(budget=budget, amount="16", actor=None)  # 850 is 53 % of it
    look(acme)
    assert told() == [("2026-10", 50), ("2026-10", 80)]
    use(subscription, october(3), 500)
    look(acme)
    assert told() == [("2026-10", 50), ("2026-10", 80), ("2026-10", 80)]
    change_budget(budget=budget, amount="13", actor=None)  # lowered: all of it is spent now
    look(acme)
    assert told()[-1] == ("2026-10", 100)


def test_refusals_name_the_field(acme, subscription):
    foreign = make_application()
    budget_of(acme)
    for fields, field in (
        ({"name": "All"}, "name"),
        ({"amount": "0"}, "amount"),
        ({"amount": "-1"}, "amount"),
        ({"amount": "abc"}, "amount"),
        ({"currency": "ABC"}, "currency"),
        ({"percents": [0]}, "percents"),
        ({"percents": ["50"]}, "percents"),
        ({"percents": [True]}, "percents"),
        ({"percents": range(1, 12)}, "percents"),
        ({"application": foreign}, "application"),
        ({"subscription": subscribed(subscription.plan)}, "subscription"),
        ({"application": subscription.application, "subscription": subscription}, "subscription"),
    ):
        with pytest.raises(Refused) as refused:
            budget_of(acme, **({"name": "Other"} | fields))
        assert refused.value.field == field, fields


def test_the_audit_trail_tells_of_changes(acme):
    budget = budget_of(acme, percents=[80, 50, 80])
    assert budget.percents == [50, 80]
    budget = change_budget(budget=budget, amount="12.50", name="Everything", actor=None)
    change_budget(budget=budget, amount="12.5", actor=None)
    delete_budget(budget=budget, actor=None)
    assert audit_actions() == ["budget.created", "budget.changed", "budget.deleted"]
    assert acme.audit_events.get(action="budget.changed").changes["amount"] == ["10.000000000000", "12.50"]


def test_only_organizations_with_a_budget_are_looked_at(acme, subscription):
    subscribed(subscription.plan)
    assert watched() == []
    budget_of(acme)
    assert (watched(), watched(caps_only=True)) == ([acme.pk], [])
    budget_of(acme, name="Cap", stops=True)
    assert watched(caps_only=True) == [acme.pk]


def test_looking_at_many_costs_as_many_queries_as_looking_at_one(django_assert_max_num_queries, acme):
    plan = make_plan_at()

    def make(number):
        customers = [make_organization() for _ in range(number)]
        for each in customers:
            use(subscribed(plan, each), october(2), 900)
            budget_of(each, percents=[50])
            budget_of(each, name="Cap", amount="20", stops=True)
        return [each.pk for each in customers]

    def asked(ids):
        with django_assert_max_num_queries(42) as captured:
            look_at(organization_ids=ids, at=AT)
        return len(captured.captured_queries)

    asked(make(1))  # warm
    one = asked(make(1))
    assert asked(make(8)) == one


@pytest.mark.django_db(transaction=True)
def test_two_workers_at_once_tell_once(acme):
    subscription = subscribed(make_plan_at(), acme)
    Budget.objects.create(organization=acme, name="All", amount=10, currency="USD", mails=True)
    use(subscription, october(2), 900)
    start, looked = threading.Barrier(4), []

    def work():
        start.wait()
        try:
            looked.append(look(acme))
        finally:
            connection.close()

    workers = [threading.Thread(target=work) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert told() == [("2026-10", 50), ("2026-10", 80)]
    assert len(mail.outbox) == 1
    assert len(looked) == 4


def test_staff_see_where_budgets_stand(client, acme, subscription):
    budget = budget_of(acme, name="Ours", stops=True)
    use(subscription, october(2), 400)
    look(acme)
    client.force_login(make_staff("sam"))
    page = client.get("/admin/billing/budget/").content.decode()
    assert "Ours" in page
    assert "4.00 USD" in page
    assert client.get(f"/admin/billing/budget/{budget.pk}/change/").status_code == 200
