"""Deployments, stages, addresses."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from apis.models import LIVE, ApiVersion, BasePathMapping, Deployment, RequestLogging, Stage
from apis.queries import canonical_address, stage_address
from apis.stage_policies import stage_remarks
from nodes.queries import refusals_of, stage_live, stage_problem
from rest.serializers.base import Strict, Visible
from rest.serializers.policies import CanarySerializer, OperationPoliciesField, PolicyField, canary_of


class PointingStageSerializer(serializers.ModelSerializer):
    """A stage that points to the deployment, and where it answers."""

    address = serializers.SerializerMethodField()

    class Meta:
        model = Stage
        fields: tuple[str, ...] = ("id", "name", "address")
        read_only_fields: tuple[str, ...] = fields

    def get_address(self, stage: Stage) -> str:
        return stage_address(stage)


class DeploymentSerializer(serializers.ModelSerializer):
    """An immutable compiled copy of a version, and the stages that point to it now."""

    stages = PointingStageSerializer(many=True, read_only=True)
    created_by = serializers.CharField(
        source="created_by.email", default=None, read_only=True, allow_null=True, help_text="Who deployed."
    )

    class Meta:
        model = Deployment
        fields: tuple[str, ...] = (
            "id",
            "organization",
            "version",
            "number",
            "note",
            "stages",
            "created_by",
            "created_at",
        )
        read_only_fields: tuple[str, ...] = fields


class DeploymentInput(Strict):
    version = Visible(ApiVersion)
    stage = serializers.CharField(
        max_length=128, default=LIVE, help_text="Name of the stage to move; made if it is missing."
    )
    note = serializers.CharField(max_length=200, default="", allow_blank=True)


class StageSerializer(serializers.ModelSerializer):
    """A movable pointer to a deployment, with settings that hold at once."""

    variables = serializers.DictField(child=serializers.CharField(), read_only=True)
    policy = PolicyField(read_only=True, help_text="For every operation that says nothing else.")
    operation_policies = OperationPoliciesField(read_only=True, help_text="By the operation's id.")
    canary = serializers.SerializerMethodField(help_text="null = there is none.")
    address = serializers.SerializerMethodField(help_text="Where clients call it.")
    canonical_address = serializers.SerializerMethodField(
        help_text="The address that holds unless the version switched it off; then empty."
    )

    class Meta:
        model = Stage
        fields: tuple[str, ...] = (
            "id",
            "organization",
            "version",
            "name",
            "deployment",
            "variables",
            "throttle_rate",
            "throttle_burst",
            "policy",
            "operation_policies",
            "access_log",
            "compress_from",
            "request_log",
            "cache_epoch",
            "canary",
            "address",
            "canonical_address",
            "created_at",
            "updated_at",
        )
        read_only_fields: tuple[str, ...] = fields

    @extend_schema_field(CanarySerializer(allow_null=True))
    def get_canary(self, stage: Stage) -> dict[str, Any] | None:
        return canary_of(stage)

    def get_address(self, stage: Stage) -> str:
        return stage_address(stage)

    def get_canonical_address(self, stage: Stage) -> str:
        return "" if stage.version.disable_execute_api_endpoint else canonical_address(stage)


class LiveSerializer(serializers.Serializer):
    """On how many of the gateway's nodes the stage's newest state answers."""

    live = serializers.IntegerField(help_text="Nodes that run it.")
    up = serializers.IntegerField(help_text="Nodes that were seen within the last seconds.")
    problem = serializers.CharField(help_text="Why nodes do not have it; empty = they have, or will.")


class StageDetailSerializer(StageSerializer):
    nodes = serializers.SerializerMethodField()
    remarks = serializers.SerializerMethodField(
        help_text="What of the settings is odd, though it can be used."
    )

    class Meta(StageSerializer.Meta):
        fields: tuple[str, ...] = (*StageSerializer.Meta.fields, "nodes", "remarks")
        read_only_fields: tuple[str, ...] = fields

    def get_remarks(self, stage: Stage) -> list[str]:
        return stage_remarks(stage)

    @extend_schema_field(LiveSerializer)
    def get_nodes(self, stage: Stage) -> dict[str, Any]:
        live = stage_live(stage)
        problem = stage_problem(stage) or "; ".join(
            sorted({why for _, why in refusals_of("stage", stage.pk)})
        )
        return {"live": live.live, "up": live.up, "problem": problem}


class StageChange(Strict):
    variables = serializers.DictField(
        child=serializers.CharField(allow_blank=True, max_length=512, trim_whitespace=False),
        required=False,
        help_text="Stage variables: the whole new set.",
    )
    throttle_rate = serializers.FloatField(
        required=False,
        allow_null=True,
        min_value=0,
        help_text="Calls a second over all callers; null = no limit.",
    )
    throttle_burst = serializers.IntegerField(
        required=False, allow_null=True, min_value=0, max_value=2_000_000_000, help_text="Calls at once."
    )
    policy = PolicyField(required=False, help_text="The whole new one; {} = none.")
    operation_policies = OperationPoliciesField(
        required=False, help_text="By the operation's id: the whole new set. See also stages/{id}/operations."
    )
    access_log = serializers.CharField(
        required=False,
        allow_blank=True,
        help_text="One line with AWS's $context variables, $context.requestId among them; empty = no log.",
    )
    compress_from = serializers.IntegerField(
        required=False, allow_null=True, help_text="Bytes; null = as the version's document says."
    )
    request_log = serializers.ChoiceField(
        choices=RequestLogging.choices,
        required=False,
        help_text="Which calls may be in the request log; a plan's narrower setting goes before it.",
    )


class PromoteInput(Strict):
    to = serializers.CharField(
        max_length=128, help_text="Name (or id) of the stage that shall point to this stage's deployment."
    )


class CanaryChange(Strict):
    """What is left out stays as it is; a new canary has the stage's own deployment and 0 percent."""

    deployment = Visible(Deployment, required=False)
    percent = serializers.FloatField(required=False, help_text="0 to 100.")
    variables = serializers.DictField(
        child=serializers.CharField(allow_blank=True, max_length=512, trim_whitespace=False), required=False
    )
    use_cache = serializers.BooleanField(
        required=False, help_text="Whether the canary's answers are cached, too; never with the stage's."
    )


class RollBackInput(Strict):
    deployment = Visible(
        Deployment, required=False, help_text="An earlier deployment; default: the one before the current."
    )


class MappingSerializer(serializers.ModelSerializer):
    """Host and base path at which a stage answers."""

    class Meta:
        model = BasePathMapping
        fields: tuple[str, ...] = ("id", "organization", "stage", "host", "base_path")
        read_only_fields: tuple[str, ...] = fields


class MappingInput(Strict):
    stage = Visible(Stage)
    host = serializers.CharField(
        max_length=253, default="", allow_blank=True, help_text="api.example.com; empty = the shared host."
    )
    base_path = serializers.CharField(
        max_length=200,
        default="",
        allow_blank=True,
        help_text="Without slashes at its ends; empty = the root.",
    )


class MappingChange(Strict):
    stage = Visible(Stage, help_text="The stage that answers there from now on.")
