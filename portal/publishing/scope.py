"""Whose APIs a person may see and change under /provider/."""

from typing import Any

from django.http import HttpRequest
from django.shortcuts import get_object_or_404

from accounts.models import Organization
from accounts.permissions import can_manage, can_read
from apis.models import Api, ApiVersion, Backend, Operation, Stage
from portal import guard, provider_scope


def context(request: HttpRequest, organization: Organization, **more: Any) -> dict[str, Any]:
    """What the templates of these pages need."""
    return {
        "section": "provider",
        "page": "apis",
        "provider": organization,
        "providers": provider_scope.choices(request),
        "sees_all": provider_scope.sees_all(request),
        "may_change": can_manage(request.user, organization),
    } | more


def candidates(request: HttpRequest) -> list[Organization]:
    """The organizations for which she may register an API: also those that have none yet."""
    found = {each.pk: each for each in [*provider_scope.choices(request), *guard.organizations(request)]}
    return [each for each in found.values() if can_manage(request.user, each)]


def api(request: HttpRequest, pk: str, *, change: bool = False) -> Api:
    """An API of hers (else 404); to change it needs the role (else 403)."""
    return _own(request, Api.objects.select_related("organization"), pk, change)


def version(request: HttpRequest, pk: str, *, change: bool = False) -> ApiVersion:
    """A version of hers, with its API, backend and organization."""
    rows = ApiVersion.objects.select_related("organization", "api", "backend")
    return _own(request, rows, pk, change)


def stage(request: HttpRequest, pk: str, *, change: bool = False) -> Stage:
    """A stage of hers, with its version and what it runs (without their documents)."""
    rows = Stage.objects.select_related("organization", "version__api", "deployment", "canary_deployment")
    rows = rows.defer("version__document", "deployment__document", "canary_deployment__document")
    rows = rows.defer("deployment__compiled", "canary_deployment__compiled")
    return _own(request, rows.prefetch_related("mappings"), pk, change)


def operation(request: HttpRequest, pk: str, *, change: bool = False) -> Operation:
    """An operation of hers that is in its document."""
    rows = Operation.objects.select_related("organization", "version__api").filter(removed_at=None)
    return _own(request, rows.defer("version__document"), pk, change)


def backend(request: HttpRequest, pk: str, *, change: bool = False) -> Backend:
    return _own(request, Backend.objects.select_related("organization"), pk, change)


def _own(request: HttpRequest, rows: Any, pk: str, change: bool) -> Any:
    found = get_object_or_404(rows, pk=pk, organization__in=provider_scope.choices(request))
    staff = provider_scope.sees_all(request)
    if change or not staff:
        guard.demand(can_manage if change else can_read, request, found.organization)
    return found
