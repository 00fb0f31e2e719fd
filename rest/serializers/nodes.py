"""Gateway nodes."""

from rest_framework import serializers

from nodes.models import Installation, Node
from rest.serializers.base import StrictModel


class NodeSerializer(serializers.ModelSerializer):
    """A gateway node, and what it last said of itself."""

    status = serializers.DictField(read_only=True)

    class Meta:
        model = Node
        fields: tuple[str, ...] = (
            "id",
            "name",
            "token_prefix",
            "enabled",
            "generation",
            "version",
            "status",
            "last_seen_at",
            "created_at",
        )
        read_only_fields: tuple[str, ...] = fields


class MadeNodeSerializer(NodeSerializer):
    token = serializers.CharField(
        read_only=True, help_text="The text `ghn_…` that the node signs in with; shown this once."
    )

    class Meta(NodeSerializer.Meta):
        fields: tuple[str, ...] = (*NodeSerializer.Meta.fields, "token")
        read_only_fields: tuple[str, ...] = fields


class NodeInput(StrictModel):
    name = serializers.CharField(max_length=80)

    class Meta:
        model = Node
        fields: tuple[str, ...] = ("name",)


class InstallationSerializer(StrictModel):
    """Limits over everything that the installation serves; both null = none."""

    class Meta:
        model = Installation
        fields: tuple[str, ...] = ("throttle_rate", "throttle_burst")
