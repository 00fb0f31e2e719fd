"""Which month is to be closed for which provider, and when."""

from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import QuerySet
from django.utils.timezone import now

from accounts.models import Organization
from billing.invoices import close_period
from billing.periods import Period, month_of


def providers() -> QuerySet[Organization]:
    """Return the organizations that sold a subscription."""
    return Organization.objects.filter(sold_subscriptions__isnull=False).distinct().order_by("id")


def last_month(provider: Organization, at: datetime) -> Period:
    """Return the newest month that is over in the provider's time zone."""
    return month_of(at, provider.timezone).previous()


def close_last_month(*, provider: Organization, at: datetime | None = None) -> list[str]:
    """Bill the last month once it is over by the grace (BILLING_GRACE_SECONDS), so that late counts are in.

    Customers whose month is closed are left alone. Returns the ids of the new invoices.
    """
    at = at or now()
    period = last_month(provider, at)
    if at < period.end + timedelta(seconds=settings.BILLING_GRACE_SECONDS):
        return []
    return close_period(provider=provider, period=period, at=at, actor=None)
