"""Customers who only use what they paid in advance."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from access.models import CallAllowance
from billing.estimate import estimate_many
from billing.models import TaxRate
from billing.payments.pay import buy_credits, record_payment
from billing.prepaid import USED_UP, customers, limits
from billing.profiles import set_customer_terms
from billing.spending import look_at, watched
from tests.billing.factories import AFTER_OCTOBER, OCTOBER, close_one, november, october, subscribed, use
from tests.billing.ledger.factories import make_credits
from tests.billing.test_budgets import make_plan_at
from tests.factories import make_organization

pytestmark = pytest.mark.django_db
D = Decimal


@pytest.fixture
def plan():
    return make_plan_at("0.01")


def prepaid(plan, customer=None, amount="5", **fields):
    """A subscription of a prepaid customer with credits since the first of October."""
    subscription = subscribed(plan, customer or make_organization(), **fields)
    set_customer_terms(
        provider=plan.organization, customer=subscription.organization, credit_only=True, actor=None
    )
    if amount:
        make_credits(plan.organization, subscription.organization, amount)
    return subscription


def look(*subscriptions, at):
    look_at(organization_ids=[each.organization_id for each in subscriptions], at=at)


def allowance(subscription):
    row = CallAllowance.objects.filter(subscription=subscription).first()
    return row and (row.further, row.stopped_until is not None, row.reason)


def left(*subscriptions, at):
    ids = [each.organization_id for each in subscriptions]
    return {limit.left for limit in limits(ids, estimate_many(customers=ids, at=at), at)}


def test_credits_become_a_number_of_calls_and_then_a_stop(plan):
    subscription = prepaid(plan)
    use(subscription, october(2), 120)
    look(subscription, at=october(3))
    assert allowance(subscription) == (380, False, "")
    use(subscription, october(3), 380)
    look(subscription, at=october(4))
    assert allowance(subscription) == (0, True, USED_UP)


def test_more_credits_let_go_on(plan, settings):
    settings.PAYMENT_PROCESSOR = "null"
    subscription = prepaid(plan)
    use(subscription, october(2), 500)
    look(subscription, at=october(3))
    assert allowance(subscription)[:2] == (0, True)
    make_credits(plan.organization, subscription.organization, "1.00", at=october(3))
    look(subscription, at=october(4))
    assert allowance(subscription)[:2] == (100, False)


def test_who_is_not_prepaid_is_not_looked_at(plan):
    free = subscribed(plan)
    mine = prepaid(plan)
    assert customers() == {mine.organization_id}
    assert watched(caps_only=True) == [mine.organization_id]
    assert left(free, at=october(5)) == set()


def test_without_credits_nothing_may_be_spent(plan):
    subscription = prepaid(plan, amount="")
    assert left(subscription, at=october(5)) == {0}


def test_expired_credits_do_not_count(plan):
    subscription = prepaid(plan, amount="")
    make_credits(plan.organization, subscription.organization, "5", expires_at=october(4))
    assert left(subscription, at=october(3)) == {5}
    assert left(subscription, at=october(4, 13)) == {0}


def test_what_was_invoiced_meanwhile_counts_once(plan):
    subscription = prepaid(plan)
    use(subscription, october(2), 100)
    assert left(subscription, at=october(10)) == {4}
    close_one(plan.organization, at=october(10))
    assert left(subscription, at=october(10)) == {4}
    use(subscription, october(12), 50)
    assert left(subscription, at=october(13)) == {D("3.5")}


def test_the_month_that_waits_for_its_invoice_still_counts(plan):
    subscription = prepaid(plan)
    use(subscription, october(2), 450)
    use(subscription, november(1, 0), 10)
    before = OCTOBER.end + timedelta(minutes=20)
    assert left(subscription, at=before) == {D("0.4")}
    close_one(plan.organization)
    assert left(subscription, at=AFTER_OCTOBER) == {D("0.4")}


def test_an_open_invoice_is_paid_before_anything_is_spent(plan):
    subscription = prepaid(plan, amount="1")
    use(subscription, october(2), 300)
    invoice = close_one(plan.organization)
    assert invoice.amount_due == 2
    make_credits(plan.organization, subscription.organization, "10", at=november(2))
    assert left(subscription, at=november(3)) == {8}
    record_payment(invoice=invoice, actor=None)
    assert left(subscription, at=november(3)) == {10}


def test_taxes_are_part_of_what_is_spent(plan):
    subscription = prepaid(plan, amount="119")
    TaxRate.objects.create(organization=plan.organization, name="VAT", percent=19)
    use(subscription, october(2), 5_000)
    assert left(subscription, at=october(3)) == {D("59.5")}


def test_a_group_spends_of_its_payers_credits_also_when_looked_at_apart(plan):
    parent = prepaid(plan, amount="10")
    child = subscribed(plan, make_organization(billing_parent=parent.organization))
    assert customers() == {parent.organization_id, child.organization_id}
    use(parent, october(2), 200)
    use(child, october(2), 300)
    assert (
        left(parent, at=october(3)) == left(child, at=october(3)) == left(parent, child, at=october(3)) == {5}
    )


def test_queries_do_not_grow_with_the_customers(plan):
    taken = []
    for number in (2, 5):
        subscriptions = [prepaid(plan) for _ in range(number)]
        ids = [each.organization_id for each in subscriptions]
        items = estimate_many(customers=ids, at=november(2))
        with CaptureQueriesContext(connection) as queries:
            assert len(limits(ids, items, november(2))) == number
        taken.append(len(queries))
    assert taken[0] == taken[1]


def test_bought_credits_count(plan, settings):
    settings.PAYMENT_PROCESSOR = "null"
    subscription = prepaid(plan, amount="")
    buy_credits(
        provider=plan.organization,
        customer=subscription.organization,
        amount=D(7),
        currency="USD",
        return_url="",
        actor=None,
    )
    from django.utils.timezone import now

    assert left(subscription, at=now()) == {7}
