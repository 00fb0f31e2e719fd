"""Policies of stages, operations and documents. Their rules are `apis.policy`'s; here they are described."""

from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from apis.policy.cache import INVALIDATIONS, LONGEST_TTL
from apis.policy.cors import LONGEST_AGE
from apis.policy.key_source import PLACES
from apis.policy.policy import MOST_ATTEMPTS, RETRY_ON
from apis.policy.sizes import BODY_AT_MOST, COMPRESS_AT_MOST
from rest.serializers.base import Strict


class ThrottleSerializer(serializers.Serializer):
    """A token bucket of each operation's own; 0 blocks."""

    rate = serializers.FloatField(min_value=0, help_text="Calls a second.")
    burst = serializers.IntegerField(min_value=0, help_text="Calls at once.")


class IpSerializer(serializers.Serializer):
    """Addresses and networks (CIDR). Denied wins; an empty `allow` lets everybody in who is not denied."""

    allow = serializers.ListField(child=serializers.CharField(), required=False)
    deny = serializers.ListField(child=serializers.CharField(), required=False)


class CorsSerializer(serializers.Serializer):
    """What the gate answers to browsers of other origins, in place of the backend's CORS headers."""

    origins = serializers.ListField(
        child=serializers.CharField(), help_text="*, https://app.example.com or https://*.example.com."
    )
    methods = serializers.ListField(child=serializers.CharField(), required=False, help_text="Default: all.")
    headers = serializers.ListField(child=serializers.CharField(), required=False)
    expose = serializers.ListField(child=serializers.CharField(), required=False)
    max_age = serializers.IntegerField(required=False, min_value=-1, max_value=LONGEST_AGE)
    credentials = serializers.BooleanField(required=False)


class CachePolicySerializer(serializers.Serializer):
    """Answers to GET that are kept."""

    ttl = serializers.IntegerField(min_value=0, max_value=LONGEST_TTL, help_text="Seconds; 0 = not kept.")
    keys = serializers.ListField(
        child=serializers.CharField(),
        required=False,
        help_text="query.NAME, header.NAME, path.NAME: what tells answers apart. Default: the path alone.",
    )
    invalidation = serializers.ChoiceField(
        INVALIDATIONS, required=False, help_text="What `Cache-Control: max-age=0` does. Default: warn."
    )


class RetriesSerializer(serializers.Serializer):
    """More tries, at other addresses of the backend."""

    attempts = serializers.IntegerField(min_value=0, max_value=MOST_ATTEMPTS)
    on = serializers.ListField(
        child=serializers.ChoiceField(RETRY_ON), required=False, help_text="Default: error."
    )


class PolicySerializer(serializers.Serializer):
    """A policy. A field that is absent is left to the broader level; null asks for nothing."""

    throttle = ThrottleSerializer(required=False, allow_null=True)
    ip = IpSerializer(required=False, allow_null=True)
    cors = CorsSerializer(required=False, allow_null=True)
    cache = CachePolicySerializer(required=False, allow_null=True)
    retries = RetriesSerializer(required=False, allow_null=True)
    timeout_ms = serializers.IntegerField(
        required=False, allow_null=True, min_value=50, help_text="Longest wait for the backend."
    )
    max_body = serializers.IntegerField(
        required=False, allow_null=True, min_value=0, max_value=BODY_AT_MOST, help_text="Bytes of a request."
    )


class KeySourceSerializer(serializers.Serializer):
    """Where a caller's API key is."""

    place = serializers.ChoiceField(PLACES)
    name = serializers.CharField(required=False, help_text="Of the header (default x-api-key) or parameter.")


class GatewayResponseSerializer(serializers.Serializer):
    """How refusals of one type look."""

    status = serializers.IntegerField(required=False, min_value=200, max_value=599)
    headers = serializers.DictField(
        child=serializers.CharField(),
        required=False,
        help_text="'a text' in single quotes, context.x, method.request.header.x or stageVariables.x.",
    )
    templates = serializers.DictField(
        child=serializers.CharField(), required=False, help_text="Media type -> body, with $context.x."
    )


class Unread(serializers.JSONField):
    """JSON that the verb reads and judges; the schema shows its shape."""

    default_error_messages: ClassVar = {"invalid": "Give JSON."}


@extend_schema_field(PolicySerializer)
class PolicyField(Unread):
    pass


@extend_schema_field(serializers.DictField(child=PolicySerializer()))
class OperationPoliciesField(Unread):
    pass


@extend_schema_field(KeySourceSerializer)
class KeySourceField(Unread):
    pass


@extend_schema_field(serializers.DictField(child=GatewayResponseSerializer()))
class ResponsesField(Unread):
    pass


@extend_schema_field(RetriesSerializer)
class RetriesField(Unread):
    pass


class PolicyInput(Strict):
    """A policy; the whole new one."""

    policy = PolicyField()


class OperationPolicySerializer(serializers.Serializer):
    """An operation's own policy at one place, and what holds."""

    operation = serializers.CharField(help_text="Its id.")
    policy = PolicyField(help_text="Its own; {} = none.")
    effective = PolicyField(help_text="What holds, from all levels.")
    levels = OperationPoliciesField(
        help_text="The policy of each level, most specific first: stage_operation, document_operation, stage, "
        "document."
    )


class DocumentPolicySerializer(serializers.Serializer):
    """An operation's own policy in the version's document."""

    operation = serializers.CharField(help_text="Its id.")
    policy = PolicyField(help_text="{} = none.")


class DocumentSettingsSerializer(serializers.Serializer):
    """What a version's document says for all of its operations. A deployment makes it live."""

    policy = PolicyField()
    key_source = KeySourceField(allow_null=True, help_text="null = the header x-api-key.")
    responses = ResponsesField(help_text="Gateway responses by AWS's type, such as THROTTLED or DEFAULT_4XX.")
    compress_from = serializers.IntegerField(
        allow_null=True,
        min_value=0,
        max_value=COMPRESS_AT_MOST,
        help_text="Answers of so many bytes are compressed; null = none.",
    )


class DocumentSettingsChange(Strict):
    policy = PolicyField(required=False, allow_null=True)
    key_source = KeySourceField(required=False, allow_null=True)
    responses = ResponsesField(required=False, allow_null=True)
    compress_from = serializers.IntegerField(required=False, allow_null=True)


class CanarySerializer(serializers.Serializer):
    """Another deployment that gets part of the stage's calls."""

    deployment = serializers.CharField(source="canary_deployment_id", help_text="Id of the deployment.")
    percent = serializers.FloatField(source="canary_percent", help_text="Of the calls, drawn for each call.")
    variables = serializers.DictField(
        source="canary_variables", child=serializers.CharField(), help_text="Over the stage's variables."
    )
    use_cache = serializers.BooleanField(source="canary_use_cache")


def canary_of(stage: Any) -> dict[str, Any] | None:
    """Return a stage's canary; None = there is none."""
    return dict(CanarySerializer(stage).data) if stage.canary_deployment_id else None
