"""Runs that close a month: chunks that workers share, and what happens when one of them dies or a customer fails."""

import os
import signal
import subprocess
import sys
from datetime import timedelta

import pytest
from django.db import OperationalError, connection

from accounts.models import AuditEvent
from billing import payer_locks, runs
from billing.models import BillingChunk, BillingRun, ChunkState, Invoice, InvoiceLine, RunState
from billing.payer_locks import BUCKETS, bucket_of, in_chunks
from billing.runs import retry_run, stalled_runs, start_run, work
from tests.billing.factories import AFTER_OCTOBER, OCTOBER, close, make_priced_plan, october, subscribed, use
from tests.factories import make_organization


@pytest.fixture
def sold(monkeypatch):
    """A plan that six customers used; two are billed in a chunk."""
    monkeypatch.setattr(runs, "CUSTOMERS_AT_ONCE", 2)
    monkeypatch.setattr(payer_locks, "BUCKETS", 2**31)  # so that no two share one
    plan = make_priced_plan()
    for number in range(6):
        use(subscribed(plan), october(5), 1_000_000 * (number + 1))
    return plan


def begin(plan, **fields) -> BillingRun:
    given = {"period": OCTOBER, "at": AFTER_OCTOBER, "corrections": False, "actor": None}
    return start_run(provider=plan.organization, **(given | fields))


def numbers() -> list[int]:
    return sorted(Invoice.objects.values_list("number", flat=True))


@pytest.mark.django_db
def test_a_run_counts_what_is_done(sold):
    run, seen = begin(sold), []
    assert (run.state, run.customers, run.chunks, run.percent, run.left) == ("running", 6, 3, 0, None)
    work(run=run, progress=lambda run: seen.append((run.customers_done, run.invoices, run.percent)))
    assert seen == [(2, 2, 33), (4, 4, 66), (6, 6, 100)]
    assert (run.state, run.chunks_done, run.invoices) == (RunState.DONE, 3, 6)
    assert run.amounts == {"USD": "73.5"}  # 21 million calls at 3.50 a million
    assert run.finished_at is not None
    assert run.left is None
    assert AuditEvent.objects.get(action="period.closed").summary == "Closed October 2026: 6 invoices"


@pytest.mark.django_db
def test_a_run_goes_on_when_its_time_is_up(sold):
    run = begin(sold)
    assert work(run=run, seconds=0).unfinished
    run.refresh_from_db()
    assert (run.state, run.customers_done) == (RunState.RUNNING, 2)
    assert run.left is not None
    assert not work(run=run, seconds=600).unfinished
    assert (run.state, numbers()) == (RunState.DONE, [1, 2, 3, 4, 5, 6])


@pytest.mark.django_db
def test_a_provider_has_one_run_at_a_time(sold):
    run = begin(sold)
    assert begin(sold) == run
    assert begin(sold, period=OCTOBER.previous()) == run
    # who closes another month meanwhile finishes it first
    assert close(sold.organization, period=OCTOBER.previous()) == []
    run.refresh_from_db()
    assert (run.state, run.invoices) == (RunState.DONE, 6)


@pytest.mark.django_db
def test_customers_whose_month_is_closed_are_left_out(sold):
    work(run=begin(sold))
    run = begin(sold)
    assert (run.customers, run.chunks) == (0, 0)
    work(run=run)
    assert (run.state, run.percent) == (RunState.DONE, 100)
    assert begin(sold, corrections=True).customers == 6


@pytest.mark.django_db
def test_a_customer_that_fails_stops_nobody_else(sold, monkeypatch):
    run, real = begin(sold), runs.close_payers
    bad = run.parts.get(number=2).payers[1]

    def trips(closing, payers):
        if bad in payers:
            raise ValueError("a price that nobody understands")
        return real(closing, payers)

    monkeypatch.setattr(runs, "close_payers", trips)
    done = work(run=run)
    assert isinstance(done.error, ValueError)
    assert (run.state, run.invoices, run.customers_done) == (RunState.FAILED, 5, 6)
    assert run.error == "ValueError: a price that nobody understands"
    failed = run.parts.get(state=ChunkState.FAILED)
    assert failed.payers == [bad]
    monkeypatch.setattr(runs, "close_payers", real)
    run = retry_run(run=run)
    assert (run.state, run.customers_done, run.chunks_done) == (RunState.RUNNING, 5, 2)
    work(run=run)
    assert (run.state, run.error, run.invoices, run.customers_done) == (RunState.DONE, "", 6, 6)
    assert numbers() == [1, 2, 3, 4, 5, 6]


