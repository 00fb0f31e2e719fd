"""A provider's month so far for its pages: kept for a minute, made anew by a worker when somebody looks."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from django.db.models import F, Q
from django.utils.timezone import now

from accounts.models import Organization
from billing.estimate import CustomerEstimate, SalesEstimate, estimate_sales
from billing.models import SalesSnapshot
from billing.periods import Period, month_of

KEPT = timedelta(seconds=60)
# a worker that was asked so long ago will not answer any more
PATIENCE = timedelta(seconds=60)
# customers in a snapshot; all of them are in the REST answer `usage/estimate`
LARGEST = 100


@dataclass(frozen=True, slots=True)
class Sales:
    """A snapshot to show: `customers` are the largest of `payers`. `newer_soon` = a worker makes a newer one."""

    period: Period
    at: datetime
    payers: int
    totals: dict[str, Decimal]
    customers: list[CustomerEstimate]
    newer_soon: bool

    @property
    def hidden(self) -> int:
        """How many customers are not among `customers`."""
        return self.payers - len({each.customer.pk for each in self.customers})


def sales_of(organization: Organization) -> Sales | None:
    """Return what is known of this month, however old; None = nothing yet. 2 queries."""
    at = now()
    period = month_of(at, organization.timezone)
    row = SalesSnapshot.objects.filter(pk=organization.pk, month_start=period.start).first()
    if row is None or row.at is None:
        return None
    named = Organization.objects.in_bulk({pk for pk, *_ in row.largest})
    customers = [
        CustomerEstimate(named[pk], currency, requests, sent, Decimal(total))
        for pk, currency, requests, sent, total in row.largest
        if pk in named
    ]
    totals = {currency: Decimal(total) for currency, total in row.totals.items()}
    return Sales(period, row.at, row.payers, totals, customers, newer_soon=row.at < at - KEPT)


def should_ask(organization: Organization) -> bool:
    """Tell whether the caller shall have a newer snapshot made. Of many who look at once, one is told so."""
    at = now()
    SalesSnapshot.objects.bulk_create([SalesSnapshot(organization=organization)], ignore_conflicts=True)
    old = Q(at=None) | Q(at__lt=at - KEPT) | ~Q(month_start=month_of(at, organization.timezone).start)
    nobody_at_it = Q(asked_at=None) | Q(asked_at__lt=at - PATIENCE) | Q(asked_at__lte=F("at"))
    return bool(SalesSnapshot.objects.filter(old, nobody_at_it, pk=organization.pk).update(asked_at=at))


def take_snapshot(organization: Organization) -> None:
    """Rate all customers of a provider, and keep the outcome."""
    found = estimate_sales(organization=organization, at=now())
    SalesSnapshot.objects.update_or_create(organization=organization, defaults=_kept(found))


def _kept(found: SalesEstimate) -> dict[str, object]:
    return {
        "at": found.at,
        "month_start": found.period.start,
        "payers": found.payers,
        "totals": {currency: str(total) for currency, total in found.totals.items()},
        "largest": [
            [each.customer.pk, each.currency, each.requests, each.bytes_out, str(each.total)]
            for each in found.customers[:LARGEST]
        ],
    }
