"""A developer's request log: the calls made with keys of the organization."""

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponseBase
from django.views.decorators.cache import never_cache

from access.models import ApiKey
from accounts.models import Organization
from accounts.permissions import can_see_bills
from apis.models import Api
from metering.scopes import Scope
from portal import guard
from portal.request_views import answer_call, answer_list

_PAGE = {"section": "console", "page": "requests"}
# what a form can offer; others are reached by a link from a call
MOST_KEYS = 200


@never_cache
@guard.in_organization()
def page(request: HttpRequest, organization: Organization) -> HttpResponseBase:
    """The list; its filters are in the query string, and `?id=` goes to a call."""
    return answer_list(
        request,
        template="console/requests.html",
        scopes=[Scope(developer=organization.pk)],
        context=_PAGE | _choices(organization),
        call="request",
    )


@never_cache
@guard.in_organization()
def call(request: HttpRequest, organization: Organization, pk: UUID) -> HttpResponseBase:
    """What happened to one call."""
    return answer_call(
        request,
        template="console/request.html",
        scopes=[Scope(developer=organization.pk)],
        pk=pk,
        context=_PAGE,
        for_provider=False,
        sees_money=can_see_bills(request.user, organization),
    )


def _choices(organization: Organization) -> dict[str, Any]:
    keys = ApiKey.objects.filter(organization=organization).select_related("application")
    stages = {"versions__stages__usage_plans__subscriptions__organization": organization}
    return {
        "keys": list(keys[:MOST_KEYS]),
        "apis": list(Api.objects.filter(**stages).distinct()),
    }
