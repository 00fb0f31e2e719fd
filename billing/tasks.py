"""Celery: the month's end, and what is spent before it."""

import logging

from celery import shared_task
from django.conf import settings
from django.utils.timezone import now
from kombu.exceptions import KombuError

from accounts.errors import Refused
from accounts.models import Organization
from billing import dunning, dunning_mail
from billing.invoice_mail import send_waiting
from billing.ledger.grants import expire, expired
from billing.models import BillingRun, Invoice, RunState
from billing.month_end import close_last_month, providers
from billing.payments.pay import collect, collectable
from billing.runs import stalled_runs, work
from billing.sales import should_ask, take_snapshot
from billing.spending import CHUNK, look_at, watched

# what a broker that is away raises
BROKER_TROUBLE = (KombuError, OSError)

logger = logging.getLogger(__name__)


@shared_task
def close_period() -> None:
    """Close the last month for every provider, each in a task of its own (beat, hourly)."""
    for provider_id in providers().values_list("id", flat=True):
        close_provider_period.delay(provider_id)


@shared_task
def close_provider_period(provider_id: str) -> None:
    """Begin to close the last month for one provider, and call workers for it."""
    provider = Organization.objects.filter(pk=provider_id).first()
    if provider is None:
        logger.info("provider %s is gone, nothing to bill", provider_id)
        return
    run = close_last_month(provider=provider)
    if run is not None:
        call_workers(run)


@shared_task
def work_on_run(run_id: str) -> None:
    """Bill chunks of a run until none is open; a long one goes on in a task of its own after a while."""
    run = BillingRun.objects.select_related("organization").filter(pk=run_id).first()
    if run is None or run.state != RunState.RUNNING:
        return
    done = work(run=run, seconds=settings.BILLING_TASK_SECONDS)
    if done.invoice_ids:
        logger.info("made %d invoices in %s", len(done.invoice_ids), run)
    if done.unfinished:
        work_on_run.delay(run_id)


@shared_task
def resume_runs() -> None:
    """Call workers for runs that lost theirs (beat, every minute)."""
    for run in stalled_runs(now()):
        call_workers(run)


def call_workers(run: BillingRun) -> None:
    """Have a run worked on; if the broker is away, `resume_runs` calls again."""
    try:
        for _ in range(min(run.chunks, settings.BILLING_WORKERS) or 1):
            work_on_run.delay(run.pk)
    except BROKER_TROUBLE as error:
        logger.warning("The broker cannot be reached (%s); %s goes on later.", error, run)


@shared_task
def expire_credits() -> None:
    """Post what is left of credits that have expired (beat, hourly)."""
    at = now()
    for credit_grant in expired(at).iterator(chunk_size=500):
        try:
            expire(credit_grant=credit_grant, at=at)
        except Refused:
            # an invoice used the rest a moment ago, or another worker was here
            logger.info("credits %s are gone already", credit_grant.pk)


@shared_task
def mail_invoices() -> None:
    """Send invoices that were issued lately, with their PDFs (beat, each minute)."""
    if settings.INVOICE_MAIL and (sent := send_waiting()):
        logger.info("mailed %d invoices", sent)


@shared_task
def collect_and_dun() -> None:
    """Charge saved cards for what is due, then warn, suspend and resume (beat, hourly)."""
    for invoice_id in collectable():
        collect_invoice.delay(invoice_id)
    dunning.run()


@shared_task
def collect_invoice(invoice_id: str) -> None:
    """Charge the saved card for one invoice."""
    invoice = Invoice.objects.filter(pk=invoice_id).first()
    if invoice is not None:
        collect(invoice=invoice)


@shared_task
def send_dunning_mails() -> None:
    """Send the mails about late payment that wait (beat, every minute)."""
    dunning_mail.send_waiting()


@shared_task
def look_at_budgets() -> None:
    """Tell of budgets of which a chosen part is spent (beat, every minute)."""
    _hand_out(watched())


@shared_task
def hold_caps() -> None:
    """Hold spend caps (beat, every SPEND_INTERVAL seconds)."""
    _hand_out(watched(caps_only=True))


@shared_task
def look_at_spending(organization_ids: list[str]) -> None:
    """Look at what some organizations spent."""
    look_at(organization_ids=organization_ids)


def look_soon(organization_id: str) -> None:
    """Look at an organization and those that it pays for, now; if the broker is away, the schedule does."""
    group = Organization.objects.filter(billing_parent=organization_id).values_list("pk", flat=True)
    try:
        _hand_out(sorted({organization_id, *group}))
    except Exception as error:  # noqa: BLE001 -- whatever ails the broker
        logger.warning("The broker cannot be reached (%s); budgets are looked at by the schedule.", error)


def _hand_out(ids: list[str]) -> None:
    for start in range(0, len(ids), CHUNK):
        look_at_spending.delay(ids[start : start + CHUNK])


def ask_for_sales(organization: Organization) -> None:
    """Have a provider's month so far rated anew if it is old; if the broker is away, it stays old."""
    if should_ask(organization):
        try:
            rate_sales.delay(organization.pk)
        except BROKER_TROUBLE as error:
            logger.warning("The broker cannot be reached (%s); what customers owe stays as it is.", error)


@shared_task
def rate_sales(provider_id: str) -> None:
    """Rate a provider's month so far."""
    if provider := Organization.objects.filter(pk=provider_id).first():
        take_snapshot(provider)
