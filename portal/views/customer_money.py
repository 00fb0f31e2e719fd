"""A provider's terms with a customer, credits and discounts for it."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render

from accounts.models import Organization
from billing.ledger.grants import grant
from billing.models import CustomerTerms, PriceOverride
from billing.overrides import end_override, give_override
from billing.profiles import set_customer_terms
from billing.queries import default_currency
from portal import guard, provider_scope
from portal.forms.customer_money import DiscountForm, GrantForm, TermsForm
from portal.refusals import refusals_to
from portal.views.customers import customer_of
from portal.views.questions import ask


@login_required
def terms(request: HttpRequest, pk: str) -> HttpResponse:
    """Days to pay, tax, prepaid, late payment: for invoices from now on."""
    provider, customer = _parties(request, pk)
    given = CustomerTerms.objects.filter(organization=provider, customer=customer).first()
    form = TermsForm(request.POST or None, terms=given)
    return _page(
        request,
        provider,
        customer,
        form,
        title="Terms",
        action="Save the terms",
        act=lambda: set_customer_terms(
            provider=provider, customer=customer, actor=guard.person(request), **form.cleaned_data
        ),
        done="Saved; they hold for invoices from now on.",
    )


@login_required
def credit(request: HttpRequest, pk: str) -> HttpResponse:
    """Give credits: used on invoices before anything is due."""
    provider, customer = _parties(request, pk)
    usual = {"currency": default_currency([provider.pk])[provider.pk]}
    form = GrantForm(request.POST or None, initial=usual)
    return _page(
        request,
        provider,
        customer,
        form,
        title="Give credits",
        action="Give credits",
        act=lambda: grant(provider=provider, customer=customer, actor=guard.person(request), **form.values()),
        done=f"{customer} has them now.",
    )


@login_required
def discount(request: HttpRequest, pk: str) -> HttpResponse:
    """A discount on a rate card, from the next minute on."""
    provider, customer = _parties(request, pk)
    form = DiscountForm(request.POST or None, provider=provider)
    return _page(
        request,
        provider,
        customer,
        form,
        title="Give a discount",
        action="Give the discount",
        act=lambda: give_override(customer=customer, actor=guard.person(request), **form.values()),
        done="It holds from the next minute on.",
    )


@login_required
def end_discount(request: HttpRequest, pk: str, override: str) -> HttpResponse:
    """End a discount, or a price of the customer's own, with the next minute."""
    provider, customer = _parties(request, pk)
    rows = PriceOverride.objects.select_related("customer", "rate_card")
    found = get_object_or_404(rows, pk=override, organization=provider, customer=customer)
    return ask(
        request,
        question=f"End what {found} says?",
        consequence=f"From the next minute on {customer} pays what {found.rate_card} says.",
        action="End it",
        back=provider_scope.address("customer-bills", provider, pk),
        act=lambda: end_override(override=found, actor=guard.person(request)),
        done="It ends with the next minute.",
        page="customers",
        template="provider/ask.html",
        context=provider_scope.context(request, provider, "customers"),
    )


def _parties(request: HttpRequest, pk: str) -> tuple[Organization, Organization]:
    """The provider, whose prices she administers (else 403), and its customer (else 404)."""
    provider = provider_scope.chosen(request)
    provider_scope.demand(provider_scope.administers(request, provider))
    return provider, customer_of(provider, pk)


def _page(
    request: HttpRequest,
    provider: Organization,
    customer: Organization,
    form: forms.Form,
    *,
    title: str,
    action: str,
    act: Callable[[], Any],
    done: str,
) -> HttpResponse:
    if request.method == "POST" and form.is_valid():
        with refusals_to(form):
            act()
            messages.success(request, done)
            return redirect(provider_scope.address("customer-bills", provider, customer.pk))
    context = provider_scope.context(request, provider, "customers") | {
        "customer": customer,
        "form": form,
        "title": title,
        "action": action,
    }
    return render(request, "provider/customer_form.html", context)
