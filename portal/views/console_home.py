"""The console's first page: where everything stands."""

from datetime import timedelta

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.timezone import now

from access.models import SubscriptionState
from access.queries import living_keys, subscriptions_of
from accounts.models import Organization
from accounts.permissions import can_see_bills
from billing.estimate import estimate
from metering.queries import Scope, Span, summary
from portal import guard
from portal.quotas import quota_use, rate_use
from portal.views.subscribe import WANTED

# those that are used up most; each application shows its own
QUOTAS = 6


@guard.in_organization()
def home(request: HttpRequest, organization: Organization) -> HttpResponse:
    """Applications, quotas, the last 24 hours, the month's cost. Who came for a plan is sent on to it.

    The cost is a request of its own (`?fragment=cost`): it rates subscriptions, which the rest need not wait for.
    """
    if request.GET.get("fragment") == "cost":
        return _cost(request, organization)
    wanted = request.session.pop(WANTED, None)
    if wanted:
        return redirect("subscribe", plan=wanted)
    end = now() + timedelta(seconds=1)
    subscriptions = list(
        subscriptions_of(organization)
        .exclude(state=SubscriptionState.CANCELLED)
        .select_related("application", "plan", "provider", "organization")
    )
    context = {
        "section": "console",
        "page": "home",
        "subscriptions": subscriptions,
        "applications": organization.applications.count(),
        "keys": living_keys(organization).count(),
        "quotas": sorted(quota_use(subscriptions), key=lambda each: -each.share)[:QUOTAS],
        "rates": rate_use(subscriptions),
        "day": summary(scope=Scope(developer=organization.pk), span=Span(end - timedelta(hours=24), end)),
    }
    return render(request, "console/home.html", context)


def _cost(request: HttpRequest, organization: Organization) -> HttpResponse:
    guard.demand(can_see_bills, request, organization)
    totals = estimate(organization=organization).totals
    return render(request, "console/month_cost.html", {"totals": totals})
