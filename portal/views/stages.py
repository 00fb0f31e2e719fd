"""A stage: what it runs, its canary beside the rest, its settings."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from apis.models import Stage
from apis.publish import change_stage, set_canary
from apis.queries import stage_addresses
from apis.stage_forms import canary_initial
from apis.stage_policies import stage_remarks
from nodes.queries import refusals_of, stage_live, stage_problem
from portal import guard
from portal.forms.stages import CanaryForm, StageForm, stage_initial
from portal.publishing import scope
from portal.publishing.canary import compare
from portal.publishing.stage_facts import subscribers_of
from portal.refusals import refusals_to

SHOWN_DEPLOYMENTS = 20


@login_required
def page(request: HttpRequest, pk: str) -> HttpResponse:
    """`?fragment=1`: only the comparison of its canary, which keeps itself fresh."""
    stage = scope.stage(request, pk)
    if request.GET.get("fragment"):
        shown = {"stage": stage, "comparison": compare(stage) if stage.canary_deployment_id else None}
        return render(request, "provider/canary.html", shown)
    form = CanaryForm(stage=stage, initial=canary_initial(stage))
    return render(request, "provider/stage.html", _context(request, stage, form))


@login_required
def canary(request: HttpRequest, pk: str) -> HttpResponse:
    """Start a canary, or change the one that is there."""
    stage = scope.stage(request, pk, change=True)
    form = CanaryForm(request.POST or None, stage=stage, initial=canary_initial(stage))
    if request.method == "POST" and form.is_valid():
        with refusals_to(form):
            set_canary(stage=stage, actor=guard.person(request), **form.cleaned_data)
            share = f"{stage.canary_percent:g} percent of the calls"
            messages.success(request, f"The canary of {stage} gets {share}.")
            return redirect("stage", pk=stage.pk)
    return render(request, "provider/stage.html", _context(request, scope.stage(request, pk), form))


@login_required
def settings(request: HttpRequest, pk: str) -> HttpResponse:
    """Throttle, variables, compression, access log and request log; they hold at once."""
    stage = scope.stage(request, pk, change=True)
    form = StageForm(request.POST or None, initial=stage_initial(stage))
    if request.method == "POST" and form.is_valid():
        with refusals_to(form):
            change_stage(stage=stage, actor=guard.person(request), **form.cleaned_data)
            messages.success(request, f"Changed the settings of {stage}; they hold now.")
            return redirect("stage", pk=stage.pk)
    context = scope.context(request, stage.organization, stage=stage, form=form)
    return render(request, "provider/stage_settings.html", context)


def _context(request: HttpRequest, stage: Stage, form: CanaryForm) -> dict[str, Any]:
    rows = stage.version.deployments.select_related("created_by").defer("compiled", "document")
    others = stage.version.stages.exclude(pk=stage.pk).select_related("deployment").order_by("name")
    others = others.defer("deployment__compiled", "deployment__document")
    live = stage_live(stage)
    return scope.context(
        request,
        stage.organization,
        stage=stage,
        form=form,
        live=live,
        problem=stage_problem(stage),
        refusals=refusals_of("stage", stage.pk) if live.live < live.up else [],
        addresses=stage_addresses(stage),
        deployments=list(rows[:SHOWN_DEPLOYMENTS]),
        others=list(others),
        comparison=compare(stage) if stage.canary_deployment_id else None,
        remarks=stage_remarks(stage),
        subscribers=subscribers_of([stage]),
    )
