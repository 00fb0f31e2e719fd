"""Money of the demo at scale: closed months with what was paid of them, and budgets."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from random import Random

from django.db import transaction
from django.db.models import F, OuterRef, QuerySet, Subquery

from accounts.models import Organization
from billing.invoices import close_period
from billing.models import Budget, Invoice, InvoiceState, Payment, PaymentState, Processor
from billing.periods import Period, month_of
from portal.demo.scale.customers import Customers

# of a hundred invoices, so many are never paid, and so many two months late
_NEVER, _LATE = 2, 5
_GRACE = timedelta(hours=1)


def close_months(*, provider: Organization, since: datetime, at: datetime, draw: Random) -> int:
    """Bill each month that was over by `at`; returns how many invoices there are. Nothing is mailed about them."""
    made: list[str] = []
    for period in _months(since, at):
        made += close_period(provider=provider, period=period, at=period.end + _GRACE, actor=None)
    invoices = Invoice.objects.filter(pk__in=made)
    invoices.update(mailed_at=F("finalized_at"))
    _pay(invoices.filter(state=InvoiceState.FINALIZED), at, draw)
    return len(made)


def _months(since: datetime, at: datetime) -> Iterator[Period]:
    period = month_of(since, "UTC")
    while period.end + _GRACE <= at:
        yield period
        period = period.following()


@transaction.atomic
def _pay(invoices: QuerySet[Invoice], at: datetime, draw: Random) -> None:
    """Note payments as people pay: most after some days, a few late or never."""
    invoices.filter(amount_due=0).update(state=InvoiceState.PAID, paid_at=F("finalized_at"))
    payments = []
    for invoice in invoices.filter(amount_due__gt=0).defer("frozen").order_by("number"):
        chance = draw.randrange(100)
        days = draw.randrange(60, 75) if chance < _NEVER + _LATE else draw.randrange(1, 28)
        when = (invoice.finalized_at or at) + timedelta(days=days)
        if chance >= _NEVER and when <= at:
            payments.append(_payment(invoice, when))
    Payment.objects.bulk_create(payments, batch_size=2_000)
    paid = Payment.objects.filter(invoice=OuterRef("pk")).values("succeeded_at")[:1]
    invoices.filter(payments__isnull=False).update(
        state=InvoiceState.PAID, paid_at=Subquery(paid), amount_due=Decimal(0)
    )


def _payment(invoice: Invoice, when: datetime) -> Payment:
    return Payment(
        organization_id=invoice.organization_id,
        customer_id=invoice.customer_id,
        invoice=invoice,
        processor=Processor.MANUAL,
        state=PaymentState.SUCCEEDED,
        amount=invoice.amount_due,
        currency=invoice.currency,
        reference=f"Transfer for {invoice.label}",
        received_on=when.date(),
        created_at=when,
        succeeded_at=when,
    )


def make_budgets(*, customers: Customers, draw: Random) -> None:
    """Give a third of the customers a budget, and the largest one of each application besides."""
    largest = customers.organizations[0]
    budgets = [
        Budget(
            organization=each,
            name="All of it",
            currency="USD",
            amount=draw.choice((50, 200, 1_000)),
            mails=False,
        )
        for each in customers.organizations
        if each == largest or draw.random() < 1 / 3
    ]
    budgets += [
        Budget(
            organization=largest, name=each.name, application=each, currency="USD", amount=100, mails=False
        )
        for each in customers.applications
        if each.organization_id == largest.pk
    ]
    Budget.objects.bulk_create(budgets)
