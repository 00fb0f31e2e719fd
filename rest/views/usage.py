"""`usage`: how much was called, and what that has cost so far."""

from typing import Any

from django.utils.timezone import now
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import Organization
from accounts.permissions import can_see_bills
from apis.models import Api
from billing.estimate import estimate, estimate_sales
from metering.meter_totals import meter_totals
from metering.queries import Scope, Span, breakdown, seconds_behind, series, summary
from rest.permissions import Need
from rest.serializers.base import StrictQuery
from rest.serializers.billing import EstimateSerializer
from rest.serializers.usage import PARTS, EstimateQuery, UsageQuery, UsageSerializer
from rest.views.base import Guarded


class Asked(Guarded):
    """A view that takes its input from the query string."""

    http_method_names = ["get", "head"]
    query_class: type[StrictQuery]

    def read_query(self) -> dict[str, Any]:
        query = self.query_class(
            data=self.request.query_params.dict(),
            context={"request": self.request},
        )
        query.is_valid(raise_exception=True)
        return query.validated_data


class UsageView(Asked):
    """Calls, errors, bytes and latencies of a span."""

    tag = "usage"
    query_class = UsageQuery

    @extend_schema(operation_id="usage_read", parameters=[UsageQuery], responses=UsageSerializer)
    def get(self, request: Request) -> Response:
        """Usage of a span: totals, totals over time, and with `by` the largest parts.

        As a provider you see the calls to your APIs, as a developer the calls with your keys. Numbers
        are at most a few seconds old; `behind_seconds` says when they are older.
        """
        asked = self.read_query()
        scope, side, organization = self._scope(asked)
        span = Span(asked["start"], asked["end"])
        by = asked.get("by")
        answer = {
            "start": span.start,
            "end": span.end,
            "side": side,
            "organization": organization,
            "behind_seconds": seconds_behind(),
            "summary": summary(scope=scope, span=span),
            "series": series(scope=scope, span=span, step=asked.get("step")),
            "meters": meter_totals(scope=scope, span=span),
            "by": by,
            "breakdown": breakdown(scope=scope, span=span, by=by, limit=asked["limit"]) if by else [],
        }
        return Response(UsageSerializer(answer).data)

    def _scope(self, asked: dict[str, Any]) -> tuple[Scope, str | None, str | None]:
        parts: dict[str, Any] = {name: asked[name] for name in PARTS if name in asked}
        if self.caller.everything and "organization" not in asked and "side" not in asked:
            return Scope(everyone=True, **parts), None, None
        organization: Organization = asked.get("organization", self.caller.organization)
        side = asked.get("side") or self._usual_side(organization)
        return Scope(**{side: organization.pk, **parts}), side, organization.pk

    @staticmethod
    def _usual_side(organization: Organization) -> str:
        return "provider" if Api.objects.filter(organization=organization).exists() else "developer"


class EstimateView(Asked):
    """The running month in money."""

    tag = "usage"
    query_class = EstimateQuery
    read_need = Need.BILLS

    @extend_schema(operation_id="usage_estimate", parameters=[EstimateQuery], responses=EstimateSerializer)
    def get(self, request: Request) -> Response:
        """What the month has cost so far, line by line and tier by tier.

        `owed` is the organization as a developer, `sold` the organization as a provider.
        """
        asked = self.read_query()
        organization = asked.get("organization", self.caller.organization)
        if not can_see_bills(self.caller.user, organization):
            raise PermissionDenied("For this one must be owner, admin or billing.")
        at = asked.get("at", now())
        answer = {
            "organization": organization.pk,
            "at": at,
            "owed": estimate(organization=organization, at=at),
            "sold": estimate_sales(organization=organization, at=at),
        }
        return Response(EstimateSerializer(answer).data)
