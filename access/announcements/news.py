"""Wanting no news of a provider, and wanting them again."""

from django.db import transaction

from access.announcements.models import NewsOptOut
from accounts.models import Organization, User


@transaction.atomic
def opt_out(*, person: User, provider: Organization) -> None:
    """Send her no news of this provider any more; what is about the service still comes."""
    NewsOptOut.objects.get_or_create(user=person, organization=provider)


@transaction.atomic
def opt_in(*, person: User, provider: Organization) -> None:
    """Send her news again."""
    NewsOptOut.objects.filter(user=person, organization=provider).delete()
