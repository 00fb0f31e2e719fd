"""Two closings of the same month at the same time bill every customer once."""

from threading import Barrier, Thread

import pytest
from django.db import connection

from billing import invoices, runs
from billing.models import Invoice
from tests.billing.factories import AFTER_OCTOBER, OCTOBER, make_priced_plan, october, subscribed, use


@pytest.mark.django_db(transaction=True)
def test_two_closings_at_once_bill_each_customer_once(monkeypatch):
    monkeypatch.setattr(runs, "CUSTOMERS_AT_ONCE", 2)
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
