"""Which month is to be closed for which provider, and when."""

from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import QuerySet
from django.utils.timezone import now

from accounts.models import Organization
from billing.models import BillingRun, RunState
from billing.periods import Period, month_of
from billing.runs import retry_run, running_run, start_run


def providers() -> QuerySet[Organization]:
    """Return the organizations that sold a subscription."""
    return Organization.objects.filter(sold_subscriptions__isnull=False).distinct().order_by("id")


def last_month(provider: Organization, at: datetime) -> Period:
    """Return the newest month that is over in the provider's time zone."""
    return month_of(at, provider.timezone).previous()


def close_last_month(*, provider: Organization, at: datetime | None = None) -> BillingRun | None:
    """Begin to bill the last month once it is over by the grace (BILLING_GRACE_SECONDS), so that late counts are in.

    Returns the run that is to be worked on, or None where nothing is to be done: a month is billed once by itself,
    and customers who have an invoice of it are left alone. Customers who failed are tried again.
    """
    at = at or now()
    running = running_run(provider)
    if running is not None:
        return running
    period = last_month(provider, at)
    due = period.end + timedelta(seconds=settings.BILLING_GRACE_SECONDS)
    if at < due:
        return None
    before = BillingRun.objects.filter(
        organization=provider, month_start=period.start, until__gte=due
    ).first()
    if before is None:
        return start_run(provider=provider, period=period, at=at, corrections=False, actor=None)
    return retry_run(run=before) if before.state == RunState.FAILED else None
