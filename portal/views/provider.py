"""A provider's dashboards: traffic over all its APIs, and its money."""

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.views.decorators.cache import never_cache

from access.models import SubscriptionState
from access.queries import subscribers_of
from accounts.models import Organization
from accounts.permissions import can_see_bills
from billing.documents.content import credit_note_document, invoice_document
from billing.documents.files import credit_note_file, invoice_file, logo_of
from billing.estimate import estimate_sales
from billing.queries import credit_notes_of_provider, invoices_of_provider, with_lines
from metering.queries import Scope
from nodes.queries import nodes_up
from portal import provider_scope, usage


@never_cache
@login_required
def traffic(request: HttpRequest) -> HttpResponse:
    """`?organization=`, `?span=`, `?api=` and `?by=` choose; `?fragment=1` answers the part that changes."""
    organization = provider_scope.chosen(request)
    scope = usage.narrowed(Scope(provider=organization.pk), request.GET, "api")
    board = usage.dashboard(
        scope=scope, parameters=request.GET, organization=organization, dimensions=usage.FOR_PROVIDERS
    )
    context = _context(request, organization, "traffic") | {
        "board": board,
        "spans": usage.SPANS,
        "scope": scope,
    }
    if request.GET.get("fragment"):
        return render(request, "components/dashboard.html", context)
    context |= {
        "apis": list(organization.apis.all()),
        "subscribers": subscribers_of(organization).filter(state=SubscriptionState.ACTIVE).count(),
        "waiting": subscribers_of(organization).filter(state=SubscriptionState.PENDING).count(),
        "nodes": nodes_up().count(),
    }
    return render(request, "provider/traffic.html", context)


@login_required
def money(request: HttpRequest) -> HttpResponse:
    """The month so far, customer by customer, and the invoices issued."""
    organization = provider_scope.chosen(request)
    _demand_bills(request, organization)
    context = _context(request, organization, "money") | {
        "sales": estimate_sales(organization=organization),
        "invoices": invoices_of_provider(organization)[:120],
    }
    return render(request, "provider/money.html", context)


@login_required
def invoice(request: HttpRequest, pk: str) -> HttpResponse:
    organization = provider_scope.chosen(request)
    _demand_bills(request, organization)
    found = get_object_or_404(with_lines(invoices_of_provider(organization)), pk=pk)
    context = _context(request, organization, "money") | {
        "invoice": found,
        "document": invoice_document(found),
        "logo": logo_of(organization),
    }
    return render(request, "provider/invoice.html", context)


@login_required
def invoice_download(request: HttpRequest, pk: str, kind: str) -> HttpResponseBase:
    """An invoice as PDF, CSV or FOCUS table."""
    organization = provider_scope.chosen(request)
    _demand_bills(request, organization)
    found = get_object_or_404(with_lines(invoices_of_provider(organization)), pk=pk)
    return invoice_file(found, kind).response()


@login_required
def credit_note(request: HttpRequest, pk: str) -> HttpResponse:
    organization = provider_scope.chosen(request)
    _demand_bills(request, organization)
    found = get_object_or_404(credit_notes_of_provider(organization), pk=pk)
    context = _context(request, organization, "money") | {
        "note": found,
        "document": credit_note_document(found),
        "logo": logo_of(organization),
    }
    return render(request, "provider/credit_note.html", context)


@login_required
def credit_note_download(request: HttpRequest, pk: str) -> HttpResponseBase:
    organization = provider_scope.chosen(request)
    _demand_bills(request, organization)
    return credit_note_file(get_object_or_404(credit_notes_of_provider(organization), pk=pk)).response()


def _context(request: HttpRequest, organization: Organization, page: str) -> dict[str, object]:
    return {
        "section": "provider",
        "page": page,
        "provider": organization,
        "providers": provider_scope.choices(request),
    }


def _demand_bills(request: HttpRequest, organization: Organization) -> None:
    staff = request.user.is_staff and request.user.has_perm("billing.view_invoice")
    if not (staff or can_see_bills(request.user, organization)):
        raise PermissionDenied("Your role in this organization does not show its bills. Ask its owner.")