@pytest.mark.django_db
def test_a_chunk_of_which_all_fail_is_given_up(sold, monkeypatch):
    monkeypatch.setattr(runs, "CUSTOMERS_AT_ONCE", 50)
    monkeypatch.setattr(runs, "TRIES", 3)
    calls = []

    def fails(closing, payers):
        calls.append(len(payers))
        raise ValueError("no prices at all")

    monkeypatch.setattr(runs, "close_payers", fails)
    run = begin(sold)
    work(run=run)
    assert calls == [6, 1, 1, 1]
    assert len(run.parts.get().payers) == 6


@pytest.mark.django_db
def test_the_databases_trouble_leaves_the_chunk_open(sold, monkeypatch):
    run, real = begin(sold), runs.close_payers
    chunks = iter([real])

    def trips(closing, payers):
        try:
            return next(chunks)(closing, payers)
        except StopIteration:
            raise OperationalError("the server closed the connection") from None

    monkeypatch.setattr(runs, "close_payers", trips)
    with pytest.raises(OperationalError):
        work(run=run)
    run.refresh_from_db()
    assert (run.state, run.invoices, run.error) == (RunState.RUNNING, 2, "")
    assert list(stalled_runs(run.seen_at + timedelta(seconds=59))) == []
    assert list(stalled_runs(run.seen_at + timedelta(seconds=61))) == [run]
    monkeypatch.setattr(runs, "close_payers", real)
    work(run=run)
    assert numbers() == [1, 2, 3, 4, 5, 6]


def test_chunks_share_no_lock():
    payers = [f"c{number:09}" for number in range(3_000)]
    chunks = in_chunks(payers, 500, {}, 1)
    assert sorted(pk for chunk in chunks for pk in chunk) == payers
    assert max(map(len, chunks)) <= 500
    assert len(chunks) == 6 or len(chunks) == 7
    locks = [{bucket_of(pk) for pk in chunk} for chunk in chunks]
    assert sum(map(len, locks)) == len(set.union(*locks)) <= BUCKETS
    # those of one lock are divided all the same
    assert [len(chunk) for chunk in in_chunks(["same"] * 5, 2, {}, 1)] == [2, 2, 1]


def test_customers_with_many_subscriptions_are_fewer_in_a_chunk():
    weights = {f"c{number}": number for number in range(1, 9)}
    chunks = in_chunks(weights, 4, weights, 10)
    assert sorted(pk for chunk in chunks for pk in chunk) == sorted(weights)
    assert all(len(chunk) <= 4 and sum(weights[pk] for pk in chunk) <= 10 for chunk in chunks)
    assert in_chunks(["c9"], 4, {"c9": 99}, 10) == [["c9"]]


WORKER = """
import time
import django
django.setup()
from billing import payer_locks, runs
from billing.models import BillingRun

held = []
real = runs._note

def note(run, chunk, invoices, **options):
    if held:
        print("held", flush=True)
        time.sleep(600)
    held.append(chunk)
    real(run, chunk, invoices, **options)

runs._note = note
runs.work(run=BillingRun.objects.get())
"""


@pytest.mark.django_db(transaction=True)
def test_a_worker_that_is_killed_loses_nothing_and_doubles_nothing(sold):
    """It dies by `kill -9` with a chunk's invoices written and not committed, while another worker goes on."""
    run = begin(sold)
    settings = connection.settings_dict
    address = f"postgresql://{settings['USER']}:{settings['PASSWORD']}@{settings['HOST']}:{settings['PORT']}/"
    worker = subprocess.Popen(
        [sys.executable, "-c", WORKER],
        env=os.environ
        | {"DATABASE_URL": address + settings["NAME"], "DJANGO_SETTINGS_MODULE": "portal.settings"},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert worker.stdout is not None
        assert worker.stdout.readline() == "held\n"
    finally:
        worker.send_signal(signal.SIGKILL)
        worker.wait(timeout=30)
        worker.stdout.close()
    work(run=run, wait=True)
    assert (run.state, run.customers_done, run.invoices) == (RunState.DONE, 6, 6)
    assert numbers() == [1, 2, 3, 4, 5, 6]
    assert Invoice.objects.values("customer").distinct().count() == 6
    assert InvoiceLine.objects.filter(meter="requests").count() == 6
    assert set(BillingChunk.objects.values_list("state", flat=True)) == {ChunkState.DONE}


@pytest.mark.django_db
def test_customers_of_others_are_not_in_a_run(sold):
    other = make_priced_plan()
    use(subscribed(other, make_organization()), october(5), 1)
    assert begin(other).customers == 1
