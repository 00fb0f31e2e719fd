"""`organizations`, `members`, `tokens`, `audit-events`."""

from collections.abc import Callable
from typing import Any, ClassVar

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.exceptions import PermissionDenied, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import billing_group, organizations, tokens
from accounts.models import ApiToken, AuditEvent, Member, Organization, User
from accounts.permissions import can_administer, can_give_role, can_hand_over, can_join_billing
from apis.grants import Given, set_grants
from billing.leaving.close import close_organization
from billing.leaving.obstacles import obstacles
from rest.filtersets import AuditEventFilters, MemberFilters, OrganizationFilters, TokenFilters
from rest.permissions import Need
from rest.serializers.accounts import (
    AuditEventSerializer,
    BillingChildInput,
    BillingParentInput,
    CloseOrganizationInput,
    GrantsInput,
    MadeTokenSerializer,
    MemberChange,
    MemberInput,
    MemberSerializer,
    ObstacleSerializer,
    OrganizationChange,
    OrganizationInput,
    OrganizationSerializer,
    TokenInput,
    TokenSerializer,
)
from rest.serializers.base import Nothing
from rest.views.base import Changeable, Creatable, Listed, Made, Readable, Removable, Resource, act


def person(email: str) -> User:
    """Return the account with this address, whatever the case of its letters."""
    found = User.objects.filter(email__iexact=email, is_active=True).first()
    if found is None:
        raise ValidationError(
            {"email": f"Nobody here has the address {email}. Ask her to sign up first."},
            code="does_not_exist",
        )
    return found


class OrganizationViews(Listed, Readable, Creatable, Changeable, Resource):
    """Tenants. A token sees its own organization; staff of the installation see and make all."""

    model, noun, nouns, tag = Organization, "organization", "organizations", "organizations"
    serializer_class = OrganizationSerializer
    create_input, change_input = OrganizationInput, OrganizationChange
    action_inputs: ClassVar = {
        **dict.fromkeys(("suspend", "resume", "leave_billing_parent"), Nothing),
        "billing_parent": BillingParentInput,
        "close": CloseOrganizationInput,
        **dict.fromkeys(("accept_billing_child", "refuse_billing_child"), BillingChildInput),
    }
    filterset_class = OrganizationFilters
    ordering_fields = ("name", "slug", "created_at")
    search_fields = ("name", "slug")
    write_need = Need.ADMINISTER
    action_needs: ClassVar = {"create": Need.STAFF, "suspend": Need.STAFF, "resume": Need.STAFF}

    def get_queryset(self) -> QuerySet[Any]:
        return super().get_queryset().prefetch_related("billing_children", "asking_billing_children")

    def make(self, data: dict[str, Any]) -> Made:
        owner = person(data.pop("owner")) if "owner" in data else self.caller.user
        return organizations.create_organization(owner=owner, actor=self.caller.user, **data)

    def change(self, row: Organization, data: dict[str, Any]) -> None:
        organizations.change_organization(organization=row, actor=self.caller.user, **data)

    @act()
    def suspend(self, request: Request, pk: str) -> Response:
        """Refuse every key of the organization, and every call to its APIs, until it is resumed."""
        organization, _ = self.target()
        return self.answer(organizations.suspend(organization=organization, actor=self.caller.user))

    @act()
    def resume(self, request: Request, pk: str) -> Response:
        """Take back a suspension."""
        organization, _ = self.target()
        return self.answer(organizations.resume(organization=organization, actor=self.caller.user))

    @extend_schema(responses={200: ObstacleSerializer(many=True)}, filters=False)
    @action(detail=True, url_path="closing", pagination_class=None)
    def closing(self, request: Request, pk: str) -> Response:
        """What must be settled before it can be closed; [] = nothing."""
        return Response(ObstacleSerializer(obstacles(self.get_object()), many=True).data)

    @act()
    def close(self, request: Request, pk: str) -> Response:
        """Close it for good (owners). What others need for their books stays; its people's things go."""
        organization, data = self.target()
        if not can_hand_over(self.caller.user, organization):
            raise PermissionDenied("Only owners can close the organization.")
        return self.answer(
            close_organization(organization=organization, name=data["name"], actor=self.caller.user)
        )

    @act()
    def billing_parent(self, request: Request, pk: str) -> Response:
        """Ask another organization to pay this one's bills (owners). Staff need not wait for its answer."""
        child, data = self._owned()
        parent = Organization.objects.filter(pk=data["parent"]).first()
        if parent is None:
            raise ValidationError({"parent": "There is no organization with this id."}, code="does_not_exist")
        verb = billing_group.join_billing if self.caller.everything else billing_group.ask_to_join
        return self.answer(verb(child=child, parent=parent, actor=self.caller.user))

    @act()
    def leave_billing_parent(self, request: Request, pk: str) -> Response:
        """Pay its own bills again, from the running month on; or take back what it asked (owners)."""
        child, _ = self._owned()
        return self.answer(billing_group.leave_billing(child=child, actor=self.caller.user))

    @act()
    def accept_billing_child(self, request: Request, pk: str) -> Response:
        """Pay the bills of an organization that asks for it, from the running month on (owners)."""
        return self._answer_child(billing_group.accept_child)

    @act()
    def refuse_billing_child(self, request: Request, pk: str) -> Response:
        """Decline one that asks, or pay its bills no longer (owners)."""
        return self._answer_child(billing_group.refuse_child)

    def _owned(self) -> tuple[Organization, dict[str, Any]]:
        organization, data = self.target()
        if not can_join_billing(self.caller.user, organization):
            raise PermissionDenied("For this one must be owner.")
        return organization, data

    def _answer_child(self, verb: Callable[..., Organization]) -> Response:
        parent, data = self._owned()
        near = parent.billing_children.all() | parent.asking_billing_children.all()
        child = near.filter(pk=data["child"]).first()
        if child is None:
            raise ValidationError(
                {"child": "No organization with this id is in the group or asks."}, code="does_not_exist"
            )
        verb(child=child, parent=parent, actor=self.caller.user)
        return self.answer(parent)


