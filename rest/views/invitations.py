"""`member-invitations`."""

from typing import Any, ClassVar

from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import MemberInvitation, Organization
from accounts.permissions import can_give_role
from accounts.teams.invitations import invite_member, resend_invitation, withdraw_member_invitation
from rest.filtersets import InvitationFilters
from rest.permissions import Need
from rest.serializers.accounts import InvitationInput, InvitationSerializer
from rest.serializers.base import Nothing
from rest.views.base import Creatable, Listed, Made, Readable, Removable, Resource, act


class InvitationViews(Listed, Readable, Creatable, Removable, Resource):
    """Invitations into an organization, by mail. DELETE withdraws one; who accepts becomes one of `members`."""

    model, noun, nouns, tag = MemberInvitation, "invitation", "invitations", "organizations"
    serializer_class = InvitationSerializer
    related = ("invited_by",)
    create_input = InvitationInput
    action_inputs: ClassVar = {"resend": Nothing}
    filterset_class = InvitationFilters
    ordering_fields = ("created_at", "expires_at")
    search_fields = ("email",)
    write_need = Need.ADMINISTER

    def make(self, data: dict[str, Any]) -> Made:
        organization = data.get("organization", self.caller.organization)
        self._may_give(organization, data["role"])
        return invite_member(
            organization=organization, email=data["email"], role=data["role"], actor=self.caller.user
        )

    def remove(self, row: MemberInvitation) -> None:
        withdraw_member_invitation(invitation=row, actor=self.caller.user)

    @act()
    def resend(self, request: Request, pk: str) -> Response:
        """Send a new link that works for a week; the one before ends."""
        invitation, _ = self.target()
        self._may_give(invitation.organization, invitation.role)
        return self.answer(resend_invitation(invitation=invitation, actor=self.caller.user))

    def _may_give(self, organization: Organization, role: str) -> None:
        if not can_give_role(self.caller.user, organization, role):
            raise PermissionDenied(f"You may not give the role {role}.")
