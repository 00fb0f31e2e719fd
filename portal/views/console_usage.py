"""A developer's usage: numbers, charts and tables that keep themselves fresh."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache

from access.models import SubscriptionState
from access.queries import subscriptions_of
from accounts.models import Organization
from apis.models import Api
from metering.queries import Scope
from portal import guard, usage
from portal.quotas import quota_use


@never_cache
@guard.in_organization()
def page(request: HttpRequest, organization: Organization) -> HttpResponse:
    """`?span=`, `?application=`, `?api=` and `?by=` choose; `?fragment=1` answers the part that changes."""
    scope = usage.narrowed(Scope(developer=organization.pk), request.GET, "application", "api")
    subscriptions = list(
        subscriptions_of(organization)
        .filter(state=SubscriptionState.ACTIVE)
        .select_related("application", "plan", "provider", "organization")
    )
    if scope.application:
        subscriptions = [each for each in subscriptions if each.application_id == scope.application]
    context = {
        "section": "console",
        "page": "usage",
        "board": usage.dashboard(
            scope=scope,
            parameters=request.GET,
            organization=organization,
            dimensions=usage.FOR_DEVELOPERS,
        ),
        "quotas": quota_use(subscriptions),
        "spans": usage.SPANS,
    }
    if request.GET.get("fragment"):
        return render(request, "components/dashboard.html", context)
    stages = {"versions__stages__usage_plans__subscriptions__organization": organization}
    context |= {
        "applications": list(organization.applications.all()),
        "apis": list(Api.objects.filter(**stages).distinct()),
        "scope": scope,
    }
    return render(request, "console/usage.html", context)
