"""Organizations, members, tokens, the audit trail."""

from rest_framework import serializers

from accounts.models import ApiToken, AuditEvent, Member, MemberInvitation, Organization, Role, User
from accounts.teams.models import InvitationState
from apis.models import Api, ApiGrant
from rest.serializers.base import Strict, StrictModel, Visible


class OrganizationSerializer(serializers.ModelSerializer):
    """A tenant: provider of some APIs, developer of others."""

    billing_children: serializers.ManyRelatedField = serializers.PrimaryKeyRelatedField(  # type: ignore[assignment]
        many=True, read_only=True, help_text="Whose bills it pays."
    )
    asking_billing_children: serializers.ManyRelatedField = serializers.PrimaryKeyRelatedField(  # type: ignore[assignment]
        many=True, read_only=True, help_text="Who asks it to pay their bills."
    )

    class Meta:
        model = Organization
        fields: tuple[str, ...] = (
            "id",
            "name",
            "slug",
            "billing_email",
            "timezone",
            "suspended_at",
            "closed_at",
            "billing_parent",
            "asked_billing_parent",
            "billing_children",
            "asking_billing_children",
            "created_at",
        )
        read_only_fields: tuple[str, ...] = fields


class BillingParentInput(Strict):
    parent = serializers.CharField(  # type: ignore[assignment]
        max_length=10, help_text="Id of the organization that shall pay."
    )


class BillingChildInput(Strict):
    child = serializers.CharField(max_length=10, help_text="Id of an organization that asks, or is paid for.")


class CloseOrganizationInput(Strict):
    name = serializers.CharField(
        max_length=120, help_text="The organization's name, so that no slip closes it."
    )


class ObstacleSerializer(serializers.Serializer):
    """What must be settled before the organization can be closed."""

    code = serializers.CharField(help_text="Such as open_invoices.")
    text = serializers.CharField()
    way_out = serializers.CharField()


class OrganizationInput(StrictModel):
    owner = serializers.EmailField(
        required=False, help_text="Address of the person who will own it; default: the token's person."
    )

    class Meta:
        model = Organization
        fields: tuple[str, ...] = ("name", "billing_email", "timezone", "owner")


class OrganizationChange(StrictModel):
    class Meta:
        model = Organization
        fields: tuple[str, ...] = ("name", "slug", "billing_email", "timezone")


class PersonSerializer(serializers.ModelSerializer):
    class Meta:
        model = User
        fields: tuple[str, ...] = ("id", "email", "name")
        read_only_fields: tuple[str, ...] = fields


class GrantSerializer(serializers.ModelSerializer):
    """An API that a limited member sees; `manage`: changes, too; `money`: sees the prices of its plans, too."""

    class Meta:
        model = ApiGrant
        fields: tuple[str, ...] = ("api", "manage", "money")
        read_only_fields: tuple[str, ...] = fields


class GrantInput(Strict):
    api = Visible(Api)
    manage = serializers.BooleanField(default=False)
    money = serializers.BooleanField(default=False)


class GrantsInput(Strict):
    grants = GrantInput(many=True, help_text="All that she shall see; what is left out she sees no more.")


class MemberSerializer(serializers.ModelSerializer):
    """A person's place in an organization."""

    user = PersonSerializer(read_only=True)
    api_grants = GrantSerializer(
        many=True, read_only=True, help_text="Without effect unless her role is limited."
    )

    class Meta:
        model = Member
        fields: tuple[str, ...] = ("id", "organization", "user", "role", "api_grants", "created_at")
        read_only_fields: tuple[str, ...] = fields


class MemberInput(Strict):
    organization = Visible(Organization, required=False, help_text="Default: the token's own.")
    email = serializers.EmailField(help_text="Of somebody who has an account here.")
    role = serializers.ChoiceField(choices=Role.choices, default=Role.MEMBER)


class InvitationSerializer(serializers.ModelSerializer):
    """An address that may become a member, until it expires. Its link is in the mail and nowhere else."""

    state = serializers.ChoiceField(choices=InvitationState.choices, read_only=True)
    invited_by = serializers.CharField(read_only=True, help_text="Address of the person who invited.")

    class Meta:
        model = MemberInvitation
        fields: tuple[str, ...] = (
            "id",
            "organization",
            "email",
            "role",
            "state",
            "invited_by",
            "created_at",
            "sent_at",
            "expires_at",
            "accepted_at",
            "withdrawn_at",
        )
        read_only_fields: tuple[str, ...] = fields


class InvitationInput(Strict):
    organization = Visible(Organization, required=False, help_text="Default: the token's own.")
    email = serializers.EmailField(help_text="Of somebody who need not have an account yet.")
    role = serializers.ChoiceField(choices=Role.choices, default=Role.MEMBER)


class MemberChange(Strict):
    role = serializers.ChoiceField(choices=Role.choices)


class TokenSerializer(serializers.ModelSerializer):
    """A bearer token. Its text is shown once, as `token`, in the answer that makes it."""

    user = PersonSerializer(read_only=True)

    class Meta:
        model = ApiToken
        fields: tuple[str, ...] = (
            "id",
            "organization",
            "user",
            "name",
            "prefix",
            "read_only",
            "expires_at",
            "last_used_at",
            "revoked_at",
            "created_at",
        )
        read_only_fields: tuple[str, ...] = fields


class MadeTokenSerializer(TokenSerializer):
    token = serializers.CharField(read_only=True, help_text="The text `gat_…`; shown this once.")

    class Meta(TokenSerializer.Meta):
        fields: tuple[str, ...] = (*TokenSerializer.Meta.fields, "token")
        read_only_fields: tuple[str, ...] = fields


class TokenInput(StrictModel):
    class Meta:
        model = ApiToken
        fields: tuple[str, ...] = ("name", "read_only", "expires_at")


class AuditEventSerializer(serializers.ModelSerializer):
    """One line of the audit trail: who changed what, and when."""

    actor = serializers.CharField(
        source="actor_label",
        read_only=True,
        help_text="Address of the person; Gatehouse itself for its own acts.",
    )

    class Meta:
        model = AuditEvent
        fields: tuple[str, ...] = (
            "id",
            "organization",
            "at",
            "actor",
            "action",
            "target_kind",
            "target_id",
            "summary",
            "changes",
        )
        read_only_fields: tuple[str, ...] = fields
