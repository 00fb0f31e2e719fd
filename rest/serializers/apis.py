"""APIs, versions, operations, backends, deployments, stages, addresses."""

from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from accounts.models import Organization
from apis.models import Api, ApiVersion, Backend, Operation
from apis.openapi.operation_edits import METHODS
from rest.caller import Caller
from rest.serializers.base import Strict, StrictModel, Visible
from rest.serializers.policies import RetriesField, Unread

OWNER_HELP = "The provider; default: the token's own organization."


class ApiSerializer(serializers.ModelSerializer):
    """A product: a name in the catalogue under which versions are published."""

    class Meta:
        model = Api
        fields: tuple[str, ...] = (
            "id",
            "organization",
            "name",
            "slug",
            "summary",
            "description",
            "visibility",
            "category",
            "tags",
            "region",
            "created_at",
        )
        read_only_fields: tuple[str, ...] = fields


class ApiInput(StrictModel):
    organization = Visible(Organization, required=False, help_text=OWNER_HELP)
    slug = serializers.CharField(
        max_length=60, required=False, help_text="First part of the address; default: made from the name."
    )

    class Meta:
        model = Api
        fields: tuple[str, ...] = (
            "organization",
            "name",
            "slug",
            "summary",
            "description",
            "visibility",
            "category",
            "tags",
            "region",
        )


class ApiChange(StrictModel):
    class Meta:
        model = Api
        fields: tuple[str, ...] = (
            "name",
            "summary",
            "description",
            "visibility",
            "category",
            "tags",
            "region",
        )


class ChangeSerializer(serializers.Serializer):
    """One line of a changelog. `breaking` = calls that were right before may fail, or lack what they read."""

    kind = serializers.CharField(help_text="added, changed, deprecated or removed.")
    method = serializers.CharField()
    path = serializers.CharField()
    message = serializers.CharField()
    breaking = serializers.BooleanField()


class TargetSerializer(serializers.Serializer):
    """A further server, of the same scheme and path as the first."""

    url = serializers.CharField()
    weight = serializers.IntegerField(required=False, min_value=1, max_value=1_000, help_text="Default: 1.")


class HealthSerializer(serializers.Serializer):
    """After `failures` in a row an address rests for `rest_ms`, then gets one call on trial."""

    failures = serializers.IntegerField(min_value=1, max_value=1_000)
    rest_ms = serializers.IntegerField(min_value=100, max_value=3_600_000)


@extend_schema_field(TargetSerializer(many=True))
class TargetsField(Unread):
    pass


@extend_schema_field(HealthSerializer)
class HealthField(Unread):
    pass


BACKEND_FIELDS = (
    "name",
    "url",
    "weight",
    "targets",
    "health",
    "retries",
    "connect_timeout_ms",
    "timeout_ms",
)


class BackendSerializer(serializers.ModelSerializer):
    """The provider's server, or servers, behind a version."""

    targets = TargetsField(read_only=True)
    health = HealthField(read_only=True, allow_null=True)
    retries = RetriesField(read_only=True, allow_null=True)

    class Meta:
        model = Backend
        fields: tuple[str, ...] = ("id", "organization", *BACKEND_FIELDS, "client_certificate", "created_at")
        read_only_fields: tuple[str, ...] = fields


class ProbeStepSerializer(serializers.Serializer):
    """`good` null = not tried, because the control plane may not call such an address."""

    name = serializers.ChoiceField(choices=("Name", "Connection", "TLS", "Answer"))
    good = serializers.BooleanField(allow_null=True)
    text = serializers.CharField()
    ms = serializers.FloatField(allow_null=True)


class ProbeSerializer(serializers.Serializer):
    """A test of a backend's URL, made by the control plane."""

    url = serializers.CharField()
    good = serializers.BooleanField()
    steps = ProbeStepSerializer(many=True)


class BackendChange(StrictModel):
    targets = TargetsField(required=False, help_text="Further servers: the whole new list.")
    health = HealthField(required=False, allow_null=True, help_text="null = servers never rest.")
    retries = RetriesField(
        required=False, allow_null=True, help_text="For operations whose policies do not speak of retries."
    )

    class Meta:
        model = Backend
        fields: tuple[str, ...] = BACKEND_FIELDS


class BackendInput(BackendChange):
    organization = Visible(Organization, required=False, help_text=OWNER_HELP)

    class Meta(BackendChange.Meta):
        fields: tuple[str, ...] = ("organization", *BACKEND_FIELDS)


