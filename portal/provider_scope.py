"""Whose pages a person may open at /provider/, and what she may do there."""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest
from django.urls import reverse

from accounts.models import Organization
from accounts.permissions import can_administer, can_manage, can_see_bills, remember_memberships
from apis.grants import grants_of
from apis.models import ApiGrant
from portal import guard


def sees_all(request: HttpRequest) -> bool:
    """Staff of the installation with the right to see usage in the admin console."""
    return request.user.is_staff and request.user.has_perm("metering.view_usageday")


def choices(request: HttpRequest) -> list[Organization]:
    """The organizations that publish APIs and whose dashboards she may see; asked once a request."""
    kept: list[Organization] | None = getattr(request, "_gatehouse_providers", None)
    if kept is None:
        if request.method in guard.SAFE and request.user.is_authenticated:
            remember_memberships(guard.person(request))
        kept = _choices(request)
        request._gatehouse_providers = kept  # type: ignore[attr-defined]
    return kept


def granted(request: HttpRequest) -> list[ApiGrant]:
    """The APIs that she sees one by one, where she is limited to chosen ones; asked once a request."""
    kept: list[ApiGrant] | None = getattr(request, "_gatehouse_granted", None)
    if kept is None:
        mine = [each.pk for each in guard.organizations(request) if each not in guard.seen_whole(request)]
        found = grants_of(guard.person(request)).filter(organization__in=mine) if mine else []
        kept = list(found)
        request._gatehouse_granted = kept  # type: ignore[attr-defined]
    return kept


def granted_provider(request: HttpRequest, api_id: str) -> Organization | None:
    """The provider of an API that she was given."""
    return next((each.organization for each in granted(request) if each.api_id == api_id), None)


def is_granted_by(request: HttpRequest, organization_id: str) -> bool:
    """Whether an organization gave her single APIs ('' = any organization)."""
    return any(organization_id in ("", each.organization_id) for each in granted(request))


def _choices(request: HttpRequest) -> list[Organization]:
    if not request.user.is_authenticated:
        return []
    providers = Organization.objects.filter(apis__isnull=False).distinct().order_by("name")
    if not sees_all(request):
        providers = providers.filter(pk__in=[each.pk for each in guard.seen_whole(request)])
    return list(providers)


def chosen(request: HttpRequest) -> Organization:
    """The organization that the page is about: `?organization=`, else the session's, else the first. 404 = none."""
    wanted = request.GET.get("organization", "")
    match = (
        next((each for each in choices(request) if each.pk == wanted), None) if wanted else _usual(request)
    )
    if match is None:
        raise Http404("no such provider")
    return match


def _usual(request: HttpRequest) -> Organization | None:
    """The organization she works in if it is a provider, else the first that she may see."""
    found, own = choices(request), guard.current_organization(request)
    return next((each for each in found if own and each.pk == own.pk), found[0] if found else None)


def sees_bills(request: HttpRequest, organization: Organization) -> bool:
    """Those of its people whose role shows bills, and staff who may see invoices."""
    staff = request.user.is_staff and request.user.has_perm("billing.view_invoice")
    return bool(staff or can_see_bills(request.user, organization))


def manages(request: HttpRequest, organization: Organization) -> bool:
    """Those of its people whose role changes plans and subscriptions, and staff who may in the admin console."""
    staff = request.user.is_staff and request.user.has_perm("access.change_subscription")
    return bool(staff or can_manage(request.user, organization))


def administers(request: HttpRequest, organization: Organization) -> bool:
    """Those of its people whose role changes prices and terms, and staff who may in the admin console."""
    staff = request.user.is_staff and request.user.has_perm("billing.change_customerterms")
    return bool(staff or can_administer(request.user, organization))


def demand(allowed: bool) -> None:
    """403 unless it is allowed."""
    if not allowed:
        raise PermissionDenied("Your role in this organization does not allow this. Ask its owner.")


def demand_staff(request: HttpRequest, permission: str) -> None:
    """404 unless she is staff with this permission: to everybody else the installation's pages are not there."""
    if not (request.user.is_staff and request.user.has_perm(permission)):
        raise Http404("for the staff of the installation")


def context(request: HttpRequest, organization: Organization | None, page: str) -> dict[str, Any]:
    """What every provider page's layout needs; `page` is the entry of its navigation.

    Without an organization (pages of the installation) the navigation leads to the usual one's pages.
    """
    return {
        "section": "provider",
        "page": page,
        "provider": organization or _usual(request),
        "providers": choices(request),
        "sees_all": sees_all(request),
        "has_grants": bool(granted(request)),
    }


def address(name: str, organization: Organization, *args: Any) -> str:
    """The address of a provider's page."""
    return f"{reverse(name, args=args)}?organization={organization.pk}"
