"""Invoices recomputed, and what it takes to do so."""

from django.http import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from billing.audit.audit import audit
from billing.audit.bundle import ZIP, bundle_file
from rest.serializers.audits import AuditSerializer


class ZipRenderer(JSONRenderer):
    """Lets clients ask for an archive; what it renders itself is the problem document when there is none."""

    media_type = ZIP


class Auditing:
    """Whether an invoice is right."""

    @extend_schema(responses=AuditSerializer)
    @action(detail=True, methods=["get"])
    def audit(self, request: Request, pk: str) -> Response:
        """Recompute an invoice: each line from records and frozen prices, and the records against their seals."""
        found = audit(invoice=self.get_object())  # type: ignore[attr-defined]
        return Response(AuditSerializer(found).data)

    @extend_schema(responses={(200, ZIP): OpenApiTypes.BINARY})
    @action(detail=True, methods=["get"], renderer_classes=[JSONRenderer, ZipRenderer])
    def bundle(self, request: Request, pk: str) -> HttpResponseBase:
        """Read the records and the price list of an invoice as zip, with the program that recomputes it."""
        return bundle_file(self.get_object()).response()  # type: ignore[attr-defined]
