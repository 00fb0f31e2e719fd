"""An API version's reference: its operations, each with its own page, and its document to take along."""

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, render

from apis.models import ApiVersion, Stage
from apis.openapi.yaml_writer import write_yaml
from apis.queries import IN_USE, catalogue
from apis.samples import call_of, samples
from portal import shown_once, try_keys
from portal.forms.try_it import TryForm
from portal.reference import Reference, reference_of

YAML = "application/yaml"  # RFC 9512


def page(request: HttpRequest, slug: str, version: str) -> HttpResponse:
    """The list of operations; `?q=` narrows it."""
    found, _, reference = published(request, slug, version)
    text = request.GET.get("q", "").strip()[:100]
    groups = reference.groups(text)
    context = shown(found, reference) | {
        "q": text,
        "groups": groups,
        "count": sum(len(lines) for _, _, lines in groups),
        "total": len(reference.lines),
        "about": reference.data["info"],
    }
    return render(request, "catalogue/reference.html", context)


def operation(request: HttpRequest, slug: str, version: str, operation: str) -> HttpResponse:
    """One operation: what it takes and answers, code that calls it, and a form to try it."""
    found, stage, reference = published(request, slug, version)
    context = operation_context(request, found, stage, reference, operation)
    kept = shown_once.take(request, try_keys.KIND, stage.pk)
    described = context["operation"]
    context["form"] = TryForm(described, key=kept["text"] if kept else "")
    context["kept"] = kept
    context["samples"] = samples(call_of(described, reference.address))
    return render(request, "catalogue/operation.html", context)


def document(request: HttpRequest, slug: str, version: str) -> JsonResponse:
    """The OpenAPI document as developers read it."""
    return JsonResponse(published(request, slug, version)[2].document)


def document_yaml(request: HttpRequest, slug: str, version: str) -> HttpResponse:
    """The same in YAML."""
    found, _, reference = published(request, slug, version)
    name = f"{found.api.slug}-{found.name}.yaml"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return HttpResponse(write_yaml(reference.document), content_type=YAML, headers=headers)


def published(request: HttpRequest, slug: str, version: str) -> tuple[ApiVersion, Stage, Reference]:
    """What the address names, if this reader may see it and something of it is deployed; else 404."""
    product = get_object_or_404(catalogue(request.user).prefetch_related(None), slug=slug)
    found = get_object_or_404(
        ApiVersion.objects.select_related("api").prefetch_related("stages__mappings"),
        api=product,
        name=version,
        state__in=IN_USE,
    )
    read = reference_of(found)
    if read is None:
        raise Http404("not deployed")
    return found, *read


def shown(version: ApiVersion, reference: Reference) -> dict[str, Any]:
    """What every page of a reference shows."""
    return {
        "section": "catalogue",
        "api": version.api,
        "version": version,
        "address": reference.address,
    }


def operation_context(
    request: HttpRequest, version: ApiVersion, stage: Stage, reference: Reference, slug: str
) -> dict[str, Any]:
    """What an operation's page shows whatever was tried on it; 404 if there is no such operation."""
    found = reference.operation(slug)
    if found is None:
        raise Http404("no such operation")
    line, described = found
    return shown(version, reference) | {
        "line": line,
        "operation": described,
        "groups": reference.groups(),
        "keys": try_keys.keys_for(request, stage) if described.key else None,
    }
