"""A provider's customers: the list, and one of them with all that touches this provider."""

from typing import Any

from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render

from access.customers import resume_customer, suspend_customer, suspension_of
from accounts.helping.sessions import can_help
from accounts.models import Organization
from portal import customer_page, customers, guard, provider_scope
from portal.forms.customers import CustomerFilters
from portal.forms.reason import ReasonForm
from portal.views.questions import ask

PER_PAGE = 50


@login_required
def listing(request: HttpRequest) -> HttpResponse:
    """All customers of a provider; `?q=`, `plan`, `state` and `standing` narrow them."""
    organization = provider_scope.chosen(request)
    form = CustomerFilters(request.GET, plans=organization.usage_plans.all())
    found = customers.narrowed(customers.customers_of(organization), organization, form.values())
    page = Paginator(found.order_by("name", "pk"), PER_PAGE).get_page(request.GET.get("page"))
    context = provider_scope.context(request, organization, "customers") | {
        "form": form,
        "rows": page,
        "lines": customers.lines_of(list(page), organization),
        "narrowed": any(form.values().values()),
    }
    return render(request, "provider/customers.html", context)


@login_required
def detail(request: HttpRequest, pk: str) -> HttpResponse:
    """One customer: applications, subscriptions, keys, and the last 30 days' calls."""
    organization = provider_scope.chosen(request)
    customer = customer_of(organization, pk)
    context = _context(request, organization, customer) | {
        "tab": "overview",
        "places": customer_page.places_of(organization, customer),
        "keys": customer_page.keys_of(organization, customer),
        "usage": customer_page.usage_of(organization, customer),
    }
    return render(request, "provider/customer.html", context)


@login_required
def bills(request: HttpRequest, pk: str) -> HttpResponse:
    """What a customer owes and paid, its credits, terms and prices of its own."""
    organization = provider_scope.chosen(request)
    provider_scope.demand(provider_scope.sees_bills(request, organization))
    customer = customer_of(organization, pk)
    context = _context(request, organization, customer) | {
        "tab": "bills",
        "bills": customer_page.bills_of(organization, customer),
        "may_price": provider_scope.administers(request, organization),
    }
    return render(request, "provider/customer_bills.html", context)


@login_required
def suspend(request: HttpRequest, pk: str) -> HttpResponse:
    organization = provider_scope.chosen(request)
    provider_scope.demand(provider_scope.manages(request, organization))
    customer = customer_of(organization, pk)
    form = ReasonForm(request.POST or None)
    return ask(
        request,
        question=f"Suspend {customer}?",
        consequence="Its subscriptions to your plans stop within a second, calls with its keys are refused, and it "
        "can begin no new subscription until you resume it. It is told by mail.",
        action="Suspend the customer",
        back=provider_scope.address("customer", organization, pk),
        act=lambda: suspend_customer(
            provider=organization,
            customer=customer,
            reason=form.cleaned_data["reason"],
            actor=guard.person(request),
        ),
        done=f"{customer} is suspended.",
        page="customers",
        form=form,
        template="provider/ask.html",
        context=provider_scope.context(request, organization, "customers"),
    )


@login_required
def resume(request: HttpRequest, pk: str) -> HttpResponse:
    organization = provider_scope.chosen(request)
    provider_scope.demand(provider_scope.manages(request, organization))
    customer = customer_of(organization, pk)
    late = customer_page.waiting_for_money(organization, customer)
    but = f" {len(late)} of them wait for a late payment and stay suspended." if late else ""
    return ask(
        request,
        question=f"Let {customer} in again?",
        consequence=f"Its suspended subscriptions to your plans work again within a second.{but} It is told by mail.",
        action="Resume the customer",
        back=provider_scope.address("customer", organization, pk),
        act=lambda: resume_customer(
            provider=organization, customer=customer, actor=guard.person(request), but=late
        ),
        done=f"{customer} is let in again.",
        page="customers",
        button_class="button--primary",
        template="provider/ask.html",
        context=provider_scope.context(request, organization, "customers"),
    )


def customer_of(provider: Organization, pk: str) -> Organization:
    """A customer of this provider, as `customers_of` has it; 404 for everybody else."""
    return get_object_or_404(customers.customers_of(provider), pk=pk)


def _context(request: HttpRequest, organization: Organization, customer: Organization) -> dict[str, Any]:
    """What both tabs of a customer's page show."""
    standing = customers.standing_of(customer)
    return provider_scope.context(request, organization, "customers") | {
        "customer": customer,
        "contacts": customer_page.contacts_of(customer),
        "standing": standing,
        "standing_words": customers.STANDINGS[standing],
        "suspension": suspension_of(organization, customer) if customer.is_out else None,  # type: ignore[attr-defined]
        "shows_bills": provider_scope.sees_bills(request, organization),
        "may_manage": provider_scope.manages(request, organization),
        "may_help": can_help(guard.person(request)),
    }
