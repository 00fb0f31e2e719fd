"""What a month may cost: budgets, spend caps, and when to tell of quotas."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from access.models import CallAllowance
from accounts.models import Organization
from accounts.permissions import can_administer, can_see_bills
from billing.budgets import change_budget, create_budget, delete_budget
from billing.currencies import DEFAULT_CURRENCY
from billing.models import Budget, BudgetAlert
from billing.queries import rate_card_of, subscriptions_in, with_prices
from nodes.quota_alerts import rule_of, set_quota_alerts
from portal import guard
from portal.budgets import shown_budgets, stopped_by_payer, stopped_now
from portal.forms.budgets import BudgetForm, QuotaAlertForm, percents_text
from portal.refusals import refusals_to
from portal.views.questions import ask

PAGE = {"section": "console", "page": "budgets"}
MOST_ALERTS = 20


@guard.in_organization(can_see_bills)
def listing(request: HttpRequest, organization: Organization) -> HttpResponse:
    """Where budgets stand, what was told of them, and the form for quota alerts."""
    rule = rule_of(organization)
    before = {"percents": percents_text(rule.percents), "mails": rule.mails}
    form = QuotaAlertForm(request.POST or None, initial=before)
    if request.method == "POST":
        guard.demand(can_administer, request, organization)
        if form.is_valid():
            with refusals_to(form):
                actor = guard.person(request)
                set_quota_alerts(organization=organization, actor=actor, **form.cleaned_data)
                messages.success(request, "Saved.")
                return redirect("budgets")
    alerts = BudgetAlert.objects.filter(organization=organization, told=True).select_related("budget")
    stopped = stopped_now(organization)
    context = PAGE | {
        "budgets": shown_budgets(organization),
        "stopped": stopped,
        "stopped_by_payer": stopped_by_payer(organization, stopped),
        "alerts": list(alerts[:MOST_ALERTS]),
        "quota_form": form,
        "rule": rule,
        "may_administer": can_administer(request.user, organization),
    }
    return render(request, "console/budgets.html", context)


@guard.in_organization(can_administer)
def create(request: HttpRequest, organization: Organization) -> HttpResponse:
    subscriptions = list(with_prices(subscriptions_in(customer=organization)).exclude(state="cancelled"))
    cards = [card for each in subscriptions if (card := rate_card_of(each))]
    currency = cards[0].currency if cards else DEFAULT_CURRENCY
    form = BudgetForm(
        request.POST or None,
        subscriptions=subscriptions,
        currency=currency,
        members=organization.billing_children.count(),
    )
    if request.method == "POST" and form.is_valid():
        with refusals_to(form):
            made = create_budget(organization=organization, actor=guard.person(request), **form.values())
            messages.success(request, f"{made} is watched from now on.")
            return redirect("budgets")
    return render(request, "console/budget_form.html", PAGE | {"form": form})


@guard.in_organization(can_administer)
def edit(request: HttpRequest, organization: Organization, pk: str) -> HttpResponse:
    budget = guard.own(Budget, organization, pk)
    form = BudgetForm(request.POST or None, budget=budget)
    if request.method == "POST" and form.is_valid():
        with refusals_to(form):
            change_budget(budget=budget, actor=guard.person(request), **form.values())
            messages.success(request, "Saved.")
            return redirect("budgets")
    return render(request, "console/budget_form.html", PAGE | {"form": form, "budget": budget})


@guard.in_organization(can_administer)
def delete(request: HttpRequest, organization: Organization, pk: str) -> HttpResponse:
    budget = guard.own(Budget, organization, pk)
    stops = CallAllowance.objects.filter(organization=organization).exists() and budget.stops
    return ask(
        request,
        question=f"Delete the budget {budget}?",
        consequence="Calls that it stopped are let in again." if stops else "Nobody is told of it any more.",
        action="Delete the budget",
        back=reverse("budgets"),
        act=lambda: delete_budget(budget=budget, actor=guard.person(request)),
        done=f"{budget} is deleted.",
        page="budgets",
    )
