"""Usage plans, applications, subscriptions, keys."""

from datetime import timedelta
from typing import Any

from django.db.models import QuerySet
from rest_framework import serializers

from access.keys import DEFAULT_GRACE
from access.models import ApiKey, Application, Subscription, UsagePlan
from access.queries import open_plans
from accounts.models import Organization
from apis.models import Stage
from billing.models import RateCard
from rest.caller import Caller
from rest.serializers.base import Strict, StrictModel, Visible

LIMITS = [
    "throttle_rate",
    "throttle_burst",
    "quota_limit",
    "quota_period",
    "quota_offline_allowance",
]
PLAN_FIELDS = ["name", "description", "visibility", "requires_approval", *LIMITS, "stages", "position"]
MAX_GRACE = timedelta(days=90)


class PlanSerializer(serializers.ModelSerializer):
    """Throttle, quota, price, and the stages that they open. Limits count per subscription."""

    stages: serializers.ManyRelatedField = serializers.PrimaryKeyRelatedField(  # type: ignore[assignment]
        many=True, read_only=True
    )
    rate_card = serializers.CharField(
        source="price.rate_card_id", default=None, read_only=True, allow_null=True, help_text="null = free."
    )

    class Meta:
        model = UsagePlan
        fields: tuple[str, ...] = ("id", "organization", *PLAN_FIELDS, "rate_card", "created_at")
        read_only_fields: tuple[str, ...] = fields


class PlanChange(StrictModel):
    stages = Visible(
        Stage, many=True, required=False, help_text="Ids of the stages it opens: the whole list."
    )
    rate_card = Visible(RateCard, required=False, allow_null=True, help_text="What it costs; null = free.")

    class Meta:
        model = UsagePlan
        fields: tuple[str, ...] = (*PLAN_FIELDS, "rate_card")


class PlanInput(PlanChange):
    organization = Visible(
        Organization, required=False, help_text="The provider; default: the token's own organization."
    )

    class Meta(PlanChange.Meta):
        fields: tuple[str, ...] = ("organization", *PlanChange.Meta.fields)


class ApplicationSerializer(serializers.ModelSerializer):
    """A developer's program: it holds subscriptions and keys."""

    class Meta:
        model = Application
        fields: tuple[str, ...] = ("id", "organization", "name", "description", "state", "created_at")
        read_only_fields: tuple[str, ...] = fields


class ApplicationInput(StrictModel):
    organization = Visible(
        Organization, required=False, help_text="The developer; default: the token's own organization."
    )

    class Meta:
        model = Application
        fields: tuple[str, ...] = ("organization", "name", "description")


class ApplicationChange(StrictModel):
    class Meta:
        model = Application
        fields: tuple[str, ...] = ("name", "description")


class SubscriptionSerializer(serializers.ModelSerializer):
    """An application's place on a plan. Usage and bills hang on it."""

    application_name = serializers.CharField(source="application.name", read_only=True)
    organization_name = serializers.CharField(source="organization.name", read_only=True)
    plan_name = serializers.CharField(source="plan.name", read_only=True)

    class Meta:
        model = Subscription
        fields: tuple[str, ...] = (
            "id",
            "organization",
            "organization_name",
            "provider",
            "application",
            "application_name",
            "plan",
            "plan_name",
            "state",
            "started_at",
            "ended_at",
        )
        read_only_fields: tuple[str, ...] = fields


def plans_to_pick(caller: Caller) -> QuerySet[UsagePlan]:
    """The plans that the caller may subscribe to: her own, and what the catalogue offers her."""
    own = caller.visible(UsagePlan)
    if caller.everything:
        return own
    offered = open_plans(caller.user).order_by().values("pk")
    return UsagePlan.objects.filter(pk__in=own.order_by().values("pk")) | UsagePlan.objects.filter(
        pk__in=offered
    )


class SubscriptionInput(Strict):
    application = Visible(Application)
    plan = Visible(UsagePlan, rows=plans_to_pick)


class KeySerializer(serializers.ModelSerializer):
    """A credential of an application. Its text is shown once, as `key`, in the answer that makes it."""

    class Meta:
        model = ApiKey
        fields: tuple[str, ...] = (
            "id",
            "organization",
            "application",
            "name",
            "environment",
            "prefix",
            "state",
            "not_before",
            "expires_at",
            "grace_until",
            "replaced_by",
            "created_at",
            "revoked_at",
            "last_used_at",
        )
        read_only_fields: tuple[str, ...] = fields


class MadeKeySerializer(KeySerializer):
    key = serializers.CharField(read_only=True, help_text="The text `gh_live_…`; shown this once.")

    class Meta(KeySerializer.Meta):
        fields: tuple[str, ...] = (*KeySerializer.Meta.fields, "key")
        read_only_fields: tuple[str, ...] = fields


class KeyInput(StrictModel):
    application = Visible(Application)

    class Meta:
        model = ApiKey
        fields: tuple[str, ...] = ("application", "name", "environment", "not_before", "expires_at")


class KeyChange(StrictModel):
    class Meta:
        model = ApiKey
        fields: tuple[str, ...] = ("name", "not_before", "expires_at")


class RotateInput(Strict):
    grace_seconds = serializers.IntegerField(
        min_value=0,
        max_value=int(MAX_GRACE.total_seconds()),
        default=int(DEFAULT_GRACE.total_seconds()),
        help_text="How long the old key works beside the new one.",
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        return {"grace": timedelta(seconds=attrs["grace_seconds"])}
