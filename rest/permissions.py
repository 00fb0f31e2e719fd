"""What a token may do: reading needs membership, writing needs the role that `accounts.permissions` names."""

from collections.abc import Callable
from enum import Enum
from typing import TYPE_CHECKING

from rest_framework.exceptions import PermissionDenied
from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request

from accounts.models import Organization, User
from accounts.permissions import can_administer, can_manage, can_see_bills
from apis.models import Api
from rest.caller import OF_AN_API, Caller

if TYPE_CHECKING:
    from rest_framework.views import APIView


SUSPENDED = "The organization is suspended: nothing in it can be changed."


class Need(Enum):
    """The right that a request asks for, and how a refusal says it."""

    READ = "be a member"
    MANAGE = "be owner, admin or member"
    ADMINISTER = "be owner or admin"
    BILLS = "be owner, admin or billing"
    STAFF = "be staff of this installation"


RULES: dict[Need, Callable[[User, Organization], bool]] = {
    # `find_token` finds only tokens of people who are members still
    Need.READ: lambda _user, _organization: True,
    Need.MANAGE: can_manage,
    Need.ADMINISTER: can_administer,
    Need.BILLS: can_see_bills,
    Need.STAFF: lambda user, _organization: user.is_superuser,
}


class TokenMay(BasePermission):
    """Checks `view.read_need`, or for writes `view.write_need` (or `view.action_needs[action]`).

    A view with `changes_nothing` reads although its method is POST.
    """

    def has_permission(self, request: Request, view: "APIView") -> bool:
        caller = getattr(request, "caller", None)
        if caller is None:
            return False
        action = getattr(view, "action", None)
        reads = request.method in SAFE_METHODS or getattr(view, "changes_nothing", False)
        if not reads and caller.token.read_only:
            raise PermissionDenied("This token is read-only: it may only GET.")
        default = view.read_need if reads else view.write_need  # type: ignore[attr-defined]
        needs: dict[str | None, Need] = getattr(view, "action_needs", {})
        need = needs.get(action, default)
        if caller.limited:
            _require_of_limited(caller, view, need, reads=reads)
        else:
            require(request, need)
        return True


def _require_of_limited(caller: Caller, view: "APIView", need: Need, *, reads: bool) -> None:
    """A member who is limited to chosen APIs reaches only rows of these (`Caller.visible`), and makes no new API."""
    model, action = getattr(view, "model", None), getattr(view, "action", None)
    allowed = model in OF_AN_API and (reads or (need is Need.MANAGE and (model, action) != (Api, "create")))
    if not allowed:
        raise PermissionDenied("Your role in this organization is limited to chosen APIs. Ask its owner.")
    if not reads and caller.organization.suspended_at:
        raise PermissionDenied(SUSPENDED)
    caller.changes = not reads


def require(request: Request, need: Need) -> None:
    """Refuse (403) unless the token's person has the right in the token's organization."""
    caller = request.caller  # type: ignore[attr-defined]
    if RULES[need](caller.user, caller.organization):
        return
    if caller.organization.suspended_at and need is not Need.STAFF:
        raise PermissionDenied(SUSPENDED)
    raise PermissionDenied(f"For this one must {need.value}.")