class MemberViews(Listed, Readable, Creatable, Changeable, Removable, Resource):
    """The people of an organization and their roles: owner, admin, member, billing, limited to chosen APIs."""

    model, noun, nouns, tag = Member, "member", "members", "organizations"
    serializer_class = MemberSerializer
    related = ("user",)
    create_input, change_input = MemberInput, MemberChange
    action_inputs: ClassVar = {"set_api_grants": GrantsInput}
    filterset_class = MemberFilters
    ordering_fields = ("role", "created_at")
    search_fields = ("user__email", "user__name")
    lookup_value_regex = "[0-9]{1,18}"
    write_need = Need.ADMINISTER

    def make(self, data: dict[str, Any]) -> Made:
        organization = data.get("organization", self.caller.organization)
        self._may_give(organization, data["role"])
        return organizations.add_member(
            organization=organization, user=person(data["email"]), role=data["role"], actor=self.caller.user
        )

    def change(self, row: Member, data: dict[str, Any]) -> None:
        for role in {row.role, *data.values()}:
            self._may_give(row.organization, role)
        if data:
            organizations.change_role(member=row, role=data["role"], actor=self.caller.user)

    def remove(self, row: Member) -> None:
        self._may_give(row.organization, row.role)
        organizations.remove_member(member=row, actor=self.caller.user)

    def get_queryset(self) -> QuerySet[Any]:
        return super().get_queryset().prefetch_related("api_grants")

    @act()
    def set_api_grants(self, request: Request, pk: str) -> Response:
        """Let a limited member see exactly these APIs, and do with each what is said."""
        member, data = self.target()
        given = {each["api"]: Given(each["manage"], each["money"]) for each in data["grants"]}
        set_grants(member=member, grants=given, actor=self.caller.user)
        return self.answer(member)

    def _may_give(self, organization: Organization, role: str) -> None:
        if not can_give_role(self.caller.user, organization, role):
            raise PermissionDenied(f"You may not give or take the role {role}.")


class TokenViews(Listed, Readable, Creatable, Removable, Resource):
    """Bearer tokens for this API: your own, or everybody's if you administer the organization."""

    model, noun, nouns, tag = ApiToken, "token", "tokens", "organizations"
    serializer_class = TokenSerializer
    related = ("user",)
    create_input = TokenInput
    action_outputs: ClassVar = {"create": MadeTokenSerializer}
    filterset_class = TokenFilters
    ordering_fields = ("name", "created_at", "last_used_at")
    search_fields = ("name", "prefix")
    write_need = Need.READ

    def get_queryset(self) -> QuerySet[Any]:
        rows = super().get_queryset()
        if getattr(self, "swagger_fake_view", False):
            return rows
        if can_administer(self.caller.user, self.caller.organization):
            return rows
        return rows.filter(user=self.caller.user)

    def make(self, data: dict[str, Any]) -> Made:
        own_end, end = self.caller.token.expires_at, data.get("expires_at")
        if own_end and (end is None or end > own_end):
            raise ValidationError(
                {"expires_at": f"A token cannot make one that outlives it ({own_end.isoformat()})."},
                code="too_late",
            )
        token, text = tokens.create_token(
            organization=self.caller.organization, user=self.caller.user, actor=self.caller.user, **data
        )
        return token, {"token": text}

    def remove(self, row: ApiToken) -> None:
        tokens.revoke_token(token=row, actor=self.caller.user)


class AuditEventViews(Listed, Readable, Resource):
    """The audit trail: who changed what, newest first."""

    model, noun, nouns, tag = AuditEvent, "audit event", "audit events", "organizations"
    serializer_class = AuditEventSerializer
    filterset_class = AuditEventFilters
    ordering_fields = ("at",)
    search_fields = ("summary", "actor_label")
    lookup_value_regex = "[0-9]{1,18}"
