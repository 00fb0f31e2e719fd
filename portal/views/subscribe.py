"""From "Get a key" to a key: sign-up if needed, one form, and the key on a page that shows it once."""

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_http_methods

from access.keys import create_key
from access.models import Application, ApplicationState, PlanVisibility, SubscriptionState, UsagePlan
from access.queries import living_keys, open_plans
from access.subscribe import sign_up_for_plan, subscribe
from accounts.models import Organization
from accounts.permissions import can_manage
from portal import guard, prices, shown_once
from portal.forms.subscribe import SubscribeForm
from portal.opened import opened_stages
from portal.refusals import refusals_to

WANTED = "wanted_plan"


@require_http_methods(["GET", "POST"])
def page(request: HttpRequest, plan: str) -> HttpResponse:
    """The plan's terms and the form. A visitor is sent to sign up, and comes back here."""
    if not request.user.is_authenticated:
        return _sign_up_first(request, plan)
    request.session.pop(WANTED, None)
    wanted = _plan(request, plan)
    organization = guard.current_organization(request)
    if organization is None:
        request.session[WANTED] = plan
        return redirect("organization-new")
    guard.demand(can_manage, request, organization)
    applications = list(organization.applications.filter(state=ApplicationState.ACTIVE))
    form = SubscribeForm(
        request.POST or None, organization=organization, plan=wanted, applications=applications
    )
    if request.method == "POST" and form.is_valid():
        with refusals_to(form):
            return _subscribe(request, organization, wanted, form)
    context = {
        "section": "catalogue",
        "terms": prices.terms(wanted),
        "form": form,
        "versions": [stage.version for stage in wanted.stages.all()],
    }
    return render(request, "subscribe/page.html", context)


def _plan(request: HttpRequest, pk: str) -> UsagePlan:
    plans = open_plans(guard.person(request)).select_related("organization", "price__rate_card")
    shown = plans.prefetch_related(None).prefetch_related(
        "price__rate_card__versions__prices", opened_stages()
    )
    return get_object_or_404(shown, pk=pk)


def _sign_up_first(request: HttpRequest, pk: str) -> HttpResponse:
    get_object_or_404(UsagePlan, pk=pk, visibility=PlanVisibility.PUBLIC)
    request.session[WANTED] = pk
    address = reverse("account_signup") + "?" + urlencode({"next": reverse("subscribe", args=[pk])})
    return redirect(address)


def _subscribe(
    request: HttpRequest, organization: Organization, plan: UsagePlan, form: SubscribeForm
) -> HttpResponse:
    application = form.chosen_application()
    if application is not None:
        return _subscribe_existing(request, application, plan)
    subscription, key, text = sign_up_for_plan(
        organization=organization,
        application_name=form.cleaned_data["application_name"],
        plan=plan,
        actor=guard.person(request),
    )
    shown_once.keep(request, "key", subscription.application_id, text, name=key.name, plan=plan.pk)
    return redirect("key-shown", pk=subscription.application_id)


@transaction.atomic
def _subscribe_existing(request: HttpRequest, application: Application, plan: UsagePlan) -> HttpResponse:
    """Her keys belong to the application and open all its plans, so only one without a key gets one."""
    person = guard.person(request)
    subscription = subscribe(application=application, plan=plan, actor=person)
    if living_keys(application.organization).filter(application=application).exists():
        waiting = subscription.state == SubscriptionState.PENDING
        opens = "will also open" if waiting else "also open"
        after = " once the provider approves it" if waiting else ""
        messages.success(request, f"The keys of {application} {opens} {plan}{after}.")
        return redirect("application", pk=application.pk)
    key, text = create_key(application=application, name="First key", actor=person)
    shown_once.keep(request, "key", application.pk, text, name=key.name, plan=plan.pk)
    return redirect("key-shown", pk=application.pk)