class FindingSerializer(serializers.Serializer):
    """What the importer noticed in the document."""

    level = serializers.CharField(help_text="error, warning or info.")
    pointer = serializers.CharField(help_text="JSON pointer (RFC 6901) into the document.")
    message = serializers.CharField()


class VersionSerializer(serializers.ModelSerializer):
    """One version of an API. Its document is at `versions/{id}/document`."""

    findings = FindingSerializer(many=True, read_only=True)

    class Meta:
        model = ApiVersion
        fields: tuple[str, ...] = (
            "id",
            "organization",
            "api",
            "name",
            "state",
            "backend",
            "key_required",
            "disable_execute_api_endpoint",
            "findings",
            "deprecated_at",
            "sunset_at",
            "created_at",
            "updated_at",
        )
        read_only_fields: tuple[str, ...] = fields


DOCUMENT_SCHEMA = {
    "oneOf": [{"type": "object", "additionalProperties": {}}, {"type": "string"}],
    "description": "The OpenAPI document itself: as an object, or as JSON or YAML text.",
}


@extend_schema_field(DOCUMENT_SCHEMA)
class DocumentField(serializers.Field):
    """OpenAPI 3.0, 3.1 or Swagger 2.0: an object, or text in JSON or YAML."""

    default_error_messages: ClassVar = {"invalid": "Give the document as an object, or as JSON or YAML text."}

    def to_internal_value(self, data: Any) -> Any:
        if not isinstance(data, dict | str) or not data:
            self.fail("invalid")
        return data

    def to_representation(self, value: Any) -> Any:
        return value


class DocumentSources(Strict):
    """The three ways to give a document; one of them."""

    document = DocumentField(required=False)
    document_url = serializers.CharField(
        required=False, max_length=2000, help_text="Where Gatehouse fetches the document now (http or https)."
    )
    file = serializers.FileField(required=False, help_text="The document as an upload (multipart/form-data).")

    sources_needed = True

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        given = [name for name in ("document", "document_url", "file") if name in attrs]
        if len(given) > 1:
            raise serializers.ValidationError(
                {given[1]: "Give one of document, document_url and file, not several."}, code="ambiguous"
            )
        if self.sources_needed and not given:
            raise serializers.ValidationError(
                {"document": "Give the OpenAPI document: document, document_url or file."}, code="required"
            )
        return attrs


class VersionInput(DocumentSources):
    api = Visible(Api)
    name = serializers.CharField(max_length=40, help_text="Second part of the address, such as v1.")
    backend = Visible(
        Backend,
        Caller.backends,
        required=False,
        allow_null=True,
        help_text="Where operations without an integration of their own go.",
    )
    key_required = serializers.BooleanField(
        default=True, help_text="Whether operations need an API key where the document does not say."
    )


class VersionChange(DocumentSources):
    """A newer document, or another backend. Nothing goes live before the next deployment."""

    backend = Visible(Backend, Caller.backends, required=False, allow_null=True)
    key_required = serializers.BooleanField(
        required=False, help_text="Whether operations need an API key where the document does not say."
    )
    disable_execute_api_endpoint = serializers.BooleanField(
        required=False, help_text="Answer at base path mappings only; holds at once."
    )

    sources_needed = False


class DeprecateInput(Strict):
    sunset_at = serializers.DateTimeField(
        required=False, allow_null=True, help_text="When it will stop answering, if that is known."
    )


class OperationSerializer(serializers.ModelSerializer):
    """Method and path of a version's document."""

    class Meta:
        model = Operation
        fields: tuple[str, ...] = (
            "id",
            "organization",
            "version",
            "method",
            "path",
            "operation_id",
            "summary",
            "tag",
            "key_required",
            "integration_type",
            "unserved_reason",
            "position",
            "removed_at",
        )
        read_only_fields: tuple[str, ...] = fields


class OperationInput(Strict):
    version = Visible(ApiVersion)
    method = serializers.ChoiceField(choices=METHODS)
    path = serializers.CharField(max_length=2_000, help_text="Such as /orders/{id}.")
    summary = serializers.CharField(max_length=300, required=False, allow_blank=True)


class OperationChange(Strict):
    key_required = serializers.BooleanField(required=False, help_text="Holds from the next deployment.")
    summary = serializers.CharField(
        max_length=300, required=False, allow_blank=True, help_text="Written into the document."
    )
