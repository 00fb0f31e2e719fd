"""How a customer pays: invoices, credits in advance, saved cards, and what became of it."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST

from accounts.errors import Refused
from accounts.models import Organization
from accounts.permissions import can_pay, can_see_bills
from accounts.portal_address import portal_url
from billing.dunning import held
from billing.ledger.balances import balances, movements
from billing.models import Payment, PaymentState
from billing.payments.methods import methods_of, remove_method, set_up_method
from billing.payments.pay import buy_credits, pay_invoice
from billing.payments.processors import online
from billing.payments.queries import payments_of, providers_of
from billing.queries import default_currency, invoices_of_customer
from portal import guard
from portal.forms.payments import CardForm, CreditsForm
from portal.refusals import refusals_to
from portal.views.questions import ask

PAGE = {"section": "console", "page": "payments"}
SHOWN = 100  # movements and payments; older ones by REST


@guard.in_organization(can_see_bills)
def page(request: HttpRequest, organization: Organization) -> HttpResponse:
    """Balances, what moved them, payments and cards; POST buys credits."""
    providers = providers_of(organization)
    currencies = default_currency([each.pk for each in providers])
    form = CreditsForm(request.POST or None, providers=providers, currencies=currencies)
    if request.method == "POST" and form.is_valid():
        guard.demand(can_pay, request, organization)
        with refusals_to(form):
            payment = buy_credits(
                provider=form.cleaned_data["provider"],
                customer=organization,
                amount=form.cleaned_data["amount"],
                currency=form.currency,
                return_url=f"{portal_url()}{reverse('payments')}",
                actor=guard.person(request),
            )
            return _after(request, payment)
    names = {each.pk: each.name for each in providers}
    context = PAGE | {
        "form": form,
        "card_form": CardForm(providers=providers, prefix="card"),
        "online": online(),
        "balances": [
            {"provider": names.get(provider, provider), "currency": currency, "amount": amount}
            for (provider, _, currency), amount in sorted(balances(customer_ids=[organization.pk]).items())
        ],
        "movements": movements(customer=organization)[:SHOWN],
        "payments": payments_of(organization)[:SHOWN],
        "methods": methods_of(organization),
        "held": held(customer=organization),
        "providers": providers,
    }
    return render(request, "console/payments.html", context)


@require_POST
@guard.in_organization(can_pay)
def pay(request: HttpRequest, organization: Organization, pk: str) -> HttpResponse:
    """Pay an invoice: at once by the saved card, or go on to the processor's page."""
    invoice = get_object_or_404(invoices_of_customer(organization), pk=pk)
    back = reverse("invoice", args=[invoice.pk])
    try:
        payment = pay_invoice(
            invoice=invoice, return_url=f"{portal_url()}{back}", actor=guard.person(request)
        )
    except Refused as refused:
        messages.error(request, refused.message)
        return redirect(back)
    return _after(request, payment)


@guard.in_organization(can_see_bills)
def payment(request: HttpRequest, organization: Organization, pk: str) -> HttpResponse:
    """One payment: what became of it, and where to go on."""
    found = get_object_or_404(payments_of(organization).prefetch_related("refunds"), pk=pk)
    return render(request, "console/payment.html", PAGE | {"payment": found})


@require_POST
@guard.in_organization(can_pay)
def new_method(request: HttpRequest, organization: Organization) -> HttpResponse:
    """Leave a card at the processor. Its page is behind a link: browsers let no form of ours lead elsewhere."""
    form = CardForm(request.POST, providers=providers_of(organization), prefix="card")
    if not form.is_valid():
        messages.error(request, "Choose one of your providers.")
        return redirect("payments")
    provider = form.cleaned_data["provider"]
    try:
        url = set_up_method(
            provider=provider,
            customer=organization,
            return_url=f"{portal_url()}{reverse('payments')}",
            actor=guard.person(request),
        )
    except Refused as refused:
        messages.error(request, refused.message)
        return redirect("payments")
    return render(request, "console/payment_method.html", PAGE | {"url": url, "provider_name": provider.name})


@guard.in_organization(can_pay)
def forget_method(request: HttpRequest, organization: Organization, pk: str) -> HttpResponse:
    method = get_object_or_404(methods_of(organization), pk=pk)
    return ask(
        request,
        question=f"Remove {method}?",
        consequence=f"{method.organization.name} cannot charge it any more. Invoices are then yours to pay.",
        action="Remove it",
        back=reverse("payments"),
        act=lambda: remove_method(method=method, actor=guard.person(request)),
        done="Removed.",
        page="payments",
    )


def _after(request: HttpRequest, made: Payment) -> HttpResponse:
    if made.state == PaymentState.SUCCEEDED:
        messages.success(request, "Paid. Thank you.")
        return redirect("invoice", pk=made.invoice_id) if made.invoice_id else redirect("payments")
    return redirect("payment", pk=made.pk)
