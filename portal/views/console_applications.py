"""Applications and their subscriptions."""

from django.contrib import messages
from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from access.applications import change_application, create_application
from access.customers import reasons_of
from access.models import Application, KeyState, SubscriptionState
from access.queries import subscriptions_of
from accounts.models import Organization
from accounts.permissions import can_manage
from portal import guard, prices
from portal.forms.applications import ApplicationForm
from portal.opened import opened_stages
from portal.quotas import quota_use
from portal.refusals import refusals_to
from portal.views.console_keys import key_rows

PAGE = {"section": "console", "page": "applications"}


@guard.in_organization()
def listing(request: HttpRequest, organization: Organization) -> HttpResponse:
    living = ~Q(subscriptions__state=SubscriptionState.CANCELLED)
    applications = organization.applications.annotate(
        plans=Count("subscriptions", filter=living, distinct=True),
        active_keys=Count("keys", filter=Q(keys__state=KeyState.ACTIVE), distinct=True),
    )
    context = PAGE | {"applications": applications, "may_manage": can_manage(request.user, organization)}
    return render(request, "console/applications.html", context)


@guard.in_organization(can_manage)
def create(request: HttpRequest, organization: Organization) -> HttpResponse:
    form = ApplicationForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        with refusals_to(form):
            made = create_application(
                organization=organization, actor=guard.person(request), **form.cleaned_data
            )
            messages.success(request, f"{made} is ready. Next, choose a plan for it.")
            return redirect("application", pk=made.pk)
    context = PAGE | {"form": form, "title": "New application", "action": "Create application"}
    return render(request, "console/application_form.html", context)


@guard.in_organization(can_manage)
def edit(request: HttpRequest, organization: Organization, pk: str) -> HttpResponse:
    application = guard.own(Application, organization, pk)
    before = {"name": application.name, "description": application.description}
    form = ApplicationForm(request.POST or None, initial=before)
    if request.method == "POST" and form.is_valid():
        with refusals_to(form):
            change_application(application=application, actor=guard.person(request), **form.cleaned_data)
            messages.success(request, "Saved.")
            return redirect("application", pk=pk)
    context = PAGE | {
        "form": form,
        "title": f"Edit {before['name']}",
        "action": "Save",
        "application": application,
    }
    return render(request, "console/application_form.html", context)


@guard.in_organization()
def detail(request: HttpRequest, organization: Organization, pk: str) -> HttpResponse:
    """An application's plans with their limits and quotas, and its keys."""
    application = guard.own(Application, organization, pk)
    subscriptions = list(
        subscriptions_of(organization)
        .filter(application=application)
        .select_related(
            "application", "provider", "organization", "plan__price__rate_card", "next_plan", "allowance"
        )
        .prefetch_related("plan__price__rate_card__versions__prices", opened_stages("plan__stages"))
    )
    quotas = {use.subscription.pk: use for use in quota_use(subscriptions)}
    suspended = any(each.state == SubscriptionState.SUSPENDED for each in subscriptions)
    reasons = reasons_of(organization) if suspended else {}
    context = PAGE | {
        "application": application,
        "rows": [
            {
                "subscription": each,
                "terms": prices.terms(each.plan),
                "quota": quotas.get(each.pk),
                "reason": reasons.get(each.provider_id),
            }
            for each in subscriptions
        ],
        "keys": key_rows(application),
        "may_manage": can_manage(request.user, organization),
    }
    return render(request, "console/application.html", context)
