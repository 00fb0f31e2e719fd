"""Whose dashboards a person may open at /provider/."""

from django.http import Http404, HttpRequest

from accounts.models import Organization
from accounts.permissions import can_see_bills
from portal import guard


def sees_all(request: HttpRequest) -> bool:
    """Staff of the installation with the right to see usage in the admin console."""
    return request.user.is_staff and request.user.has_perm("metering.view_usageday")


def choices(request: HttpRequest) -> list[Organization]:
    """The organizations that publish APIs and whose dashboards she may see; asked once a request."""
    kept: list[Organization] | None = getattr(request, "_gatehouse_providers", None)
    if kept is None:
        kept = _choices(request)
        request._gatehouse_providers = kept  # type: ignore[attr-defined]
    return kept


def _choices(request: HttpRequest) -> list[Organization]:
    if not request.user.is_authenticated:
        return []
    providers = Organization.objects.filter(apis__isnull=False).distinct().order_by("name")
    if not sees_all(request):
        providers = providers.filter(pk__in=[each.pk for each in guard.organizations(request)])
    return list(providers)


def chosen(request: HttpRequest) -> Organization:
    """The organization that the page is about: `?organization=`, else the session's, else the first. 404 = none."""
    found = choices(request)
    wanted = request.GET.get("organization", "")
    if wanted:
        match = [each for each in found if each.pk == wanted]
    else:
        own = guard.current_organization(request)
        match = [each for each in found if own and each.pk == own.pk] or found
    if not match:
        raise Http404("no such provider")
    return match[0]


def sees_bills(request: HttpRequest, organization: Organization) -> bool:
    """Those of its people whose role shows bills, and staff who may see invoices."""
    staff = request.user.is_staff and request.user.has_perm("billing.view_invoice")
    return bool(staff or can_see_bills(request.user, organization))
