"""The catalogue as a developer sees it."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from access.models import UsagePlan
from apis.models import Api, ApiVersion
from apis.queries import live_stage, stage_address
from rest.serializers.access import LIMITS


class OfferedPlanSerializer(serializers.ModelSerializer):
    """A plan to subscribe to: `POST subscriptions` with its id."""

    class Meta:
        model = UsagePlan
        fields = ("id", "name", "description", "requires_approval", *LIMITS, "position")
        read_only_fields = fields


class OfferedVersionSerializer(serializers.ModelSerializer):
    """A version that answers calls. Its document for developers is at `catalogue/{api}/{version}`."""

    address = serializers.SerializerMethodField(help_text="Where clients call it.")
    plans = serializers.SerializerMethodField()

    class Meta:
        model = ApiVersion
        fields = ("id", "name", "state", "deprecated_at", "sunset_at", "address", "plans")
        read_only_fields = fields

    def get_address(self, version: ApiVersion) -> str:
        stage = live_stage(version)
        return stage_address(stage) if stage else ""

    @extend_schema_field(OfferedPlanSerializer(many=True))
    def get_plans(self, version: ApiVersion) -> Any:
        stage = live_stage(version)
        return OfferedPlanSerializer(stage.usage_plans.all() if stage else (), many=True).data


class OfferSerializer(serializers.ModelSerializer):
    """An API that can be called, its versions and the plans that open them."""

    provider_name = serializers.CharField(source="organization.name", read_only=True)
    versions = OfferedVersionSerializer(many=True, read_only=True)

    class Meta:
        model = Api
        fields = (
            "id",
            "name",
            "slug",
            "summary",
            "description",
            "category",
            "tags",
            "provider_name",
            "versions",
        )
        read_only_fields = fields
