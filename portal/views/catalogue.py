"""What visitors see: the catalogue and an API's page."""

from django.db.models import Prefetch, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render

from access.queries import visible_plans
from apis.models import LIVE, Api, ApiVersion, Stage, VersionState
from apis.queries import catalogue, stage_address
from portal import examples, prices

SHOWN_STATES = (VersionState.PUBLISHED, VersionState.DEPRECATED)


def home(request: HttpRequest) -> HttpResponse:
    """Landing page and catalogue; `?q=` searches names, summaries and descriptions."""
    text = request.GET.get("q", "").strip()[:100]
    apis = found_apis(request, text)
    context = {"section": "catalogue", "apis": apis, "q": text}
    return render(request, "catalogue/home.html", context)


def api(request: HttpRequest, slug: str) -> HttpResponse:
    """One API: overview, versions, plans, and the first call."""
    product = get_object_or_404(_with_versions(catalogue(request.user)), slug=slug)
    versions = [_version_row(each) for each in shown_versions(product)]
    plans = (
        visible_plans(product).select_related("price__rate_card").prefetch_related("price__rate_card__prices")
    )
    context = {
        "section": "catalogue",
        "api": product,
        "versions": versions,
        "plans": [prices.terms(plan) for plan in plans],
        "curl": _first_curl(product),
    }
    return render(request, "catalogue/api.html", context)


def found_apis(request: HttpRequest, text: str) -> list[Api]:
    apis = catalogue(request.user).select_related("organization")
    for word in text.split()[:8]:
        apis = apis.filter(
            Q(name__icontains=word) | Q(summary__icontains=word) | Q(description__icontains=word)
        )
    return list(_with_versions(apis)[:200])


def shown_versions(product: Api) -> list[ApiVersion]:
    """The versions that readers see, newest first; drafts and retired ones are the provider's own matter."""
    return [each for each in product.versions.all() if each.state in SHOWN_STATES and live_stage(each)]


def live_stage(version: ApiVersion) -> Stage | None:
    """The deployed live stage, if there is one."""
    return next((stage for stage in version.stages.all() if stage.name == LIVE and stage.deployment_id), None)


def _with_versions(apis: QuerySet[Api]) -> QuerySet[Api]:
    stages = Prefetch("stages", Stage.objects.select_related("version__api").prefetch_related("mappings"))
    # documents can be megabytes; cards and tables need none of them
    versions = (
        ApiVersion.objects.defer("document", "findings").order_by("-created_at").prefetch_related(stages)
    )
    return apis.prefetch_related(None).prefetch_related(Prefetch("versions", versions))


def _version_row(version: ApiVersion) -> dict[str, object]:
    stage = live_stage(version)
    return {"version": version, "address": stage_address(stage) if stage else ""}


def _first_curl(product: Api) -> str:
    for version in shown_versions(product):
        stage = live_stage(version)
        url = examples.first_call(stage, version) if stage else ""
        if url:
            return examples.curl(url)
    return ""
