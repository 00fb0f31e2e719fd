"""What a developer owes: the month so far, and invoices."""

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.utils.timezone import now

from accounts.models import Organization
from accounts.permissions import can_see_bills
from billing.documents.content import credit_note_document, invoice_document
from billing.documents.files import credit_note_file, invoice_file, logo_of
from billing.estimate import estimate
from billing.forecast import forecast
from billing.models import PaymentState
from billing.payments.processors import online
from billing.payments.queries import payments_of
from billing.queries import credit_notes_of_customer, invoices_of_customer, with_lines
from portal import guard


@guard.in_organization(can_see_bills)
def costs(request: HttpRequest, organization: Organization) -> HttpResponse:
    """The month so far, subscription by subscription, tier by tier."""
    found = estimate(organization=organization)
    context = {"section": "console", "page": "costs", "estimate": found, "forecast": forecast(found)}
    return render(request, "console/costs.html", context)


@guard.in_organization(can_see_bills)
def invoices(request: HttpRequest, organization: Organization) -> HttpResponse:
    found = invoices_of_customer(organization)[:120]
    return render(
        request, "console/invoices.html", {"section": "console", "page": "invoices", "invoices": found}
    )


@guard.in_organization(can_see_bills)
def invoice(request: HttpRequest, organization: Organization, pk: str) -> HttpResponse:
    found = get_object_or_404(with_lines(invoices_of_customer(organization)), pk=pk)
    context = {
        "section": "console",
        "page": "invoices",
        "invoice": found,
        "document": invoice_document(found),
        "logo": logo_of(found.organization),
        "online": online(),
        "overdue": found.due_at is not None and found.due_at < now(),
        "pending": payments_of(organization).filter(invoice=found, state=PaymentState.PENDING).first(),
    }
    return render(request, "console/invoice.html", context)


@guard.in_organization(can_see_bills)
def invoice_download(
    request: HttpRequest, organization: Organization, pk: str, kind: str
) -> HttpResponseBase:
    """An invoice as PDF, CSV or FOCUS table."""
    found = get_object_or_404(with_lines(invoices_of_customer(organization)), pk=pk)
    return invoice_file(found, kind).response()


@guard.in_organization(can_see_bills)
def credit_note(request: HttpRequest, organization: Organization, pk: str) -> HttpResponse:
    found = get_object_or_404(credit_notes_of_customer(organization), pk=pk)
    context = {
        "section": "console",
        "page": "invoices",
        "note": found,
        "document": credit_note_document(found),
        "logo": logo_of(found.organization),
    }
    return render(request, "console/credit_note.html", context)


@guard.in_organization(can_see_bills)
def credit_note_download(request: HttpRequest, organization: Organization, pk: str) -> HttpResponseBase:
    found = get_object_or_404(credit_notes_of_customer(organization), pk=pk)
    return credit_note_file(found).response()
