"""What changed between the versions of an API."""

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render

from apis.models import Api, ApiVersion
from apis.queries import catalogue, live_stage
from apis.version_changes import changes_between, summed_up


def page(request: HttpRequest, slug: str) -> HttpResponse:
    """`?from=v1&to=v2`; without them the newest version against the one before it."""
    product: Api = get_object_or_404(catalogue(request.user), slug=slug)
    versions = [each for each in product.versions.all() if live_stage(each)]
    context: dict[str, Any] = {"section": "catalogue", "api": product, "versions": versions}
    if len(versions) > 1:
        to = _named(versions, request.GET.get("to"), versions[0])
        rest = [each for each in versions if each != to]
        older = versions[versions.index(to) + 1 :]
        since = _named(versions, request.GET.get("from"), (older or rest)[0])
        context |= changes_of(since, to)
    return render(request, "catalogue/changelog.html", context)


def changes_of(since: ApiVersion, to: ApiVersion) -> dict[str, Any]:
    """What the templates need of two versions."""
    changes = changes_between(since, to)
    return {
        "since": since,
        "to": to,
        "changes": changes,
        "counts": summed_up(changes),
        "breaking": any(each.breaking for each in changes),
    }


def latest_changes(versions: list[ApiVersion]) -> dict[str, Any] | None:
    """The newest version against the one before it; `versions` are deployed, newest first."""
    return changes_of(versions[1], versions[0]) if len(versions) > 1 else None


def _named(versions: list[ApiVersion], name: str | None, default: ApiVersion) -> ApiVersion:
    if not name:
        return default
    found = next((each for each in versions if each.name == name), None)
    if found is None:
        raise Http404("no such version")
    return found
