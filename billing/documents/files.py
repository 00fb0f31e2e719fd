"""Documents as files to download: name, media type and content."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.http import HttpResponse, HttpResponseBase, StreamingHttpResponse

from accounts.models import Organization
from billing.documents.content import credit_note_document, invoice_document
from billing.documents.csv_file import invoice_csv
from billing.documents.focus import COLUMNS, invoice_rows, values
from billing.documents.pdf import pdf
from billing.documents.tables import csv_lines
from billing.models import BillingProfile, CreditNote, Invoice

PDF, CSV = "application/pdf", "text/csv; charset=utf-8"
INVOICE_KINDS = ("pdf", "csv", "focus")


@dataclass(frozen=True, slots=True)
class File:
    """`content` is bytes, or pieces of text for a large table."""

    name: str
    media_type: str
    content: bytes | Iterable[str] | Iterable[bytes]

    def response(self) -> HttpResponseBase:
        """Return it as a download that no cache keeps."""
        headers = {
            "Content-Disposition": f'attachment; filename="{self.name}"',
            "Cache-Control": "private, no-store",
            "X-Content-Type-Options": "nosniff",
        }
        if isinstance(self.content, bytes):
            return HttpResponse(self.content, content_type=self.media_type, headers=headers)
        return StreamingHttpResponse(self.content, content_type=self.media_type, headers=headers)


def invoice_file(invoice: Invoice, kind: str) -> File:
    """Return an invoice that was loaded with `billing.queries.with_lines` as one of `INVOICE_KINDS`."""
    name = f"invoice-{invoice.label}"
    if kind == "csv":
        return File(f"{name}.csv", CSV, invoice_csv(invoice))
    if kind == "focus":
        return File(f"{name}-focus.csv", CSV, csv_lines(COLUMNS, values(invoice_rows(invoice))))
    return File(f"{name}.pdf", PDF, invoice_pdf(invoice))


def invoice_pdf(invoice: Invoice) -> bytes:
    """Return an invoice that was loaded with `billing.queries.with_lines` as PDF."""
    return pdf(invoice_document(invoice), logo=logo_of(invoice.organization))


def credit_note_file(note: CreditNote) -> File:
    """Return a credit note as PDF."""
    content = pdf(credit_note_document(note), logo=logo_of(note.organization))
    return File(f"credit-note-{note.label}.pdf", PDF, content)


def logo_of(organization: Organization) -> str:
    """Return the provider's logo as `data:` URI, '' for none."""
    found = BillingProfile.objects.filter(organization=organization).values_list("logo", flat=True)
    return found.first() or ""
