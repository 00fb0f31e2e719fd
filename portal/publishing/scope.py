"""Whose APIs a person may see and change under /provider/.

An organization's people by their roles, its limited members by the APIs that they were given (`apis/grants.py`),
staff by their permissions.
"""

from operator import attrgetter
from typing import Any

from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.shortcuts import get_object_or_404

from accounts.models import Organization
from accounts.permissions import can_manage, can_read
from apis.grants import backends_of, may_change
from apis.models import Api, ApiGrant, ApiVersion, Backend, Operation, Stage
from portal import guard, provider_scope


def context(request: HttpRequest, organization: Organization, **more: Any) -> dict[str, Any]:
    """What the templates of these pages need."""
    grant = _grant(request)
    shown = provider_scope.context(request, organization, "granted" if grant else "apis")
    return (
        shown
        | {
            "granted_only": grant is not None,
            "may_change": may_change(grant) if grant else can_manage(request.user, organization),
        }
        | more
    )


def candidates(request: HttpRequest) -> list[Organization]:
    """The organizations for which she may register an API: also those that have none yet."""
    found = {each.pk: each for each in [*provider_scope.choices(request), *guard.organizations(request)]}
    return [each for each in found.values() if can_manage(request.user, each)]


def backends_for(request: HttpRequest, organization: Organization) -> QuerySet[Backend]:
    """Where her versions may send calls: a limited member has the backends of the APIs that she manages."""
    if _grant(request) is not None:
        return backends_of(guard.person(request), organization)
    return Backend.objects.filter(organization=organization)


def is_granted(request: HttpRequest) -> bool:
    """Whether the thing that was found is hers by a grant only."""
    return _grant(request) is not None


def api(request: HttpRequest, pk: str, *, change: bool = False) -> Api:
    """An API of hers (else 404); to change it needs the role (else 403)."""
    return _own(request, Api.objects.select_related("organization"), pk, change, "pk")


def version(request: HttpRequest, pk: str, *, change: bool = False) -> ApiVersion:
    """A version of hers, with its API, backend and organization."""
    rows = ApiVersion.objects.select_related("organization", "api", "backend")
    return _own(request, rows, pk, change, "api_id")


def stage(request: HttpRequest, pk: str, *, change: bool = False) -> Stage:
    """A stage of hers, with its version and what it runs (without their documents)."""
    rows = Stage.objects.select_related("organization", "version__api", "deployment", "canary_deployment")
    rows = rows.defer("version__document", "deployment__document", "canary_deployment__document")
    rows = rows.defer("deployment__compiled", "canary_deployment__compiled")
    return _own(request, rows.prefetch_related("mappings"), pk, change, "version.api_id")


def operation(request: HttpRequest, pk: str, *, change: bool = False) -> Operation:
    """An operation of hers that is in its document."""
    rows = Operation.objects.select_related("organization", "version__api").filter(removed_at=None)
    return _own(request, rows.defer("version__document"), pk, change, "version.api_id")


def backend(request: HttpRequest, pk: str, *, change: bool = False) -> Backend:
    return _own(request, Backend.objects.select_related("organization"), pk, change)


def _own(request: HttpRequest, rows: Any, pk: str, change: bool, to_api: str = "") -> Any:
    """`to_api` is the way from a row to its API; without one no grant opens it."""
    mine = Q(organization__in=provider_scope.choices(request))
    grants = {each.api_id: each for each in provider_scope.granted(request)} if to_api else {}
    if grants:
        mine |= Q(**{f"{to_api.replace('.', '__')}__in": list(grants)})
    found = get_object_or_404(rows, mine, pk=pk)
    grant = grants.get(attrgetter(to_api)(found)) if grants else None
    request._gatehouse_by_grant = grant  # type: ignore[attr-defined]
    if grant is not None:
        provider_scope.demand(may_change(grant) or not change)
    elif change or not provider_scope.sees_all(request):
        guard.demand(can_manage if change else can_read, request, found.organization)
    return found


def _grant(request: HttpRequest) -> ApiGrant | None:
    """The grant by which the page's thing is hers; None = she is not limited."""
    found: ApiGrant | None = getattr(request, "_gatehouse_by_grant", None)
    return found
