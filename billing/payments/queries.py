"""Reading: payments, and with whom a customer has to do."""

from django.db.models import Q, QuerySet

from accounts.models import Organization
from billing.models import Payment


def payments_of(customer: Organization) -> QuerySet[Payment]:
    """Return what a customer paid or tried to, newest first."""
    return Payment.objects.filter(customer=customer).select_related("organization", "customer", "invoice")


def providers_of(customer: Organization) -> QuerySet[Organization]:
    """Return those of whom a customer (or whoever's bills it pays) has subscriptions, or ever got credits."""
    found = Organization.objects.filter(
        Q(sold_subscriptions__organization=customer)
        | Q(sold_subscriptions__organization__billing_parent=customer)
        | Q(credit_grants__customer=customer)
    )
    return found.distinct().order_by("name")
