"""Invoices as files, `credit-notes`, `usage-and-cost`."""

from typing import Any, ClassVar

from django.db.models import QuerySet
from django.http import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.exceptions import PermissionDenied
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.permissions import can_see_bills
from billing.credit_notes import credit_invoice
from billing.documents.files import CSV, PDF, File, credit_note_file, invoice_file
from billing.documents.usage_and_cost import focus_csv, invoices_of_month
from billing.models import CreditNote
from billing.periods import parse_month
from rest.filtersets import CreditNoteFilters
from rest.permissions import Need
from rest.serializers.credit_notes import CreditNoteSerializer, UsageAndCostQuery
from rest.views.base import Listed, Readable, Resource, act
from rest.views.usage import Asked


class PdfRenderer(JSONRenderer):
    """Lets clients ask for a PDF; what it renders itself is the problem document when there is none."""

    media_type = PDF


class CsvRenderer(JSONRenderer):
    """The same for tables."""

    media_type = "text/csv"


AS_PDF = [JSONRenderer, PdfRenderer]
AS_CSV = [JSONRenderer, CsvRenderer]
PDF_FILE = {(200, PDF): OpenApiTypes.BINARY}
CSV_FILE = {(200, "text/csv"): OpenApiTypes.STR}


class Downloads:
    """An invoice as a file."""

    @extend_schema(responses=PDF_FILE)
    @action(detail=True, methods=["get"], renderer_classes=AS_PDF)
    def pdf(self, request: Request, pk: str) -> HttpResponseBase:
        """Read an invoice as PDF."""
        return self._file("pdf")

    @extend_schema(responses=CSV_FILE)
    @action(detail=True, methods=["get"], renderer_classes=AS_CSV)
    def csv(self, request: Request, pk: str) -> HttpResponseBase:
        """Read an invoice as CSV: its lines, then its taxes."""
        return self._file("csv")

    @extend_schema(responses=CSV_FILE)
    @action(detail=True, methods=["get"], renderer_classes=AS_CSV)
    def focus(self, request: Request, pk: str) -> HttpResponseBase:
        """Read an invoice as FOCUS table: usage and cost in the columns of the FinOps specification, as CSV."""
        return self._file("focus")

    def _file(self, kind: str) -> HttpResponseBase:
        return invoice_file(self.get_object(), kind).response()  # type: ignore[attr-defined]


class Crediting:
    """Taking back a part of an invoice."""

    @extend_schema(responses={201: CreditNoteSerializer})
    @act()
    def credit(self, request: Request, pk: str) -> Response:
        """Issue a credit note for a finalized or paid invoice (the provider).

        Give an amount (tax included), or amounts of lines, or neither for all that is left.
        """
        invoice, data = self.target()  # type: ignore[attr-defined]
        caller = self.caller  # type: ignore[attr-defined]
        if not caller.provides(invoice.organization_id):
            raise PermissionDenied("Only the provider that issued the invoice may do this.")
        lines = data.get("lines")
        note = credit_invoice(
            invoice=invoice,
            reason=data["reason"],
            amount=data.get("amount"),
            lines=None if lines is None else {line["position"]: line["amount"] for line in lines},
            actor=caller.user,
        )
        return Response(CreditNoteSerializer(note).data, status=201)


class CreditNoteViews(Listed, Readable, Resource):
    """Credit notes that the organization issued as a provider, and those it received."""

    model, noun, nouns, tag = CreditNote, "credit note", "credit notes", "invoices"
    serializer_class = CreditNoteSerializer
    related: ClassVar = ("organization", "customer", "invoice__organization", "invoice__customer")
    filterset_class = CreditNoteFilters
    ordering_fields = ("number", "issued_at", "total")
    search_fields = ("reason", "customer__name", "organization__name")
    read_need = Need.BILLS

    def get_queryset(self) -> QuerySet[Any]:
        return super().get_queryset().prefetch_related("lines__invoice_line", "taxes__invoice_tax")

    @extend_schema(responses=PDF_FILE)
    @action(detail=True, methods=["get"], renderer_classes=AS_PDF)
    def pdf(self, request: Request, pk: str) -> HttpResponseBase:
        """Read a credit note as PDF."""
        return credit_note_file(self.get_object()).response()


class UsageAndCostView(Asked):
    """A month in FOCUS rows."""

    tag = "usage"
    query_class = UsageAndCostQuery
    read_need = Need.BILLS
    renderer_classes = AS_CSV

    @extend_schema(operation_id="usage_and_cost", parameters=[UsageAndCostQuery], responses=CSV_FILE)
    def get(self, request: Request) -> HttpResponseBase:
        """Usage and cost of a month in the columns of FOCUS 1.2, as CSV: all that was invoiced for it.

        As a customer you get the invoices you received, with `side=provider` those you issued. Void invoices and
        what is not invoiced yet are not in it.
        """
        asked = self.read_query()
        organization = asked.get("organization", self.caller.organization)
        if not can_see_bills(self.caller.user, organization):
            raise PermissionDenied("For this one must be owner, admin or billing.")
        month = parse_month(asked["month"], "UTC")
        invoices = invoices_of_month(organization, asked["side"], month)
        return File(f"usage-and-cost-{month.key}.csv", CSV, focus_csv(invoices)).response()
