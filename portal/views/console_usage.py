"""A developer's usage: numbers, charts and tables that keep themselves fresh."""

from typing import Any

from django.http import HttpRequest, HttpResponseBase
from django.views.decorators.cache import never_cache

from access.models import ApiKey, SubscriptionState
from access.queries import subscriptions_of
from accounts.models import Organization
from apis.models import Api
from metering.queries import Scope
from portal import guard, usage, usage_page
from portal.quotas import quota_use, rate_use


@never_cache
@guard.in_organization()
def page(request: HttpRequest, organization: Organization) -> HttpResponseBase:
    """`?application=` and `?api=` choose, and what every dashboard takes."""
    scope = usage.narrowed(Scope(developer=organization.pk), request.GET, "application", "api")
    subscriptions = list(
        subscriptions_of(organization)
        .filter(state=SubscriptionState.ACTIVE)
        .select_related("application", "plan", "provider", "organization")
    )
    if scope.application:
        subscriptions = [each for each in subscriptions if each.application_id == scope.application]
    return usage_page.answer(
        request,
        template="console/usage.html",
        scope=scope,
        timezone=organization.timezone,
        dimensions=usage.FOR_DEVELOPERS,
        context={
            **_PAGE,
            "quotas": quota_use(subscriptions),
            "rates": rate_use(subscriptions),
            "key_links": True,
        },
        whole=lambda: _filters(organization),
    )


@never_cache
@guard.in_organization()
def key(request: HttpRequest, organization: Organization, pk: str) -> HttpResponseBase:
    """One key of hers, whatever it calls."""
    found = guard.own(ApiKey.objects.select_related("application"), organization, pk)
    return usage_page.answer(
        request,
        template="console/usage_key.html",
        scope=Scope(developer=organization.pk, key=found.pk),
        timezone=organization.timezone,
        dimensions=[each for each in usage.FOR_DEVELOPERS if each not in ("application", "key")],
        context={**_PAGE, "key": found},
    )


_PAGE = {"section": "console", "page": "usage"}


def _filters(organization: Organization) -> dict[str, Any]:
    stages = {"versions__stages__usage_plans__subscriptions__organization": organization}
    return {
        "applications": list(organization.applications.all()),
        "apis": list(Api.objects.filter(**stages).distinct()),
    }
