"""API keys: make, show once, rotate, disable, revoke."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.timezone import now
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from access.keys import CHANGEABLE, change_key, create_key, disable_key, enable_key, revoke_key, rotate_key
from access.models import ApiKey, Application, KeyState, SubscriptionState
from accounts.models import Organization
from accounts.permissions import can_manage
from accounts.telling import refusal_as_message
from apis.models import Stage
from portal import examples, guard, shown_once
from portal.forms.keys import KeyEditForm, KeyForm, RotateForm
from portal.forms.try_it import key_field
from portal.opened import opened_stages
from portal.reference import reference_of
from portal.refusals import refusals_to
from portal.views.questions import ask

PAGE = {"section": "console", "page": "applications"}


def key_rows(application: Application) -> list[dict[str, object]]:
    """The application's keys, those that work first, with the state that a call would meet."""
    rows = [{"key": key, "state": key_state(key)} for key in application.keys.all()]
    order = {"active": 0, "rotated out": 1, "disabled": 2}
    return sorted(rows, key=lambda row: order.get(str(row["state"]), 3))


def key_state(key: ApiKey) -> str:
    """Its state with the deadlines judged: `active`, `disabled`, `revoked`, `expired` or `rotated out`."""
    at = now()
    if key.state != KeyState.ACTIVE:
        return key.state
    if key.expires_at and key.expires_at <= at:
        return "expired"
    if key.grace_until:
        return "rotated out" if key.grace_until > at else "expired"
    return "active"


@guard.in_organization(can_manage)
def create(request: HttpRequest, organization: Organization, pk: str) -> HttpResponse:
    application = guard.own(Application, organization, pk)
    form = KeyForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        with refusals_to(form):
            key, text = create_key(
                application=application,
                name=form.cleaned_data["name"],
                environment=form.cleaned_data["environment"],
                expires_at=form.expires_at(),
                ips=form.cleaned_data["ips"],
                referrers=form.cleaned_data["referrers"],
                actor=guard.person(request),
            )
            shown_once.keep(request, "key", application.pk, text, name=key.name)
            return redirect("key-shown", pk=application.pk)
    return render(request, "console/key_form.html", PAGE | {"form": form, "application": application})


@guard.in_organization(can_manage)
def edit(request: HttpRequest, organization: Organization, pk: str) -> HttpResponse:
    """Name, times, and where the key may be used from; each holds at the next call."""
    key = _key(organization, pk)
    initial = {name: getattr(key, name) for name in CHANGEABLE}
    with timezone.override(organization.timezone):
        form = KeyEditForm(request.POST or None, initial=initial)
        if request.method == "POST" and form.is_valid():
            changed = {name: form.cleaned_data[name] for name in form.changed_data}
            with refusals_to(form):
                change_key(key=key, actor=guard.person(request), **changed)
                messages.success(request, f"{key.name} is changed.")
                return redirect("application", pk=key.application_id)
        context = {"form": form, "application": key.application, "key": key, "zone": organization.timezone}
        return render(request, "console/key_edit.html", PAGE | context)


@never_cache
@guard.in_organization(can_manage)
def show(request: HttpRequest, organization: Organization, pk: str) -> HttpResponse:
    """The key, once: it leaves the session as it is shown."""
    application = guard.own(Application, organization, pk)
    kept = shown_once.take(request, "key", application.pk)
    context: dict[str, Any] = PAGE | {"application": application, "kept": kept}
    if kept:
        call, pending = _first_call(application, kept.get("plan", ""), kept["text"])
        context |= call | {"pending": pending}
    return render(request, "console/key_shown.html", context)


def _first_call(application: Application, plan_id: str, key: str) -> tuple[dict[str, Any], bool]:
    """A call that the key opens (of the plan just taken, if one was), and whether it must wait."""
    subscriptions = list(
        application.subscriptions.exclude(state=SubscriptionState.CANCELLED)
        .select_related("plan")
        .prefetch_related(opened_stages("plan__stages"))
    )
    subscriptions.sort(key=lambda each: each.plan_id != plan_id)
    for each in subscriptions:
        for stage in each.plan.stages.all():
            line = examples.curl_of(stage, key) if stage.deployment_id else ""
            if line:
                pending = each.state == SubscriptionState.PENDING
                return {"curl": line, "first": None if pending else _try_at_once(stage)}, pending
    return {}, any(each.state == SubscriptionState.PENDING for each in subscriptions)


def _try_at_once(stage: Stage) -> dict[str, str] | None:
    """Where the example can be called from the page, and the field of its key; None = by a shell only."""
    found = reference_of(stage.version)
    if found is None or found[0].pk != stage.pk:
        return None
    path = examples.first_path(stage)
    line = next((each for each in found[1].lines if (each.method, each.path) == ("GET", path)), None)
    described = found[1].operation(line.slug) if line else None
    if line is None or described is None or described[1].key is None:
        return None
    place = [stage.version.api.slug, stage.version.name, line.slug]
    return {
        "call": f"GET {path}",
        "field": key_field(described[1]),
        "action": reverse("try-it", args=place),
        "page": reverse("reference-operation", args=place),
    }


@guard.in_organization(can_manage)
def revoke(request: HttpRequest, organization: Organization, pk: str) -> HttpResponse:
    key = _key(organization, pk)
    return ask(
        request,
        question=f"Revoke {key.name}?",
        consequence=f"Calls with {key.prefix}… are refused everywhere within a second, for good. "
        "To change keys without a gap, rotate it instead.",
        action="Revoke the key",
        back=reverse("application", args=[key.application_id]),
        act=lambda: revoke_key(key=key, actor=guard.person(request)),
        done=f"{key.name} is revoked.",
        page="applications",
    )


@guard.in_organization(can_manage)
def rotate(request: HttpRequest, organization: Organization, pk: str) -> HttpResponse:
    key = _key(organization, pk)
    form = RotateForm(request.POST or None)

    def act() -> HttpResponse:
        fresh, text = rotate_key(key=key, grace=form.grace_time(), actor=guard.person(request))
        shown_once.keep(request, "key", key.application_id, text, name=fresh.name)
        return redirect("key-shown", pk=key.application_id)

    return ask(
        request,
        question=f"Rotate {key.name}?",
        consequence="You get a new key at once. The old one works on for a while, so that you can change it in "
        "your program without a gap.",
        action="Make the new key",
        back=reverse("application", args=[key.application_id]),
        act=act,
        done="",
        page="applications",
        form=form,
        button_class="button--primary",
    )


@require_POST
@guard.in_organization(can_manage)
def disable(request: HttpRequest, organization: Organization, pk: str) -> HttpResponse:
    key = _key(organization, pk)
    return _change(request, key, "disabled", lambda: disable_key(key=key, actor=guard.person(request)))


@require_POST
@guard.in_organization(can_manage)
def enable(request: HttpRequest, organization: Organization, pk: str) -> HttpResponse:
    key = _key(organization, pk)
    return _change(request, key, "enabled", lambda: enable_key(key=key, actor=guard.person(request)))


def _key(organization: Organization, pk: str) -> ApiKey:
    return guard.own(ApiKey.objects.select_related("application"), organization, pk)


def _change(request: HttpRequest, key: ApiKey, word: str, act: Callable[[], object]) -> HttpResponse:
    with refusal_as_message(request):
        act()
        messages.success(request, f"{key.name} is {word}.")
    return redirect("application", pk=key.application_id)
