"""A provider's APIs; each with its versions and stages."""

from django.contrib.auth.decorators import login_required
from django.db.models import Count, Prefetch, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from apis.models import Api, ApiVersion, Operation, Stage
from apis.queries import canonical_address, live_stage, stage_address
from nodes.queries import stage_live, stage_problem
from portal import examples, provider_scope
from portal.publishing import scope
from portal.publishing.stage_facts import subscribers_of

SHOWN_DEPLOYMENTS = 20


@login_required
def listing(request: HttpRequest) -> HttpResponse:
    """All APIs of a provider; who has none yet is led to the first, who was given single ones to these."""
    choices, wanted = provider_scope.choices(request), request.GET.get("organization", "")
    sees_whole = any(wanted in ("", each.pk) for each in choices)
    if not sees_whole and provider_scope.is_granted_by(request, wanted):
        return redirect("granted")
    if not choices:
        return redirect("api-register")
    organization = provider_scope.chosen(request)
    apis = Api.objects.filter(organization=organization).prefetch_related(
        Prefetch("versions", ApiVersion.objects.order_by("-created_at").prefetch_related(_stages()))
    )
    return render(request, "provider/apis.html", scope.context(request, organization, apis=list(apis)))


@login_required
def detail(request: HttpRequest, pk: str) -> HttpResponse:
    """An API's versions, each with its stages and what can be done with them."""
    api = scope.api(request, pk)
    present = Count("operations", filter=Q(operations__removed_at=None))
    rows = api.versions.select_related("backend").annotate(operation_count=present).order_by("-created_at")
    versions = list(rows.prefetch_related(_stages()))
    for version in versions:
        for stage in version.stages.all():
            stage.version.api = api
            stage.address = stage_address(stage)  # type: ignore[attr-defined]
    return render(
        request, "provider/api.html", scope.context(request, api.organization, api=api, versions=versions)
    )


@login_required
def live(request: HttpRequest, pk: str) -> HttpResponse:
    """How far a new version has come: on how many nodes it is live, and how to call it. `?fragment=1`: only that."""
    version = scope.version(request, pk)
    stages = list(version.stages.select_related("version__api").prefetch_related("mappings"))
    version_stage = next((each for each in stages if each == live_stage(version)), None)
    context = scope.context(request, version.organization, version=version, stage=version_stage)
    if version_stage is not None:
        context |= {
            "live": stage_live(version_stage),
            "problem": stage_problem(version_stage),
            "address": stage_address(version_stage),
            "canonical": canonical_address(version_stage),
            "curl": examples.curl_of(version_stage),
            "keyed": Operation.objects.filter(
                version=version, removed_at=None, key_required=True, unserved_reason=""
            ).exists(),
            "subscribers": subscribers_of([version_stage]),
        }
    template = "provider/live_fragment.html" if request.GET.get("fragment") else "provider/live.html"
    return render(request, template, context)


def _stages() -> "Prefetch[str]":
    rows = Stage.objects.select_related("deployment", "canary_deployment", "version").order_by("name")
    rows = rows.defer("deployment__compiled", "deployment__document", "version__document")
    rows = rows.defer("canary_deployment__compiled", "canary_deployment__document")
    return Prefetch("stages", rows.prefetch_related("mappings"))
