"""Two draws at the same time never use a unit of credit twice."""

from threading import Barrier, Thread

import pytest
from django.db import connection

from billing.ledger.balances import balance, settled
from billing.ledger.draw import draw
from tests.billing.ledger.factories import make_bill, make_credits
from tests.factories import make_organization


@pytest.mark.django_db(transaction=True)
def test_two_draws_at_once_share_what_is_there():
    provider, customers = make_organization(), [make_organization() for _ in range(4)]
    for customer in customers:
        make_credits(provider, customer, "10")
        make_credits(provider, customer, "5", priority=1)
    batches = [
        [make_bill(provider, customer, "12") for customer in order] for order in (customers, customers[::-1])
    ]
    start, failed = Barrier(2), []

    def run(bills) -> None:
        try:
            start.wait(timeout=10)
            draw(invoices=bills)
        except Exception as error:  # noqa: BLE001 -- the test shows it
            failed.append(error)
        finally:
            connection.close()

    threads = [Thread(target=run, args=(bills,)) for bills in batches]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    assert failed == []
    used = settled([bill.pk for bills in batches for bill in bills])
    for customer in customers:
        assert balance(provider=provider, customer=customer, currency="USD") == 0
    assert sorted(used.values()) == [3] * 4 + [12] * 4
