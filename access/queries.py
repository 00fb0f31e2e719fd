"""What others may ask of this room."""

from django.db.models import QuerySet

from access.models import ApiKey, Subscription, UsagePlan
from accounts.models import Organization, User
from apis.models import Api


def visible_plans(api: Api) -> QuerySet[UsagePlan]:
    """The plans shown on an API's page: public, and they open one of its deployed live stages."""
    raise NotImplementedError


def open_plans(user: User | None) -> QuerySet[UsagePlan]:
    """The plans a person may pick herself: what `visible_plans` shows, over all APIs that she may see.

    A view that takes a plan's id from a form looks it up here (404 = not for her).
    """
    raise NotImplementedError


def subscriptions_of(organization: Organization) -> QuerySet[Subscription]:
    """An organization's subscriptions as a developer, with application, plan and provider."""
    raise NotImplementedError


def subscribers_of(organization: Organization) -> QuerySet[Subscription]:
    """The subscriptions to an organization's plans, as a provider."""
    raise NotImplementedError


def living_keys(organization: Organization) -> QuerySet[ApiKey]:
    """The organization's keys that are not revoked, expired or rotated out."""
    raise NotImplementedError
