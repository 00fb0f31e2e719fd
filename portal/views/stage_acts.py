"""Moving stages: promote, roll back, the canary's end, the cache. What it means is said before the click."""

from collections.abc import Callable
from typing import Any

from django.contrib.auth.decorators import login_required
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse

from accounts.errors import Refused
from apis.models import Stage
from apis.names import check_stage_name
from apis.publish import (
    flush_cache,
    promote as promote_stage,
    promote_canary,
    remove_canary,
    roll_back as roll_stage_back,
)
from apis.version_changes import changes_from, summed_up
from portal import guard
from portal.publishing import scope
from portal.publishing.canary import compare
from portal.publishing.stage_facts import subscribers_of
from portal.views.questions import ask


@login_required
def promote(request: HttpRequest, pk: str, to: str = "") -> HttpResponse:
    """Give another stage what this one runs. Without `to` in the address, `?to=` names it."""
    stage = scope.stage(request, pk, change=True)
    if not to:
        to = request.GET.get("to", "").strip()
        return redirect("stage-promote", pk, to) if _usable(to) else redirect("stage", pk)
    if stage.deployment is None:
        raise Http404("nothing to promote")
    target = stage.version.stages.filter(name=to).first()
    number, before = stage.deployment.number, target.deployment_id if target else None
    who = subscribers_of([target]).words if target else "it is made, and nobody subscribes to it yet"
    return _ask(
        request,
        stage,
        lambda: promote_stage(stage=stage, to=target or to, actor=guard.person(request)),
        changes=(before, stage.deployment_id),
        question=f"Give {to} what {stage.name} runs?",
        consequence=f"{to} runs deployment #{number} within a second ({who}). Its settings, policies and variables "
        "stay its own.",
        action=f"Promote to {to}",
        done=f"{to} runs deployment #{number} now.",
        button_class="button--primary",
    )


@login_required
def roll_back(request: HttpRequest, pk: str, deployment: str) -> HttpResponse:
    stage = scope.stage(request, pk, change=True)
    rows = stage.version.deployments.defer("compiled", "document")
    wanted = get_object_or_404(rows, pk=deployment)
    return _ask(
        request,
        stage,
        lambda: roll_stage_back(stage=stage, deployment=wanted, actor=guard.person(request)),
        changes=(stage.deployment_id, wanted.pk),
        question=f"Let {stage} run deployment #{wanted.number}?",
        consequence=f"Every call to it is answered by that within a second: {subscribers_of([stage]).words}. The "
        "version's document stays as it is, so the next deploy brings it back.",
        action=f"Run #{wanted.number}",
        done=f"{stage} runs deployment #{wanted.number} now.",
    )


@login_required
def canary_promote(request: HttpRequest, pk: str) -> HttpResponse:
    stage = scope.stage(request, pk, change=True)
    if stage.canary_deployment is None:
        raise Http404("no canary")
    comparison = compare(stage)
    number = stage.canary_deployment.number

    @transaction.atomic
    def act() -> None:
        promote_canary(stage=stage, actor=guard.person(request))
        remove_canary(stage=stage, actor=guard.person(request))

    return _ask(
        request,
        stage,
        act,
        changes=(stage.deployment_id, stage.canary_deployment_id),
        question=f"Give every call on {stage} to the canary?",
        consequence=f"Deployment #{number} and the canary's variables answer everybody within a second "
        f"({subscribers_of([stage]).words}), and the canary ends. {comparison.words}",
        action="Promote the canary",
        done=f"{stage} runs deployment #{number} now; the canary has ended.",
        button_class="button--primary",
    )


@login_required
def canary_remove(request: HttpRequest, pk: str) -> HttpResponse:
    stage = scope.stage(request, pk, change=True)
    if stage.canary_deployment is None:
        raise Http404("no canary")
    return _ask(
        request,
        stage,
        lambda: remove_canary(stage=stage, actor=guard.person(request)),
        question=f"Remove the canary of {stage}?",
        consequence=f"The stage's own deployment answers every call within a second. Deployment "
        f"#{stage.canary_deployment.number} stays in the list.",
        action="Remove the canary",
        done=f"The canary of {stage} is removed.",
    )


@login_required
def flush(request: HttpRequest, pk: str) -> HttpResponse:
    stage = scope.stage(request, pk, change=True)
    return _ask(
        request,
        stage,
        lambda: flush_cache(stage=stage, actor=guard.person(request)),
        question=f"Flush the cache of {stage}?",
        consequence="Every node forgets the answers, and the authorizers' policies, that it has kept for this "
        "stage; the backend gets the calls until they are kept again.",
        action="Flush the cache",
        done=f"The cache of {stage} is flushed.",
        button_class="button--primary",
    )


def _ask(
    request: HttpRequest,
    stage: Stage,
    act: Callable[[], object],
    *,
    changes: tuple[str | None, str | None] = (None, None),
    **words: Any,
) -> HttpResponse:
    """Ask, and show what callers would notice between two deployments."""
    context = scope.context(request, stage.organization)
    before, after = changes
    if before and after:
        found = changes_from(before, after)
        breaking = any(each.breaking for each in found)
        context |= {"changes": found[:20], "counts": summed_up(found), "breaking": breaking, "compared": True}
    return ask(
        request,
        act=act,
        back=reverse("stage", args=[stage.pk]),
        page="apis",
        template="provider/ask.html",
        context=context,
        **words,
    )


def _usable(name: str) -> bool:
    try:
        check_stage_name(name)
    except Refused:
        return False
    return True
