"""What an invoice comes to: subtotal, tax, total, and until when it is to be paid."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import IntegrityError, connection
from django.test.utils import CaptureQueriesContext

from billing.invoices import mark_paid, void
from billing.models import Invoice
from tests.billing.factories import (
    AFTER_OCTOBER,
    OCTOBER,
    close,
    close_one,
    october,
    subscribed,
    use,
)
from tests.factories import make_organization

pytestmark = pytest.mark.django_db
D = Decimal


@pytest.fixture
def invoice(pro):
    use(subscribed(pro), october(5), 1_000_000)
    return close_one(pro.organization)


def test_without_a_tax_the_total_is_the_sum_of_the_lines_and_all_of_it_is_due(invoice):
    money = (invoice.subtotal, invoice.tax_total, invoice.total, invoice.amount_due)
    assert money == (D("13.50"), 0, D("13.50"), D("13.50"))


def test_payment_is_due_after_the_days_of_the_setting(pro, settings):
    settings.INVOICE_DUE_DAYS = 30
    use(subscribed(pro), october(5), 1)
    assert close_one(pro.organization).due_at == AFTER_OCTOBER + timedelta(days=30)


@pytest.mark.parametrize("verb", [mark_paid, void])
def test_nothing_is_due_of_an_invoice_that_is_paid_or_void(invoice, verb):
    verb(invoice=invoice, actor=None)
    invoice.refresh_from_db()
    assert (invoice.amount_due, invoice.total) == (0, D("13.50"))


def test_the_database_wants_a_total_that_adds_up():
    fields = {"month_start": OCTOBER.start, "period_start": OCTOBER.start, "period_end": OCTOBER.end}
    with pytest.raises(IntegrityError, match="invoice_total_adds_up"):
        Invoice.objects.create(
            organization=make_organization(),
            customer=make_organization(),
            currency="USD",
            subtotal=10,
            tax_total=1,
            total=12,
            **fields,
        )


def test_settling_takes_as_many_queries_for_three_customers_as_for_one(pro):
    taken = []
    for customers in (1, 3):
        for _ in range(customers):
            use(subscribed(pro), october(5), 1)
        with CaptureQueriesContext(connection) as queries:
            made = close(pro.organization, corrections=False)
        assert len(made) == customers
        taken.append(len(queries))
    assert taken[0] == taken[1]
