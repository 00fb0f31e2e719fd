"""Deploying a version, and its end: deprecated, retired, reinstated. What it means is said before the click."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from apis.models import LIVE, ApiVersion
from apis.publish import deploy as deploy_version
from apis.version_changes import changes_to_deploy, summed_up
from apis.versions import (
    deprecate as deprecate_version,
    reinstate as reinstate_version,
    retire as retire_version,
)
from portal import guard
from portal.forms.stages import DeployForm, SunsetForm
from portal.publishing import scope
from portal.publishing.document_diff import differences, settings_that_differ
from portal.publishing.reading import remarks_of
from portal.publishing.stage_facts import subscribers_of
from portal.refusals import refusals_to
from portal.views.questions import ask


@login_required
def deploy(request: HttpRequest, pk: str) -> HttpResponse:
    """`?stage=` (live unless named). Shows what a caller would notice and what differs, then does it."""
    version = scope.version(request, pk, change=True)
    name = request.POST.get("stage") or request.GET.get("stage") or LIVE
    stage = version.stages.select_related("deployment", "canary_deployment").filter(name=name).first()
    changes = changes_to_deploy(version, name)
    breaking = sum(each.breaking for each in changes or ())
    form = DeployForm(request.POST or None, breaking=breaking, initial={"stage": name})
    if request.method == "POST" and form.is_valid():
        with refusals_to(form):
            deploy_version(
                version=version,
                stage_name=name,
                note=form.cleaned_data["note"],
                actor=guard.person(request),
            )
            return redirect(_after(request, version, name))
    context = scope.context(
        request,
        version.organization,
        version=version,
        stage=stage,
        stage_name=name,
        stages=list(version.stages.order_by("name")),
        form=form,
        changes=changes,
        counts=summed_up(changes) if changes else "",
        breaking=breaking,
        errors=remarks_of("", [each for each in version.findings if each["level"] == "error"]),
        subscribers=subscribers_of([stage]) if stage else None,
    )
    if stage is not None and stage.deployment is not None:
        context |= {
            "diff": differences(stage.deployment.document, version.document),
            "settings": settings_that_differ(stage.deployment, version),
        }
    return render(request, "provider/deploy.html", context)


@login_required
def deprecate(request: HttpRequest, pk: str) -> HttpResponse:
    version = scope.version(request, pk, change=True)
    form = SunsetForm(request.POST or None, initial={"sunset_at": version.sunset_at})

    def act() -> None:
        deprecate_version(
            version=version, sunset_at=form.cleaned_data["sunset_at"], actor=guard.person(request)
        )

    return _ask(
        request,
        version,
        act,
        question=f"Deprecate {version}?",
        consequence=f"It goes on answering every call: {_subscribers(version)}. The catalogue shows that it is "
        "deprecated, and when it may end. Nothing ends by itself on that day: you retire it.",
        action="Deprecate it",
        done=f"{version} is deprecated; it goes on answering.",
        form=form,
        button_class="button--primary",
    )


@login_required
def retire(request: HttpRequest, pk: str) -> HttpResponse:
    version = scope.version(request, pk, change=True)
    return _ask(
        request,
        version,
        lambda: retire_version(version=version, actor=guard.person(request)),
        question=f"Retire {version}?",
        consequence=f"Every call to it is refused with 403 within a second, on every node: {_subscribers(version)}. "
        "Subscriptions, keys, stages and deployments stay as they are, so reinstating it brings all of it back.",
        action="Retire it",
        done=f"{version} is retired; its calls are refused.",
    )


@login_required
def reinstate(request: HttpRequest, pk: str) -> HttpResponse:
    version = scope.version(request, pk, change=True)
    return _ask(
        request,
        version,
        lambda: reinstate_version(version=version, actor=guard.person(request)),
        question=f"Reinstate {version}?",
        consequence=f"It is published again, without an end, and answers as before: {_subscribers(version)}.",
        action="Reinstate it",
        done=f"{version} is published again.",
        button_class="button--primary",
    )


def _ask(request: HttpRequest, version: ApiVersion, act: Callable[[], object], **words: Any) -> HttpResponse:
    return ask(
        request,
        act=act,
        back=reverse("provider-api", args=[version.api_id]),
        page="apis",
        template="provider/ask.html",
        context=scope.context(request, version.organization),
        **words,
    )


def _subscribers(version: ApiVersion) -> str:
    return subscribers_of(list(version.stages.all())).words


def _after(request: HttpRequest, version: ApiVersion, name: str) -> str:
    """Where one sees what came of a deploy."""
    stage = version.stages.get(name=name)
    if stage.canary_deployment_id is not None:
        messages.success(request, f"The canary of {stage} runs it now; promote it to give it to everybody.")
    elif name == LIVE:
        return reverse("version-live", args=[version.pk])
    else:
        messages.success(request, f"{stage} runs it now.")
    return reverse("stage", args=[stage.pk])
