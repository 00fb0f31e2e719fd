"""Late payment: warnings by mail, then suspended subscriptions, which work again once the money is in.

The schedule is DUNNING_WARNING_DAYS and DUNNING_SUSPEND_DAYS, in days after an invoice's due date.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.timezone import now

from access.models import Subscription, SubscriptionState
from access.subscribe import resume, suspend
from accounts.audit import record
from accounts.errors import Refused
from accounts.models import Organization, User
from accounts.webhooks.emit import emit
from billing.currencies import round_money
from billing.ledger.allocation import ZERO
from billing.models import (
    CustomerTerms,
    DunningHold,
    DunningNotice,
    DunningStep,
    Invoice,
    InvoiceState,
)


def late_invoices(at: datetime, days: int = 0) -> QuerySet[Invoice]:
    """Return invoices that are late by more than so many days, of customers who are not exempt; oldest first."""
    exempt = CustomerTerms.objects.filter(
        organization=OuterRef("organization"), customer=OuterRef("customer"), dunning_exempt=True
    )
    return (
        Invoice.objects.filter(
            ~Exists(exempt),
            state=InvoiceState.FINALIZED,
            amount_due__gt=ZERO,
            due_at__lt=at - timedelta(days=days),
        )
        .select_related("organization", "customer")
        .order_by("due_at", "id")
    )


def run(*, at: datetime | None = None) -> None:
    """Warn, suspend and resume as the schedule says. Running it again, or twice at once, changes nothing more."""
    at = at or now()
    for invoice_id in _ids(late_invoices(at)):
        _treat(invoice_id, at)
    open_holds = DunningHold.objects.filter(lifted_at__isnull=True).order_by("organization", "customer")
    for pair in open_holds.values_list("organization", "customer").distinct():
        provider, customer = (Organization.objects.get(pk=pk) for pk in pair)
        lift_holds(customer=customer, provider=provider, at=at, actor=None)


@transaction.atomic
def lift_holds(
    *, customer: Organization, provider: Organization, at: datetime | None = None, actor: User | None
) -> int:
    """Resume what was suspended for late payment, unless another invoice is late beyond the grace; return how many.

    What somebody else suspended or cancelled meanwhile stays as it is.
    """
    at = at or now()
    holds = list(
        DunningHold.objects.select_for_update(of=("self",))
        .filter(customer=customer, organization=provider, lifted_at__isnull=True)
        .select_related("subscription", "invoice")
        .order_by("id")
    )
    days = settings.DUNNING_SUSPEND_DAYS
    still_late = (
        days >= 0 and late_invoices(at, days).filter(customer=customer, organization=provider).exists()
    )
    if not holds or still_late:
        return 0
    DunningHold.objects.filter(pk__in=[hold.pk for hold in holds]).update(lifted_at=at)
    for hold in holds:
        try:
            resume(subscription=hold.subscription, actor=actor)
        except Refused:
            continue  # it is active or cancelled already
    notify(invoice=holds[0].invoice, step=DunningStep.RESUMPTION, day=0, at=at)
    return len(holds)


def held(*, customer: Organization) -> QuerySet[DunningHold]:
    """Return the subscriptions that wait for a customer's money."""
    found = DunningHold.objects.filter(customer=customer, lifted_at__isnull=True)
    return found.select_related("subscription__application", "subscription__plan", "invoice", "organization")


def notify(*, invoice: Invoice, step: DunningStep, day: int, at: datetime) -> None:
    """Note what the customer is to be told, for the mail task, and in both audit trails. Once for each day."""
    notice = DunningNotice(
        organization=invoice.organization,
        customer=invoice.customer,
        invoice=invoice,
        step=step,
        day=day,
        created_at=at,
    )
    notice.save(force_insert=True)
    for organization in {invoice.organization, invoice.customer}:
        record(
            organization=organization,
            actor=None,
            action=f"dunning.{step.value}",
            target=invoice,
            summary=f"{step.label}: invoice {invoice.label} to {invoice.customer}"
            + (f" is {day} days late" if day else ""),
        )
        emit(organization, f"dunning.{step.value}", _event(invoice, day))


def _event(invoice: Invoice, day: int) -> dict[str, Any]:
    return {
        "invoice": invoice.pk,
        "number": invoice.label,
        "provider": invoice.organization_id,
        "customer": invoice.customer_id,
        "currency": invoice.currency,
        "amount_due": str(round_money(invoice.amount_due, invoice.currency)),
        "due_at": invoice.due_at.isoformat() if invoice.due_at else None,
        "days_late": day,
    }


@transaction.atomic
def _treat(invoice_id: str, at: datetime) -> None:
    # paid meanwhile, or in the hands of another worker: not found
    invoice = (
        late_invoices(at).select_for_update(of=("self",), skip_locked=True).filter(pk=invoice_id).first()
    )
    if invoice is None or invoice.due_at is None:
        return
    days_late = (at - invoice.due_at).days
    _warn(invoice, days_late, at)
    if 0 <= settings.DUNNING_SUSPEND_DAYS <= days_late:
        _suspend(invoice, at)


def _warn(invoice: Invoice, days_late: int, at: datetime) -> None:
    """Send the newest warning of the schedule, unless it was; those that were missed are not sent late."""
    due = [day for day in settings.DUNNING_WARNING_DAYS if day <= days_late]
    given = DunningNotice.objects.filter(invoice=invoice, step=DunningStep.WARNING)
    if due and not given.filter(day__gte=max(due)).exists():
        notify(invoice=invoice, step=DunningStep.WARNING, day=max(due), at=at)


def _suspend(invoice: Invoice, at: datetime) -> None:
    holding = DunningHold.objects.filter(subscription=OuterRef("pk"), lifted_at__isnull=True)
    active = Subscription.objects.filter(
        ~Exists(holding),
        # whoever's bills the customer pays stops with it
        Q(organization=invoice.customer) | Q(organization__billing_parent=invoice.customer),
        provider=invoice.organization,
        state=SubscriptionState.ACTIVE,
    )
    stopped = False
    for subscription in active.order_by("id"):
        try:
            suspend(subscription=subscription, actor=None)
        except Refused:
            continue  # suspended or cancelled a moment ago
        stopped = True
        DunningHold.objects.create(
            organization=invoice.organization,
            customer=invoice.customer,
            subscription=subscription,
            invoice=invoice,
            suspended_at=at,
        )
    told = DunningNotice.objects.filter(invoice=invoice, step=DunningStep.SUSPENSION)
    if stopped and not told.exists():
        notify(invoice=invoice, step=DunningStep.SUSPENSION, day=settings.DUNNING_SUSPEND_DAYS, at=at)


def _ids(invoices: QuerySet[Invoice]) -> Iterator[str]:
    return invoices.values_list("pk", flat=True).iterator(chunk_size=1_000)
