"""An API version's reference: its document, and Swagger UI on our own page."""

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, render

from apis.models import ApiVersion
from apis.queries import IN_USE, catalogue, live_stage, stage_address, version_document_for_readers


def page(request: HttpRequest, slug: str, version: str) -> HttpResponse:
    found = _version(request, slug, version)
    stage = live_stage(found)
    context = {
        "section": "catalogue",
        "api": found.api,
        "version": found,
        "address": stage_address(stage) if stage else "",
    }
    return render(request, "catalogue/reference.html", context)


def document(request: HttpRequest, slug: str, version: str) -> JsonResponse:
    """The OpenAPI document as developers read it."""
    return JsonResponse(version_document_for_readers(_version(request, slug, version)))


def _version(request: HttpRequest, slug: str, version: str) -> ApiVersion:
    product = get_object_or_404(catalogue(request.user).prefetch_related(None), slug=slug)
    found = get_object_or_404(
        ApiVersion.objects.select_related("api")
        .defer("document", "findings")
        .prefetch_related("stages__mappings"),
        api=product,
        name=version,
        state__in=IN_USE,
    )
    if live_stage(found) is None:
        raise Http404("not deployed")
    return found
