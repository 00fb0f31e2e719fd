"""Closing a month uses the customers' credits; voiding gives them back."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from billing.invoices import void
from billing.ledger.balances import balance, settled
from billing.models import InvoiceState
from tests.billing.factories import (
    AFTER_OCTOBER,
    OCTOBER,
    close,
    close_one,
    make_priced_plan,
    make_rate_card,
    october,
    subscribed,
    use,
)
from tests.billing.ledger.factories import make_credits

pytestmark = pytest.mark.django_db


@pytest.fixture
def plan():
    return make_priced_plan(make_rate_card(base_fee="10"))


def used_by(plan):
    """A customer whose October costs 13.50."""
    subscription = subscribed(plan)
    use(subscription, october(5), 1_000_000)
    return subscription.organization


def test_credits_come_off_what_is_due_not_off_the_total(plan):
    customer = used_by(plan)
    make_credits(plan.organization, customer, "5")
    invoice = close_one(plan.organization)
    assert (invoice.total, invoice.amount_due) == (Decimal("13.50"), Decimal("8.50"))
    assert invoice.state == InvoiceState.FINALIZED
    assert settled([invoice.pk]) == {invoice.pk: 5}


def test_an_invoice_that_credits_cover_is_paid_at_once(plan):
    customer = used_by(plan)
    make_credits(plan.organization, customer, "20")
    invoice = close_one(plan.organization)
    assert (invoice.state, invoice.amount_due, invoice.paid_at) == (InvoiceState.PAID, 0, AFTER_OCTOBER)
    assert balance(provider=plan.organization, customer=customer, currency="USD") == Decimal("6.50")


def test_credits_that_end_with_the_month_pay_for_it(plan):
    customer = used_by(plan)
    make_credits(plan.organization, customer, "5", expires_at=OCTOBER.end)
    make_credits(plan.organization, customer, "5", expires_at=OCTOBER.end - timedelta(hours=1))
    assert close_one(plan.organization).amount_due == Decimal("8.50")


def test_voiding_gives_the_credits_back_and_billing_again_uses_them_again(plan):
    customer = used_by(plan)
    make_credits(plan.organization, customer, "5")
    void(invoice=close_one(plan.organization), actor=None)
    assert balance(provider=plan.organization, customer=customer, currency="USD") == 5
    again = close_one(plan.organization)
    assert again.amount_due == Decimal("8.50")


def test_credits_take_as_many_queries_for_four_customers_as_for_two(plan):
    taken = []
    for count in (2, 4):
        for _ in range(count):
            make_credits(plan.organization, used_by(plan), "5")
        with CaptureQueriesContext(connection) as queries:
            assert len(close(plan.organization, corrections=False)) == count
        taken.append(len(queries))
    assert taken[0] == taken[1]
