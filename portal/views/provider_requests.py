"""A provider's request log: all calls of its APIs, whoever made them."""

from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponseBase
from django.views.decorators.cache import never_cache

from accounts.models import Organization
from metering.scopes import Scope
from portal import provider_scope
from portal.request_views import answer_call, answer_list


@never_cache
@login_required
def page(request: HttpRequest) -> HttpResponseBase:
    """The list; `?organization=` chooses the provider, the rest is as in the developer's console."""
    organization = provider_scope.chosen(request)
    return answer_list(
        request,
        template="provider/requests.html",
        scopes=_scopes(request, organization),
        context=_context(request, organization) | {"apis": list(organization.apis.all())},
        call="provider-request",
    )


@never_cache
@login_required
def call(request: HttpRequest, pk: UUID) -> HttpResponseBase:
    """What happened to one call of any provider whose traffic she may see."""
    organization = provider_scope.chosen(request)
    return answer_call(
        request,
        template="provider/request.html",
        scopes=_scopes(request, organization),
        pk=pk,
        context=_context(request, organization),
        for_provider=True,
        sees_money=provider_scope.sees_bills(request, organization),
    )


def _scopes(request: HttpRequest, organization: Organization) -> list[Scope]:
    """The chosen provider's calls; the staff of the installation also finds calls that reached no API, by their id."""
    own = [Scope(provider=organization.pk)]
    return [*own, Scope(everyone=True)] if provider_scope.sees_all(request) else own


def _context(request: HttpRequest, organization: Organization) -> dict[str, object]:
    return {
        "section": "provider",
        "page": "requests",
        "provider": organization,
        "providers": provider_scope.choices(request),
        "sees_all": provider_scope.sees_all(request),
    }
