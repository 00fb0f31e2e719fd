"""Billing runs: a month is closed in chunks of customers, which any number of workers share.

Whoever works on a run takes the next chunk that nobody holds, and bills it in one transaction that also marks it as
done. A worker that dies takes its transaction with it, so its chunk is open again and nobody is billed twice.
"""

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

from django.db import InterfaceError, OperationalError, transaction
from django.db.models import QuerySet
from django.utils.timezone import now

from accounts.audit import record
from accounts.errors import Refused
from accounts.models import Organization, User
from billing.closing import close_payers
from billing.issue import Closing
from billing.models import BillingChunk, BillingRun, ChunkState, Invoice, RunState
from billing.payer_locks import in_chunks
from billing.payers import all_payers, subscription_counts
from billing.periods import Period
from billing.pricing import plain

logger = logging.getLogger(__name__)

# Customers billed in one transaction: a run that dies goes on where it stopped, and memory stays flat.
CUSTOMERS_AT_ONCE = 500
# Where customers have many subscriptions, fewer of them: these make the memory that a chunk takes.
SUBSCRIPTIONS_AT_ONCE = 1_000
# A run of which no chunk was done for so long may have lost its workers.
STALLED = timedelta(seconds=60)
# After so many customers of a chunk that fail one by one, the rest of it is not tried.
TRIES = 5

Progress = Callable[[BillingRun], None]


@dataclass
class Work:
    """What one worker did on a run: the ids of its invoices, and the first error that it met."""

    invoice_ids: list[str] = field(default_factory=list)
    error: Exception | None = None
    unfinished: bool = False  # stopped because its time was up


@transaction.atomic
def start_run(
    *, provider: Organization, period: Period, at: datetime, corrections: bool, actor: User | None
) -> BillingRun:
    """Begin to close a month, or return the run of the provider that is going on; `work` does it.

    `corrections=False` leaves out those who have an invoice that covers the month to its end. Refused(field `month`)
    for a month to come.
    """
    if at <= period.start:
        raise Refused(f"{period.label} has not begun yet.", field="month")
    Organization.objects.select_for_update(no_key=True).get(pk=provider.pk)
    running = running_run(provider)
    if running is not None:
        return running
    payers = all_payers(provider=provider)
    if not corrections:
        payers = sorted(set(payers) - _closed_to_the_end(provider, period))
    counts = subscription_counts(provider=provider)
    chunks = in_chunks(payers, CUSTOMERS_AT_ONCE, counts, SUBSCRIPTIONS_AT_ONCE)
    run = BillingRun.objects.create(
        organization=provider,
        month_start=period.start,
        until=at,
        corrections=corrections,
        customers=len(payers),
        chunks=len(chunks),
        actor=actor,
    )
    BillingChunk.objects.bulk_create(
        BillingChunk(organization=provider, run=run, number=number, payers=chunk)
        for number, chunk in enumerate(chunks, 1)
    )
    return run


def running_run(provider: Organization) -> BillingRun | None:
    """Return the provider's run that is not finished. There is at most one."""
    return (
        BillingRun.objects.select_related("organization")
        .filter(organization=provider, state=RunState.RUNNING)
        .first()
    )


def stalled_runs(at: datetime) -> QuerySet[BillingRun]:
    """Return runs that are not finished, and of which nothing was done for a while."""
    return BillingRun.objects.filter(state=RunState.RUNNING, seen_at__lte=at - STALLED)


def work(
    *, run: BillingRun, wait: bool = False, seconds: float | None = None, progress: Progress | None = None
) -> Work:
    """Take chunks and bill them until none is open, and finish the run; returns what was done here.

    `wait`: stay until chunks that other workers hold are done, too (or do them, should these workers die).
    `seconds`: stop after so long, unfinished. A chunk that fails does not stop the others.
    """
    done, deadline = Work(), None if seconds is None else time.monotonic() + seconds
    while _one_chunk(run, done, wait=wait):
        if progress:
            run.refresh_from_db()
            progress(run)
        if deadline is not None and time.monotonic() > deadline:
            done.unfinished = True
            return done
    _finish(run)
    return done


@transaction.atomic
def retry_run(*, run: BillingRun) -> BillingRun:
    """Open the chunks of a failed run again; `work` does them."""
    locked = BillingRun.objects.select_for_update(of=("self",)).select_related("organization").get(pk=run.pk)
    if locked.state != RunState.FAILED or running_run(locked.organization):
        return locked
    for chunk in locked.parts.filter(state=ChunkState.FAILED):
        locked.customers_done -= len(chunk.payers)
        locked.chunks_done -= 1
    locked.parts.filter(state=ChunkState.FAILED).update(state=ChunkState.OPEN, error="")
    locked.state, locked.error, locked.finished_at, locked.seen_at = RunState.RUNNING, "", None, now()
    locked.save()
    return locked


