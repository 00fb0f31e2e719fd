"""Two closings of the same month at the same time bill every customer once."""

from threading import Barrier, Thread

import pytest
from django.db import connection

from billing import invoices
from billing.models import Invoice
from tests.billing.factories import AFTER_OCTOBER, OCTOBER, make_priced_plan, october, subscribed, use


@pytest.mark.django_db(transaction=True)
def test_two_closings_at_once_bill_each_customer_once(monkeypatch):
    monkeypatch.setattr(invoices, "CUSTOMERS_AT_ONCE", 2)
    plan = make_priced_plan()
    for _ in range(5):
        use(subscribed(plan), october(5), 1_000_000)
    start, made = Barrier(2), []

    def run() -> None:
        try:
            start.wait(timeout=10)
            made.append(
                invoices.close_period(
                    provider=plan.organization, period=OCTOBER, at=AFTER_OCTOBER, corrections=True, actor=None
                )
            )
        finally:
            connection.close()

    threads = [Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    assert len(made) == 2
    assert sum(map(len, made)) == 5
    assert list(Invoice.objects.order_by("number").values_list("number", flat=True)) == [1, 2, 3, 4, 5]


@pytest.mark.django_db
def test_a_run_that_died_goes_on_where_it_stopped(monkeypatch):
    monkeypatch.setattr(invoices, "CUSTOMERS_AT_ONCE", 2)
    plan = make_priced_plan()
    for _ in range(5):
        use(subscribed(plan), october(5), 1_000_000)
    real, chunks = invoices._close_payers, []

    def dies_in_the_second_chunk(closing, customers):
        chunks.append(customers)
        if len(chunks) == 2:
            raise RuntimeError("the power went")
        return real(closing, customers)

    def run():
        return invoices.close_period(provider=plan.organization, period=OCTOBER, at=AFTER_OCTOBER, actor=None)

    monkeypatch.setattr(invoices, "_close_payers", dies_in_the_second_chunk)
    with pytest.raises(RuntimeError, match="the power went"):
        run()
    assert Invoice.objects.count() == 2
    monkeypatch.setattr(invoices, "_close_payers", real)
    assert len(run()) == 3
    assert sorted(Invoice.objects.values_list("number", flat=True)) == [1, 2, 3, 4, 5]
