"""Webhooks: endpoints and deliveries."""

from rest_framework import serializers

from accounts.models import Organization, WebhookDelivery, WebhookEndpoint
from accounts.webhooks.catalogue import EVENT_TYPES
from accounts.webhooks.models import EndpointState
from rest.serializers.base import Strict, StrictModel, Visible


def _event_types() -> serializers.ListField:
    return serializers.ListField(
        child=serializers.ChoiceField(choices=sorted(EVENT_TYPES)), required=False, help_text="[] = all."
    )


class WebhookSerializer(serializers.ModelSerializer):
    """Where events are sent. The secret that signs them is shown once, when it is made."""

    state = serializers.ChoiceField(choices=EndpointState.choices, read_only=True)
    event_types = serializers.ListField(child=serializers.CharField(), read_only=True, help_text="[] = all.")

    class Meta:
        model = WebhookEndpoint
        fields: tuple[str, ...] = (
            "id",
            "organization",
            "url",
            "description",
            "event_types",
            "enabled",
            "state",
            "failing_since",
            "disabled_reason",
            "old_secret_until",
            "created_at",
        )
        read_only_fields: tuple[str, ...] = fields


class MadeWebhookSerializer(WebhookSerializer):
    secret = serializers.CharField(read_only=True, help_text="`whsec_…`, shown this once.")

    class Meta(WebhookSerializer.Meta):
        fields: tuple[str, ...] = (*WebhookSerializer.Meta.fields, "secret")
        read_only_fields: tuple[str, ...] = fields


class WebhookInput(StrictModel):
    organization = Visible(Organization, required=False, help_text="Default: the token's own.")
    event_types = _event_types()

    class Meta:
        model = WebhookEndpoint
        fields: tuple[str, ...] = ("organization", "url", "description", "event_types")


class WebhookChange(StrictModel):
    event_types = _event_types()

    class Meta:
        model = WebhookEndpoint
        fields: tuple[str, ...] = ("url", "description", "event_types", "enabled")


class RotateSecretInput(Strict):
    overlap_seconds = serializers.IntegerField(
        min_value=0,
        max_value=604_800,
        default=86_400,
        help_text="How long the old secret signs beside the new one; at most 7 days.",
    )


class AttemptSerializer(serializers.Serializer):
    at = serializers.DateTimeField()
    status = serializers.IntegerField(allow_null=True, help_text="null = there was no answer.")
    ms = serializers.IntegerField()
    problem = serializers.CharField(help_text="Empty = delivered.")
    response = serializers.CharField(help_text="The first bytes of the answer.")


class WebhookDeliverySerializer(serializers.ModelSerializer):
    """One event on its way to one endpoint."""

    webhook = serializers.CharField(source="endpoint_id", read_only=True)
    event = serializers.CharField(source="event_id", read_only=True, help_text="The header `webhook-id`.")
    type = serializers.CharField(source="event.type", read_only=True)
    data = serializers.JSONField(source="event.data", read_only=True)  # type: ignore[assignment]
    attempts = AttemptSerializer(many=True, read_only=True)

    class Meta:
        model = WebhookDelivery
        fields: tuple[str, ...] = (
            "id",
            "organization",
            "webhook",
            "event",
            "type",
            "data",
            "state",
            "tries",
            "next_try_at",
            "attempts",
            "created_at",
        )
        read_only_fields: tuple[str, ...] = fields
