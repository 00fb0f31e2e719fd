"""What a developer owes: the month so far, and invoices."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render

from accounts.models import Organization
from accounts.permissions import can_see_bills
from billing.estimate import estimate
from billing.queries import invoices_of_customer, with_lines
from portal import guard
from portal.invoices import page_of


@guard.in_organization(can_see_bills)
def costs(request: HttpRequest, organization: Organization) -> HttpResponse:
    """The month so far, subscription by subscription, tier by tier."""
    context = {"section": "console", "page": "costs", "estimate": estimate(organization=organization)}
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
    context = {"section": "console", "page": "invoices", "bill": page_of(found)}
    return render(request, "console/invoice.html", context)