def _closed_to_the_end(provider: Organization, period: Period) -> set[str]:
    """Customers with an invoice, void or not, that covers the month to its end."""
    found = Invoice.objects.filter(
        organization=provider, month_start=period.start, period_end__gte=period.end
    )
    return set(found.order_by().values_list("customer_id", flat=True).distinct())


def _one_chunk(run: BillingRun, done: Work, *, wait: bool) -> bool:
    """Bill the next open chunk; False = there is none (that nobody holds, unless `wait`)."""
    chunk: BillingChunk | None = None
    try:
        with transaction.atomic():
            chunk = _take(run, wait=wait)
            if chunk is None:
                return False
            invoices = close_payers(_closing(run), chunk.payers)
            _note(run, chunk, invoices)
    except (OperationalError, InterfaceError):
        raise  # the database's trouble: the chunk stays open
    except Exception as error:
        if chunk is None:
            raise
        logger.exception("part %d of %s failed; its customers are tried one by one", chunk.number, run)
        done.error = done.error or error
        done.invoice_ids += _one_by_one(run, chunk, error)
    else:
        done.invoice_ids += [invoice.pk for invoice in invoices]
    return True


def _take(run: BillingRun, *, wait: bool) -> BillingChunk | None:
    still_open = BillingChunk.objects.filter(run=run, state=ChunkState.OPEN).order_by("number")
    found = still_open.select_for_update(skip_locked=True).first()
    # who waits here gets the row only if it is open still: PostgreSQL looks again once the lock is free
    return still_open.select_for_update().first() if found is None and wait else found


def _closing(run: BillingRun) -> Closing:
    return Closing(run.organization, run.period, run.corrections, run.until)


def _one_by_one(run: BillingRun, chunk: BillingChunk, error: Exception) -> list[str]:
    """Bill the customers of a chunk that failed, each in a transaction of its own; keep who fails as failed."""
    failed: list[str] = []
    made: list[Invoice] = []
    for number, payer in enumerate(chunk.payers):
        if len(failed) == TRIES:
            failed += chunk.payers[number:]
            break
        try:
            with transaction.atomic():
                made += close_payers(_closing(run), [payer])
        except (OperationalError, InterfaceError):
            raise
        except Exception as again:  # noqa: BLE001 -- whatever ails one customer, the others get their bills
            failed.append(payer)
            error = again
    with transaction.atomic():
        _note(run, chunk, made, failed=failed, error=f"{type(error).__name__}: {error}" if failed else "")
    return [invoice.pk for invoice in made]


def _note(
    run: BillingRun,
    chunk: BillingChunk,
    invoices: Sequence[Invoice],
    *,
    failed: Sequence[str] = (),
    error: str = "",
) -> None:
    """Mark a chunk as done (or keep of it who failed), and move the run's counters."""
    locked = BillingRun.objects.select_for_update().get(pk=run.pk)
    locked.customers_done += len(chunk.payers)
    locked.chunks_done += 1
    locked.invoices += len(invoices)
    for invoice in invoices:
        total = Decimal(locked.amounts.get(invoice.currency, "0")) + invoice.total
        locked.amounts[invoice.currency] = plain(total)
    locked.error, locked.seen_at = error or locked.error, now()
    locked.save()
    if failed:
        chunk.payers, chunk.error = list(failed), error
    chunk.state = ChunkState.FAILED if failed else ChunkState.DONE
    chunk.save()


@transaction.atomic
def _finish(run: BillingRun) -> None:
    """End the run if all of it is done."""
    locked = BillingRun.objects.select_for_update(of=("self",)).select_related("organization").get(pk=run.pk)
    if locked.state == RunState.RUNNING and not locked.parts.filter(state=ChunkState.OPEN).exists():
        failed = locked.parts.filter(state=ChunkState.FAILED).exists()
        locked.state = RunState.FAILED if failed else RunState.DONE
        locked.finished_at = now()
        locked.save(update_fields=["state", "finished_at"])
        if locked.invoices:
            record(
                organization=locked.organization,
                actor=locked.actor,
                action="period.closed",
                target=locked.organization,
                summary=f"Closed {locked.period.label}: {locked.invoices} "
                f"invoice{'s' if locked.invoices > 1 else ''}",
            )
    run.refresh_from_db()
