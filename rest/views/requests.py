"""`requests`: the request log, and what happened to one call."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from django.utils.timezone import now
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import Organization
from accounts.permissions import can_see_bills
from apis.models import Api
from billing.call_cost import CallCost, cost_of_call
from metering.request_log.explain import Explanation, explain
from metering.request_log.search import Filters, clamp, find_request, find_requests, kept_from
from metering.scopes import Scope, Span
from rest.serializers.requests import (
    ExplanationSerializer,
    RequestsQuery,
    RequestsSerializer,
    SideQuery,
)
from rest.views.usage import Asked

_PARTS = ("api", "stage", "operation", "application", "key")
_FILTERS = ("status", "outcome", "verdict", "method", "path")


class OfASide(Asked):
    """A view of a provider's calls, or a developer's."""

    tag = "usage"

    def scope_of(self, asked: dict[str, Any]) -> tuple[Scope, str]:
        """Return whose calls are asked for, and `provider` or `developer`."""
        organization: Organization = asked.get("organization", self.caller.organization)
        parts: dict[str, Any] = {name: asked[name] for name in _PARTS if name in asked}
        side = asked.get("side")
        if side is None:
            side = "provider" if Api.objects.filter(organization=organization).exists() else "developer"
        return Scope(**{side: organization.pk, **parts}), side


class RequestsView(OfASide):
    """Single calls, newest first."""

    query_class = RequestsQuery

    @extend_schema(operation_id="requests_list", parameters=[RequestsQuery], responses=RequestsSerializer)
    def get(self, request: Request) -> Response:
        """Single calls, newest first: those of your APIs, or those made with your keys.

        Lines are kept for some days, and nodes write so many a second: refused and failed calls first, answered
        ones as far as there is room. `usage` counts every call.
        """
        asked = self.read_query()
        end = asked.get("end") or now() + timedelta(seconds=1)
        filters = Filters(
            span=Span(asked.get("start") or kept_from(), end),
            **{name: asked[name] for name in _FILTERS if name in asked},
        )
        scope, _ = self.scope_of(asked)
        found = find_requests(
            scope=scope, filters=clamp(filters), before=asked.get("before", ""), limit=asked["limit"]
        )
        return Response(RequestsSerializer(found).data)


class RequestView(OfASide):
    """One call explained."""

    query_class = SideQuery

    @extend_schema(operation_id="requests_read", parameters=[SideQuery], responses=ExplanationSerializer)
    def get(self, request: Request, request_id: str) -> Response:
        """What happened to one call: each check of the gate and its rule, how long it took, and what it cost.

        `request_id` is what the gate answers in `x-amzn-RequestId`.
        """
        scope, side = self.scope_of(self.read_query())
        line = find_request(scope=scope, request_id=UUID(request_id))
        if line is None:
            raise NotFound(
                "No call with this id is in this log: it is too old, of another organization, was left out, or comes "
                "in some seconds."
            )
        told = explain(line, for_provider=side == "provider")
        return Response(ExplanationSerializer(told, context={"cost": self._cost(told, scope)}).data)

    def _cost(self, told: Explanation, scope: Scope) -> CallCost | None:
        line = told.line
        organization = Organization.objects.get(pk=scope.provider or scope.developer)
        if (
            not told.billable
            or told.subscription is None
            or not can_see_bills(self.caller.user, organization)
        ):
            return None
        return cost_of_call(
            subscription=told.subscription,
            api_id=line.api_id,
            at=line.at,
            bytes_in=line.bytes_in,
            bytes_out=line.bytes_out,
        )
