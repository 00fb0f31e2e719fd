"""A provider and its developers: suspensions, announcements."""

from rest_framework import serializers

from access.announcements.models import Announcement
from access.models import CustomerSuspension, UsagePlan
from accounts.models import Organization
from apis.models import Api
from rest.serializers.apis import OWNER_HELP
from rest.serializers.base import Strict, StrictModel, Visible
from rest.serializers.taxes import customers

LETTER = ("subject", "text", "kind", "audience", "api", "plan")


class CustomerSuspensionSerializer(serializers.ModelSerializer):
    """A time in which a provider serves a customer nothing; over once `lifted_at` is set."""

    customer_name = serializers.CharField(source="customer.name", read_only=True)

    class Meta:
        model = CustomerSuspension
        fields: tuple[str, ...] = (
            "id", "organization", "customer", "customer_name", "reason", "suspended_at", "lifted_at"
        )  # fmt: skip
        read_only_fields: tuple[str, ...] = fields


class CustomerSuspensionInput(Strict):
    organization = Visible(Organization, required=False, help_text=OWNER_HELP)
    customer = Visible(Organization, rows=customers, help_text="An organization that subscribed to a plan.")
    reason = serializers.CharField(max_length=200, help_text="The customer reads it.")


class AnnouncementSerializer(serializers.ModelSerializer):
    """A mail to developers. `waiting`, `sent` and `failed` count its copies once it is on its way."""

    waiting = serializers.IntegerField(read_only=True)
    sent = serializers.IntegerField(read_only=True)
    failed = serializers.IntegerField(read_only=True)

    class Meta:
        model = Announcement
        fields: tuple[str, ...] = (
            "id", "organization", *LETTER, "state", "created_at", "queued_at", "sent_at", "waiting", "sent", "failed"
        )  # fmt: skip
        read_only_fields: tuple[str, ...] = fields


class AnnouncementChange(StrictModel):
    api = Visible(Api, required=False, allow_null=True, help_text="Where the audience is api.")
    plan = Visible(UsagePlan, required=False, allow_null=True, help_text="Where the audience is plan.")

    class Meta:
        model = Announcement
        fields: tuple[str, ...] = LETTER


class AnnouncementInput(AnnouncementChange):
    organization = Visible(Organization, required=False, help_text=OWNER_HELP)

    class Meta(AnnouncementChange.Meta):
        fields: tuple[str, ...] = ("organization", *LETTER)
