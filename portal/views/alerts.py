"""Alerts on a provider's traffic: what is watched, what was told, and their forms."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render

from accounts.models import Organization
from accounts.permissions import can_administer
from metering.alerts import change_alert, create_alert, delete_alert
from metering.models import UsageAlert
from portal import guard, provider_scope
from portal.forms.alerts import AlertForm
from portal.refusals import refusals_to
from portal.views.questions import ask

MOST_NOTICES = 30


@login_required
def listing(request: HttpRequest) -> HttpResponse:
    """Its people and the staff see them; who administers changes them."""
    organization = provider_scope.chosen(request)
    context = _context(request, organization) | {
        "alerts": list(organization.usage_alerts.order_by("name")),
        "notices": list(
            organization.usage_alert_notices.select_related("alert").order_by("-at")[:MOST_NOTICES]
        ),
        "may_change": can_administer(request.user, organization),
    }
    return render(request, "provider/alerts.html", context)


@login_required
def create(request: HttpRequest) -> HttpResponse:
    """`?about=operation:id` names what the lists do not hold."""
    organization = provider_scope.chosen(request)
    guard.demand(can_administer, request, organization)
    about = request.GET.get("about", "")
    form = AlertForm(request.POST or None, organization=organization, about=about)
    if request.method == "POST" and form.is_valid():
        with refusals_to(form):
            alert = create_alert(organization=organization, actor=guard.person(request), **form.values())
            messages.success(request, f"{alert} is made.")
            return redirect(_back(organization))
    return render(request, "provider/alert_form.html", _context(request, organization) | {"form": form})


@login_required
def edit(request: HttpRequest, pk: str) -> HttpResponse:
    alert = _own(request, pk)
    organization = alert.organization
    form = AlertForm(request.POST or None, organization=organization, alert=alert)
    if request.method == "POST" and form.is_valid():
        with refusals_to(form):
            change_alert(alert=alert, actor=guard.person(request), **form.values())
            messages.success(request, "Saved.")
            return redirect(_back(organization))
    context = _context(request, organization) | {"form": form, "alert": alert}
    return render(request, "provider/alert_form.html", context)


@login_required
def delete(request: HttpRequest, pk: str) -> HttpResponse:
    alert = _own(request, pk)
    return ask(
        request,
        question=f"Delete the alert {alert}?",
        consequence="Nobody is told any more, and what it told is deleted as well.",
        action="Delete the alert",
        back=_back(alert.organization),
        act=lambda: delete_alert(alert=alert, actor=guard.person(request)),
        done=f"{alert} is deleted.",
        page="alerts",
    )


def _own(request: HttpRequest, pk: str) -> UsageAlert:
    """An alert of a provider that she may see (else 404) and administers (else 403)."""
    alert = get_object_or_404(
        UsageAlert.objects.select_related("organization"),
        pk=pk,
        organization__in=provider_scope.choices(request),
    )
    guard.demand(can_administer, request, alert.organization)
    return alert


def _back(organization: Organization) -> str:
    return provider_scope.address("alerts", organization)


def _context(request: HttpRequest, organization: Organization) -> dict[str, Any]:
    return provider_scope.context(request, organization, "alerts")
