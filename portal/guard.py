"""Who may see a page, and the things on it. Each view's first line comes from here.

Someone else's thing is answered 404, as if it were not there; one's own thing that one's role may not touch
is answered 403.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect

from accounts.models import Organization, Role, User
from accounts.permissions import Person, can_read, is_limited, remember_memberships
from accounts.queries import organizations_of
from portal import shown_once

Row = TypeVar("Row", bound=Model)
View = Callable[..., HttpResponseBase]
Permission = Callable[[Person, Organization], bool]

SESSION_KEY = "organization"
SAFE = ("GET", "HEAD")


def organizations(request: HttpRequest) -> list[Organization]:
    """The signed-in person's organizations; asked once a request."""
    if not request.user.is_authenticated:
        return []
    kept: list[Organization] | None = getattr(request, "_gatehouse_organizations", None)
    if kept is None:
        # staff who see the site as she does see one organization: the one whose audit trail says so
        look = getattr(request, "helping", None)
        mine = organizations_of(request.user)
        kept = list(mine.filter(pk=look.organization_id) if look else mine)
        request._gatehouse_organizations = kept  # type: ignore[attr-defined]
    return kept


def current_organization(request: HttpRequest) -> Organization | None:
    """The organization she works in: the one she switched to, else the first that she sees as a whole, or any."""
    mine = organizations(request)
    chosen = request.session.get(SESSION_KEY)
    usual = seen_whole(request) or mine
    return next((each for each in mine if each.pk == chosen), usual[0] if usual else None)


def seen_whole(request: HttpRequest) -> list[Organization]:
    """Those of her organizations in which she is not limited to chosen APIs."""
    return [each for each in organizations(request) if each.own_role != Role.LIMITED]  # type: ignore[attr-defined]


def in_organization(permission: Permission = can_read) -> Callable[[View], View]:
    """Sign-in, an organization and the right in it; the view gets `(request, organization, ...)`."""

    def decorate(view: View) -> View:
        @login_required
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            shown_once.drop_abandoned(request)
            organization = current_organization(request)
            if organization is None:
                return redirect("organization-new")
            if request.method in SAFE:
                remember_memberships(person(request))
                if not permission(request.user, organization) and is_limited(request.user, organization):
                    return redirect("granted")  # the console is not hers, her APIs are
            demand(permission, request, organization)
            return view(request, organization, *args, **kwargs)

        return guarded

    return decorate


def demand(permission: Permission, request: HttpRequest, organization: Organization) -> None:
    """403 unless her role allows it."""
    if not permission(request.user, organization):
        raise PermissionDenied("Your role in this organization does not allow this. Ask its owner.")


def own(rows: type[Row] | QuerySet[Row], organization: Organization, pk: str) -> Row:
    """Return the organization's row, or 404: also when it is another organization's."""
    return get_object_or_404(rows, organization=organization, pk=pk)


def person(request: HttpRequest) -> User:
    """The signed-in person."""
    return cast(User, request.user)
