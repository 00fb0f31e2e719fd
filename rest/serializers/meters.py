"""Providers' own meters, their events, and what is billed."""

from typing import Any

from rest_framework import serializers

from accounts.models import Organization
from metering.events import Event
from metering.models import Aggregation, BillableRule, CustomMeter
from rest.serializers.base import Strict, StrictModel, Visible


class CustomMeterSerializer(serializers.ModelSerializer):
    """Something that a provider counts itself; `code` is what events and prices call it."""

    class Meta:
        model = CustomMeter
        fields: tuple[str, ...] = (
            "id",
            "organization",
            "code",
            "name",
            "unit",
            "aggregation",
            "archived_at",
            "created_at",
        )
        read_only_fields: tuple[str, ...] = fields


class MeterChange(StrictModel):
    class Meta:
        model = CustomMeter
        fields: tuple[str, ...] = ("name", "unit")


class MeterInput(StrictModel):
    organization = Visible(
        Organization, required=False, help_text="The provider; default: the token's own organization."
    )
    aggregation = serializers.ChoiceField(choices=Aggregation.choices, default=Aggregation.SUM)

    class Meta:
        model = CustomMeter
        fields: tuple[str, ...] = ("organization", "code", "name", "unit", "aggregation")


class BillableRuleSerializer(serializers.ModelSerializer):
    """Which calls of a provider's APIs are billed from a moment on."""

    class Meta:
        model = BillableRule
        fields: tuple[str, ...] = (
            "id",
            "organization",
            "effective_from",
            "verdicts",
            "status_classes",
            "created_at",
        )
        read_only_fields: tuple[str, ...] = fields


class BillableRuleInput(Strict):
    organization = Visible(
        Organization, required=False, help_text="The provider; default: the token's own organization."
    )
    verdicts = serializers.ListField(
        child=serializers.CharField(max_length=40, allow_blank=True),
        help_text="Such as THROTTLED; '' = the backend answered.",
    )
    status_classes = serializers.ListField(
        child=serializers.IntegerField(min_value=1, max_value=5), help_text="2 = all 2xx."
    )
    effective_from = serializers.DateTimeField(
        required=False, help_text="A whole minute, never past; default: the next."
    )


class ValueField(serializers.CharField):
    """A number or a text, as text."""

    def to_internal_value(self, data: Any) -> str:
        number = isinstance(data, int | float) and not isinstance(data, bool)
        return super().to_internal_value(str(data) if number else data)


class EventData(serializers.Serializer):
    value = ValueField(max_length=200, help_text="A decimal number, best as text; any text for unique_count.")


class MeterEventInput(serializers.Serializer):
    """A CloudEvent. Attributes that it may have besides (`dataschema`, extensions) are passed over."""

    specversion = serializers.ChoiceField(choices=["1.0"])
    id = serializers.CharField(
        max_length=200, help_text="With `source` it names the event; a repeat counts once."
    )
    source = serializers.CharField(max_length=200)  # type: ignore[assignment]
    type = serializers.CharField(max_length=40, help_text="Code of the meter.")
    subject = serializers.CharField(max_length=10, help_text="Id of the subscription.")
    time = serializers.DateTimeField(
        required=False, help_text="When it happened; default: now. At most 35 days past."
    )
    data = EventData()  # type: ignore[assignment]

    def to_event(self, data: dict[str, Any]) -> Event:
        return Event(
            id=data["id"],
            source=data["source"],
            meter=data["type"],
            subscription_id=data["subject"],
            value=data["data"]["value"],
            at=data.get("time"),
        )


class TakenSerializer(serializers.Serializer):
    """What became of the events, in their order."""

    accepted = serializers.IntegerField(help_text="Counted now.")
    repeated = serializers.IntegerField(help_text="Counted before, so not again.")
    results = serializers.ListField(child=serializers.ChoiceField(choices=["accepted", "repeated"]))
