"""What visitors see: the catalogue and an API's page."""

from collections import Counter
from typing import Any

from django.db.models import Count, Prefetch, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render

from access.models import PlanStage
from access.queries import visible_plans
from apis.models import Api, ApiVersion, Product, Stage
from apis.pages import published_pages
from apis.products.queries import find_products, products_for
from apis.queries import IN_USE, catalogue, live_stage, stage_address
from apis.search import find_apis
from portal import examples, preview, prices
from portal.health import shown_health
from portal.views.changelog import latest_changes

MOST_LOOKED_AT = 2
MOST_SHOWN = 200
MOST_TAGS = 20


def home(request: HttpRequest) -> HttpResponse:
    """Landing page and catalogue; `?q=` searches, `?category=` and `?tag=` narrow."""
    text = request.GET.get("q", "").strip()[:100]
    apis = found_apis(request, text)
    context = {
        "section": "catalogue",
        "apis": apis,
        "q": text,
        "category": request.GET.get("category", ""),
        "tag": request.GET.get("tag", ""),
        "products": found_products(request, text),
        "health": shown_health(apis),
        **shelves(request),
    }
    return render(request, "catalogue/home.html", context)


def api(request: HttpRequest, slug: str) -> HttpResponse:
    """One API: overview, versions, plans, and the first call."""
    product = _previewed(request, slug) or get_object_or_404(
        _with_versions(catalogue(request.user)), slug=slug
    )
    versions = [_version_row(each) for each in shown_versions(product)]
    plans = (
        visible_plans(product)
        .select_related("price__rate_card")
        .prefetch_related(None)
        .prefetch_related("price__rate_card__versions__prices")
    )
    context = {
        "section": "catalogue",
        "api": product,
        "versions": versions,
        "plans": [prices.terms(plan) for plan in plans],
        "curl": _first_curl(product, [plan.pk for plan in plans]),
        "latest": latest_changes(shown_versions(product)),
        "health": shown_health([product])[product.pk],
        "pages": _pages(request, product),
    }
    return render(request, "catalogue/api.html", context)


def guide(request: HttpRequest, slug: str, page: str) -> HttpResponse:
    """One of the provider's own pages about an API."""
    product = preview.previews(request, "api", slug) or get_object_or_404(
        catalogue(request.user).prefetch_related(None), slug=slug
    )
    pages = _pages(request, product)
    found = next((each for each in pages if each.slug == page), None)
    if found is None:
        raise Http404("no such page")
    context = {"section": "catalogue", "api": product, "pages": pages, "page": found}
    return render(request, "catalogue/guide.html", context)


def _previewed(request: HttpRequest, slug: str) -> Api | None:
    """The API with its draft, live or not, while she previews it."""
    found: Api | None = preview.previews(request, "api", slug)
    if found is not None:
        versions = _with_versions(Api.objects.filter(pk=found.pk)).get().versions
        found._prefetched_objects_cache = {"versions": versions.all()}  # type: ignore[attr-defined]
    return found


def _pages(request: HttpRequest, product: Api) -> list[Any]:
    previewed = preview.previews(request, "api", product.slug) is not None
    return preview.all_pages(product) if previewed else published_pages(product)


def found_apis(request: HttpRequest, text: str) -> list[Api]:
    apis = catalogue(request.user).select_related("organization")
    if category := request.GET.get("category", ""):
        apis = apis.filter(category=category)
    if tag := request.GET.get("tag", ""):
        apis = apis.filter(tags__contains=[tag])
    return list(_with_versions(find_apis(apis, text))[:MOST_SHOWN])


def found_products(request: HttpRequest, text: str) -> list[Product]:
    """Products have no category and no tags, so where those are asked for there is none."""
    if request.GET.get("category") or request.GET.get("tag"):
        return []
    found = find_products(products_for(request.user), text)
    return list(found.annotate(shown_count=Count("chosen", distinct=True))[:MOST_SHOWN])


def shelves(request: HttpRequest) -> dict[str, list[tuple[str, int]]]:
    """The categories by name and the most used tags, of all that she may see, each with its number of APIs."""
    rows = list(catalogue(request.user).prefetch_related(None).order_by().values_list("category", "tags"))
    categories = Counter(category for category, _ in rows if category)
    tags = Counter(tag for _, each in rows for tag in each)
    most = sorted(tags.items(), key=lambda each: (-each[1], each[0]))[:MOST_TAGS]
    return {"categories": sorted(categories.items()), "tags": most}


def shown_versions(product: Api) -> list[ApiVersion]:
    """The versions that readers see, newest first; drafts and retired ones are the provider's own matter."""
    return [each for each in product.versions.all() if live_stage(each)]


def _with_versions(apis: QuerySet[Api]) -> QuerySet[Api]:
    """What the pages show of versions: without their documents, which can be megabytes."""
    stages = Prefetch("stages", Stage.objects.prefetch_related("mappings"))
    versions = ApiVersion.objects.filter(state__in=IN_USE).defer("document", "findings")
    shown = versions.order_by("-created_at").prefetch_related(stages)
    return apis.prefetch_related(None).prefetch_related(Prefetch("versions", shown))


def _version_row(version: ApiVersion) -> dict[str, object]:
    stage = live_stage(version)
    return {"version": version, "address": stage_address(stage) if stage else ""}


def _first_curl(product: Api, plan_ids: list[str]) -> str:
    """A call that a key of the first plan opens, if there is one; else of the newest version."""
    places = PlanStage.objects.filter(plan__in=plan_ids).order_by("plan__position", "plan__name")
    opened = list(dict.fromkeys(places.values_list("stage_id", flat=True)))
    stages = [stage for stage in map(live_stage, shown_versions(product)) if stage]
    stages.sort(key=lambda stage: opened.index(stage.pk) if stage.pk in opened else len(opened))
    lines = (examples.curl_of(stage) for stage in stages[:MOST_LOOKED_AT])
    return next(filter(None, lines), "")
