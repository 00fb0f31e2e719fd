"""How far a run is, in words."""

from datetime import UTC, datetime, timedelta

import pytest

from billing.models import BillingRun
from billing.progress import amounts_of, time_of, words_of

START = datetime(2026, 11, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.04, "0.0 s"), (4.24, "4.2 s"), (45.4, "45 s"), (200, "3 min 20 s"), (7_530, "2 h 5 min")],
)
def test_times(seconds, words):
    assert time_of(seconds) == words


def test_a_run_that_goes_on(monkeypatch):
    monkeypatch.setattr("billing.models.runs.now", lambda: START + timedelta(seconds=25))
    run = BillingRun(customers=100_000, customers_done=45_000, invoices=44_980, started_at=START)
    assert words_of(run) == "45,000 of 100,000 customers (45 %), 44,980 invoices, 1,800 a second, 31 s left"
    assert words_of(BillingRun(customers=1, started_at=START)) == "0 of 1 customer (0 %), 0 invoices"


def test_a_run_that_is_done():
    run = BillingRun(
        state="done",
        customers=1,
        customers_done=1,
        invoices=1,
        amounts={"USD": "1234.5", "JPY": "99"},
        started_at=START,
        finished_at=START + timedelta(seconds=2),
    )
    assert words_of(run) == "1 of 1 customer (100 %), 1 invoice, 0 a second, in 2.0 s"
    assert amounts_of(run) == "99 JPY, 1,234.50 USD"
