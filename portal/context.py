"""What every page may use."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from accounts.permissions import can_administer, can_see_bills
from accounts.portal_address import portal_url
from portal import guard, preview, provider_scope


def site(request: HttpRequest) -> dict[str, Any]:
    """The installation's addresses and mode, and the organization of the session (asked only where shown)."""
    brand = preview.brand_of(request)
    return {
        "site_name": brand.name,
        "brand": brand,
        "GATEWAY_URL": settings.GATEWAY_URL,
        "PORTAL_URL": portal_url(),
        "preview": preview.current(request),
        "DEMO": settings.GATEHOUSE_DEMO,
        "outbox_open": settings.GATEHOUSE_MODE != "production",
        "organization": SimpleLazyObject(lambda: guard.current_organization(request)),
        "organizations": SimpleLazyObject(lambda: guard.organizations(request)),
        "sees_bills": SimpleLazyObject(lambda: _sees_bills(request)),
        "administers": SimpleLazyObject(lambda: _administers(request)),
        "is_provider": SimpleLazyObject(
            lambda: bool(provider_scope.choices(request) or provider_scope.granted(request))
        ),
    }


def _sees_bills(request: HttpRequest) -> bool:
    organization = guard.current_organization(request)
    return organization is not None and can_see_bills(request.user, organization)


def _administers(request: HttpRequest) -> bool:
    organization = guard.current_organization(request)
    return organization is not None and can_administer(request.user, organization)
