"""A provider's dashboards: traffic over all its APIs, and its money."""

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.db.models import Count
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.timezone import now
from django.views.decorators.cache import never_cache

from access.models import SubscriptionState
from access.queries import subscribers_of, waiting_for_approval
from accounts.models import Organization
from billing.documents.content import credit_note_document, invoice_document
from billing.documents.files import credit_note_file, invoice_file, logo_of
from billing.periods import month_of
from billing.queries import credit_notes_of_provider, invoices_of_provider, with_lines
from metering.queries import Scope
from nodes.queries import nodes_up
from portal import provider_scope, usage, usage_page, usage_targets
from portal.usage_money import money_of_provider, sales_so_far


@never_cache
@login_required
def traffic(request: HttpRequest) -> HttpResponseBase:
    """All traffic of a provider; `?organization=` and `?api=` choose, and what every dashboard takes."""
    if provider_scope.granted(request) and not provider_scope.choices(request):
        return redirect("granted")
    organization = provider_scope.chosen(request)
    scope = usage.narrowed(Scope(provider=organization.pk), request.GET, "api")
    shows = provider_scope.sees_bills(request, organization) and not scope.api
    return usage_page.answer(
        request,
        template="provider/traffic.html",
        scope=scope,
        timezone=organization.timezone,
        dimensions=usage.FOR_PROVIDERS,
        context=provider_scope.context(request, organization, "traffic")
        | {"kinds": list(usage_targets.KINDS)},
        whole=lambda: _whole(organization),
        money=(lambda: money_of_provider(organization)) if shows else None,
    )


@login_required
def money(request: HttpRequest) -> HttpResponse:
    """The month so far, customer by customer, and the invoices issued.

    The month so far is a request of its own (`?fragment=sales`): rating all customers would hold the page up.
    """
    organization = provider_scope.chosen(request)
    _demand_bills(request, organization)
    if request.GET.get("fragment") == "sales":
        return render(request, "provider/sales.html", {"sales": sales_so_far(organization)})
    context = provider_scope.context(request, organization, "money") | {
        "period": month_of(now(), organization.timezone),
        "invoices": invoices_of_provider(organization)[:120],
    }
    return render(request, "provider/money.html", context)


@login_required
def invoice(request: HttpRequest, pk: str) -> HttpResponse:
    organization = provider_scope.chosen(request)
    _demand_bills(request, organization)
    found = get_object_or_404(with_lines(invoices_of_provider(organization)), pk=pk)
    context = provider_scope.context(request, organization, "money") | {
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
    context = provider_scope.context(request, organization, "money") | {
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


def _whole(organization: Organization) -> dict[str, object]:
    subscribers = dict(
        subscribers_of(organization).order_by().values_list("state").annotate(count=Count("pk"))
    )
    return {
        "apis": list(organization.apis.all()),
        "subscribers": subscribers.get(SubscriptionState.ACTIVE, 0),
        "waiting": waiting_for_approval(organization).count(),
        "nodes": nodes_up().count(),
    }


def _demand_bills(request: HttpRequest, organization: Organization) -> None:
    if not provider_scope.sees_bills(request, organization):
        raise PermissionDenied("Your role in this organization does not show its bills. Ask its owner.")
