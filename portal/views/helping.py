"""Seeing the site as a customer's member sees it: begin with a reason, end with a button; and a customer's consent."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST

from accounts.helping.consent import allow_changes, withdraw_consent
from accounts.helping.sessions import LASTS, begin_help, can_help
from accounts.models import Organization
from accounts.permissions import can_administer
from portal import guard, helping, provider_scope
from portal.forms.helping import ConsentForm, HelpForm
from portal.refusals import refusals_to


@login_required
def begin(request: HttpRequest, pk: str) -> HttpResponse:
    """As whom, and why. For staff with that permission; to others it is not there."""
    if not can_help(guard.person(request)):
        raise Http404("for the staff of the installation")
    organization = get_object_or_404(Organization, pk=pk)
    form = HelpForm(request.POST or None, organization=organization)
    if request.method == "POST" and form.is_valid():
        with refusals_to(form):
            session = begin_help(
                staff=guard.person(request),
                person=form.chosen(),
                organization=organization,
                reason=form.cleaned_data["reason"],
                acts=form.cleaned_data.get("acts", False),
            )
            helping.begin(request, session)
            return redirect("console")
    provider = provider_scope.chosen(request) if provider_scope.choices(request) else None
    context = provider_scope.context(request, provider, "customers") | {
        "customer": organization,
        "form": form,
        "minutes": LASTS.seconds // 60,
    }
    return render(request, "helping/begin.html", context)


@require_POST
@login_required
def end(request: HttpRequest) -> HttpResponse:
    if helping.end(request) is not None:
        messages.success(request, "You see the site as yourself again.")
    return redirect("provider")


@require_POST
@guard.in_organization(can_administer)
def consent(request: HttpRequest, organization: Organization) -> HttpResponse:
    """A customer lets staff who help make changes."""
    form = ConsentForm(request.POST)
    if form.is_valid():
        made = allow_changes(
            organization=organization, hours=form.cleaned_data["hours"], actor=guard.person(request)
        )
        messages.success(request, f"Staff may make changes until {made.until:%Y-%m-%d %H:%M} UTC.")
    else:
        messages.error(request, "Choose for how long, of the spans offered.")
    return redirect("organization")


@require_POST
@guard.in_organization(can_administer)
def end_consent(request: HttpRequest, organization: Organization) -> HttpResponse:
    withdraw_consent(organization=organization, actor=guard.person(request))
    messages.success(request, "Staff may make no changes any more.")
    return redirect("organization")
