"""Dashboards of parts of a provider's traffic, and of the whole installation for its staff."""

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponseBase
from django.views.decorators.cache import never_cache

from accounts.models import Organization
from metering.queries import Scope
from nodes.queries import nodes_up
from portal import provider_scope, usage, usage_page, usage_targets
from portal.usage_money import money_of_customer, money_of_everybody


@never_cache
@login_required
def part(request: HttpRequest, kind: str, pk: str) -> HttpResponseBase:
    """One API, stage, operation, developer or key, as the provider sees it."""
    target = usage_targets.find(request, kind, pk)
    provider, customer = target.provider, target.customer
    sees = provider_scope.sees_bills(request, provider)
    return usage_page.answer(
        request,
        template="provider/part.html",
        scope=target.scope,
        timezone=provider.timezone,
        dimensions=[each for each in usage.FOR_PROVIDERS if each not in target.hides],
        context=provider_scope.context(request, provider, "traffic")
        | {"target": target}
        | _links(request, provider),
        money=(lambda: money_of_customer(provider, customer)) if customer and sees else None,
    )


@never_cache
@login_required
def installation(request: HttpRequest) -> HttpResponseBase:
    """Everybody's traffic, for staff who may see usage; to others it is not there."""
    if not provider_scope.sees_all(request):
        raise Http404("for the staff of the installation")
    shows = request.user.has_perm("billing.view_invoice")
    return usage_page.answer(
        request,
        template="provider/installation.html",
        scope=Scope(everyone=True),
        timezone="UTC",
        dimensions=usage.FOR_PROVIDERS,
        context=provider_scope.context(request, None, "installation") | {"kinds": [], "everyone": True},
        whole=lambda: {"nodes": nodes_up().count()},
        money=money_of_everybody if shows else None,
    )


def _links(request: HttpRequest, provider: Organization) -> dict[str, object]:
    """Where names lead: who was given single APIs sees no customers and no keys."""
    if provider in provider_scope.choices(request):
        return {"kinds": list(usage_targets.KINDS)}
    return {"kinds": ["api", "stage", "operation"], "granted_only": True, "page": "granted"}
