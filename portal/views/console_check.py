"""Whether an invoice is right: recomputed for its customer, or with what it takes to do it herself."""

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, render

from accounts.errors import Refused
from accounts.models import Organization
from accounts.permissions import can_see_bills
from billing.audit.audit import audit
from billing.audit.bundle import bundle_file
from billing.queries import invoices_of_customer, with_lines
from portal import guard


@guard.in_organization(can_see_bills)
def check(request: HttpRequest, organization: Organization, pk: str) -> HttpResponse:
    """Every line of an invoice, recomputed."""
    found = get_object_or_404(with_lines(invoices_of_customer(organization)), pk=pk)
    context = {"section": "console", "page": "invoices", "invoice": found}
    try:
        context["audit"] = audit(invoice=found)
    except Refused as refused:
        context["refused"] = refused.message
    return render(request, "console/invoice_check.html", context)


@guard.in_organization(can_see_bills)
def download(request: HttpRequest, organization: Organization, pk: str) -> HttpResponseBase:
    """The records and the price list of an invoice, as zip; the page that says why, if there are none."""
    found = get_object_or_404(with_lines(invoices_of_customer(organization)), pk=pk)
    try:
        return bundle_file(found).response()
    except Refused:
        return check(request, pk=pk)
