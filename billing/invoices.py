"""Invoices: closing a month, payment, voiding. A finalized invoice never changes; its number has no gap."""

from datetime import datetime

from django.db import transaction
from django.utils.timezone import now

from accounts.audit import record
from accounts.errors import Refused
from accounts.models import Organization, User
from billing.carry_over import take_back_carried
from billing.dunning import lift_holds
from billing.ledger.draw import give_back
from billing.models import Invoice, InvoiceState, Payment, PaymentState
from billing.payments.pay import record_payment
from billing.periods import Period
from billing.pricing import ZERO
from billing.runs import Progress, start_run, work


def close_period(
    *,
    provider: Organization,
    period: Period,
    at: datetime | None = None,
    corrections: bool = False,
    actor: User | None,
    progress: Progress | None = None,
) -> list[str]:
    """Bill every customer of `provider` for `period`; return the ids of the new invoices, all finalized.

    Each payer gets one invoice a currency: the month's cumulative rating minus what was billed of it. So a
    second run makes nothing new, two at once do not bill twice, and a month that was closed early (`at`,
    default now, before its end) is completed by a later run. Late counts of the two months before become lines
    of their own, and so do fees in advance of the month after. `corrections=False` leaves customers alone whose
    month is closed to its end (their late counts wait for the next invoice); True bills the difference at
    once. If a run of the provider is going on, it is finished first, and what was billed here of it is among
    the ids. A customer that cannot be billed stops nobody else; its error is raised at the end. `progress` is
    called after each chunk. Refused(field `month`) for a month to come.
    """
    at = at or now()
    made: list[str] = []
    while True:
        run = start_run(provider=provider, period=period, at=at, corrections=corrections, actor=actor)
        done = work(run=run, wait=True, progress=progress)
        if run.month_start == period.start:
            made += done.invoice_ids
        if done.error is not None:
            raise done.error
        if (run.month_start, run.until) == (period.start, at):
            return made


@transaction.atomic
def mark_paid(*, invoice: Invoice, actor: User | None) -> Invoice:
    """finalized -> paid: note that all that is due came in (`record_payment` can say more). Refused otherwise."""
    if not invoice.amount_due:
        return _move(invoice, InvoiceState.PAID, "paid_at", actor)
    record_payment(invoice=invoice, actor=actor)
    return Invoice.objects.select_related("organization", "customer").get(pk=invoice.pk)


@transaction.atomic
def void(*, invoice: Invoice, actor: User | None) -> Invoice:
    """finalized -> void: nothing is owed; number and lines stay. Refused in any other state.

    What it billed counts as not billed: closing its month again makes a new invoice. Credits that it used come
    back, and credits that it left are taken away. Refused too once a part was paid, or a credit note took something
    of it back (credit the rest instead), and once credits that it left are used.
    """
    if invoice.credit_notes.exists():
        raise Refused(
            f"A credit note belongs to {invoice}, so it stays. Credit the rest of it instead.",
            field="state",
            code="credited",
        )
    take_back_carried(invoice=invoice, actor=actor)
    voided = _move(invoice, InvoiceState.VOID, "voided_at", actor)
    if Payment.objects.filter(invoice=invoice, state=PaymentState.SUCCEEDED).exists():
        raise Refused(
            f"Money came in for {invoice}, so it stays. Write a credit note over it instead.",
            field="state",
            code="wrong_state",
        )
    give_back(invoice=voided, actor=actor)
    lift_holds(customer=voided.customer, provider=voided.organization, actor=actor)
    return voided


def _move(invoice: Invoice, state: InvoiceState, stamp: str, actor: User | None) -> Invoice:
    locked = Invoice.objects.select_for_update(of=("self",)).select_related("customer", "organization")
    current = locked.get(pk=invoice.pk)
    if current.state != InvoiceState.FINALIZED:
        raise Refused(
            f"{current} is {current.get_state_display().lower()}; "
            f"only a finalized one can become {state.label.lower()}.",
            field="state",
            code="wrong_state",
        )
    current.state, current.amount_due = state, ZERO
    setattr(current, stamp, now())
    current.save(update_fields=["state", "amount_due", stamp])
    record(
        organization=current.organization,
        actor=actor,
        action=f"invoice.{state.value}",
        target=current,
        summary=f"Invoice {current.label} to {current.customer} is {state.label.lower()}",
        changes={"state": [InvoiceState.FINALIZED.value, state.value]},
    )
    return current
