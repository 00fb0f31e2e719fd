"""Who sees which invoice."""

import pytest

from billing.invoices import close_period
from billing.models import Invoice
from billing.queries import (
    invoices_of_customer,
    invoices_of_provider,
    with_lines,
)
from tests.billing.factories import (
    AFTER_OCTOBER,
    OCTOBER,
    make_priced_plan,
    october,
    subscribed,
    use,
)
from tests.factories import make_organization

pytestmark = pytest.mark.django_db


def bill(plan, customer=None):
    use(subscribed(plan, customer), october(5), 1_000_000, 10**9)
    close_period(provider=plan.organization, period=OCTOBER, at=AFTER_OCTOBER, corrections=True, actor=None)
    return Invoice.objects.order_by("created_at").last()


def draft(plan, customer):
    return Invoice.objects.create(
        organization=plan.organization,
        customer=customer,
        month_start=OCTOBER.start,
        part=9,
        period_start=OCTOBER.start,
        period_end=OCTOBER.end,
        currency="USD",
    )


def test_alice_bills_bob_and_charlie_sees_nothing():
    plan, other = make_priced_plan(), make_priced_plan()
    bob, charlie = make_organization(), make_organization()
    mine, foreign = bill(plan, bob), bill(other, charlie)
    unfinished = draft(plan, bob)
    alice = plan.organization
    assert set(invoices_of_provider(alice)) == {mine, unfinished}
    assert list(invoices_of_customer(bob)) == [mine]
    assert list(invoices_of_customer(alice)) == []
    assert list(invoices_of_provider(bob)) == []
    assert list(invoices_of_customer(charlie)) == [foreign]


@pytest.mark.parametrize("rows", [1, 3])
def test_a_page_of_invoices_asks_the_same_number_of_queries(rows, django_assert_num_queries):
    plan = make_priced_plan()
    for _ in range(rows):
        bill(plan)
    with django_assert_num_queries(4):
        found = list(with_lines(invoices_of_provider(plan.organization)))
        names = [
            (invoice.customer.name, line.subscription.application.name, line.subscription.plan.name)
            for invoice in found
            for line in invoice.lines.all()
        ]
    assert (len(found), len(names)) == (rows, rows * 2)


@pytest.mark.parametrize("rows", [1, 3])
def test_closing_a_month_asks_the_same_number_of_queries(rows, django_assert_max_num_queries):
    plan = make_priced_plan()
    for _ in range(rows):
        use(subscribed(plan), october(5), 1_000_000)
    with django_assert_max_num_queries(70):
        made = close_period(provider=plan.organization, period=OCTOBER, at=AFTER_OCTOBER, actor=None)
    assert len(made) == rows
