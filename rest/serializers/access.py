"""Usage plans, applications, subscriptions, keys."""

from datetime import timedelta
from typing import Any

from django.db.models import QuerySet
from rest_framework import serializers

from access.keys import CHANGEABLE, DEFAULT_GRACE
from access.limits import notes_on
from access.models import ApiKey, Application, PlanThrottle, Subscription, UsagePlan
from access.periods import When
from access.queries import open_plans
from accounts.models import Organization
from accounts.texts import LONGEST_REASON
from apis.models import Operation, Stage
from billing.models import RateCard
from rest.caller import Caller
from rest.serializers.base import Strict, StrictModel, Visible

LIMITS = [
    "throttle_rate",
    "throttle_burst",
    "quota_limit",
    "quota_period",
    "quota_offset",
    "quota_scope",
    "quota_offline_allowance",
    "counters_on_change",
]
PLAN_FIELDS = [
    "name",
    "description",
    "visibility",
    "requires_approval",
    *LIMITS,
    "request_log",
    "stages",
    "position",
]
MAX_GRACE = timedelta(days=90)


class PlanSerializer(serializers.ModelSerializer):
    """Throttle, quota, price, and the stages that they open.

    The throttle counts per subscription, the quota by its scope. A week begins on Monday; periods follow the
    calendar of the developer's time zone.
    """

    stages: serializers.ManyRelatedField = serializers.PrimaryKeyRelatedField(  # type: ignore[assignment]
        many=True, read_only=True
    )
    rate_card = serializers.CharField(
        source="price.rate_card_id", default=None, read_only=True, allow_null=True, help_text="null = free."
    )

    notes = serializers.SerializerMethodField(
        help_text="Where a narrower limit lies above a broader one, which then is what holds."
    )

    class Meta:
        model = UsagePlan
        fields: tuple[str, ...] = ("id", "organization", *PLAN_FIELDS, "rate_card", "notes", "created_at")
        read_only_fields: tuple[str, ...] = fields

    def get_notes(self, plan: UsagePlan) -> list[str]:
        return notes_on(plan)


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


class PlanThrottleSerializer(serializers.ModelSerializer):
    """A plan's limit for an operation; a bucket of its own for each subscription, beside the plan's."""

    class Meta:
        model = PlanThrottle
        fields: tuple[str, ...] = ("id", "organization", "plan", "stage", "operation", "rate", "burst")
        read_only_fields: tuple[str, ...] = fields


class PlanThrottleChange(StrictModel):
    rate = serializers.FloatField(help_text="Calls a second; 0 = block.")
    burst = serializers.IntegerField(min_value=0, help_text="How many calls may come at once.")

    class Meta:
        model = PlanThrottle
        fields: tuple[str, ...] = ("rate", "burst")


class PlanThrottleInput(PlanThrottleChange):
    plan = Visible(UsagePlan)
    stage = Visible(Stage, help_text="A stage that the plan opens.")
    operation = Visible(
        Operation,
        required=False,
        allow_null=True,
        help_text="null = every operation of the stage that has none of its own.",
    )

    class Meta(PlanThrottleChange.Meta):
        fields: tuple[str, ...] = ("plan", "stage", "operation", *PlanThrottleChange.Meta.fields)


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
            "next_plan",
            "next_plan_at",
            "next_plan_waits",
            "cancel_at",
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


def keys_to_adjust(caller: Caller) -> QuerySet[ApiKey]:
    """The keys whose quota the caller may set: those of her subscribers."""
    sold = caller.visible(Subscription).order_by().values("application")
    return ApiKey.objects.filter(application__in=sold)


class SubscriptionInput(Strict):
    application = Visible(Application)
    plan = Visible(UsagePlan, rows=plans_to_pick)


class ChangePlanInput(Strict):
    plan = Visible(UsagePlan, rows=plans_to_pick, help_text="A plan of the same provider.")
    at = serializers.ChoiceField(choices=When.choices, default=When.NOW)


class CancelInput(Strict):
    at = serializers.ChoiceField(choices=When.choices, default=When.NOW)


class RefuseInput(Strict):
    reason = serializers.CharField(max_length=LONGEST_REASON, help_text="The developer reads it.")


class RemainingInput(Strict):
    remaining = serializers.IntegerField(
        min_value=0, help_text="Calls that are let in from now on until the period ends."
    )
    key = Visible(
        ApiKey,
        rows=keys_to_adjust,
        required=False,
        help_text="Which key, where each has a quota of its own.",
    )


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
            "ips",
            "referrers",
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


class KeyChange(StrictModel):
    ips = serializers.ListField(
        child=serializers.CharField(max_length=60),
        required=False,
        help_text="Networks (CIDR) that may use it, such as 203.0.113.0/24; [] = any.",
    )
    referrers = serializers.ListField(
        child=serializers.CharField(max_length=260),
        required=False,
        help_text="Hosts of the pages that may use it, such as *.example.com; [] = any.",
    )

    class Meta:
        model = ApiKey
        fields: tuple[str, ...] = CHANGEABLE


class KeyInput(KeyChange):
    application = Visible(Application)

    class Meta(KeyChange.Meta):
        fields: tuple[str, ...] = ("application", "environment", *CHANGEABLE)


class RotateInput(Strict):
    grace_seconds = serializers.IntegerField(
        min_value=0,
        max_value=int(MAX_GRACE.total_seconds()),
        default=int(DEFAULT_GRACE.total_seconds()),
        help_text="How long the old key works beside the new one.",
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        return {"grace": timedelta(seconds=attrs["grace_seconds"])}
