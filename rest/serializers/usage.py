"""Usage: what may be asked, and the numbers."""

from datetime import timedelta
from typing import Any, get_args

from django.utils.timezone import now
from rest_framework import serializers

from accounts.models import Organization
from metering.queries import Dimension, Step
from rest.serializers.base import StrictQuery, Visible
from rest.serializers.billing import Amount

DEFAULT_SPAN = timedelta(days=1)
PARTS = ("api", "version", "stage", "operation", "application", "subscription", "key")


class UsageQuery(StrictQuery):
    """The query parameters of `GET usage`."""

    start = serializers.DateTimeField(
        required=False, help_text="Inclusive; default: a day before `end`. Such as 2026-11-01T00:00:00Z."
    )
    end = serializers.DateTimeField(required=False, help_text="Exclusive; default: now.")
    step = serializers.ChoiceField(
        choices=list(get_args(Step)),
        required=False,
        help_text="Of the series; default: what gives a readable chart. Made coarser where that is too many.",
    )
    by = serializers.ChoiceField(
        choices=list(get_args(Dimension)), required=False, help_text="Adds a breakdown by this dimension."
    )
    limit = serializers.IntegerField(
        min_value=1, max_value=500, default=50, help_text="Rows of the breakdown, most calls first."
    )
    side = serializers.ChoiceField(
        choices=["provider", "developer"],
        required=False,
        help_text="Calls to your APIs, or calls with your keys; default: provider if you have APIs.",
    )
    organization = Visible(
        Organization, required=False, help_text="Whose usage; default: the token's own organization."
    )
    api = serializers.CharField(required=False, max_length=10, help_text="Id of an API.")
    version = serializers.CharField(required=False, max_length=10, help_text="Id of a version.")
    stage = serializers.CharField(required=False, max_length=10, help_text="Id of a stage.")
    operation = serializers.CharField(required=False, max_length=10, help_text="Id of an operation.")
    application = serializers.CharField(required=False, max_length=10, help_text="Id of an application.")
    subscription = serializers.CharField(required=False, max_length=10, help_text="Id of a subscription.")
    key = serializers.CharField(required=False, max_length=10, help_text="Id of a key (not its text).")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        end = attrs.setdefault("end", now())
        start = attrs.setdefault("start", end - DEFAULT_SPAN)
        if start >= end:
            raise serializers.ValidationError({"start": "`start` must be before `end`."}, code="order")
        return attrs


class EstimateQuery(StrictQuery):
    organization = Visible(
        Organization, required=False, help_text="Whose month; default: the token's own organization."
    )
    at = serializers.DateTimeField(required=False, help_text="A moment in the month; default: now.")


class SummarySerializer(serializers.Serializer):
    """Totals. Bytes include headers; latencies are milliseconds (null = no calls)."""

    calls = serializers.IntegerField()
    accepted = serializers.IntegerField(help_text="Those that count for the bill.")
    errors_4xx = serializers.IntegerField()
    errors_5xx = serializers.IntegerField()
    bytes_out = serializers.IntegerField()
    bytes_in = serializers.IntegerField()
    p50 = serializers.FloatField(allow_null=True)
    p90 = serializers.FloatField(allow_null=True)
    p99 = serializers.FloatField(allow_null=True)
    average = serializers.FloatField(allow_null=True)
    cache_hits = serializers.IntegerField(help_text="Answered from the stage's cache.")
    cache_misses = serializers.IntegerField(help_text="Looked into the cache in vain.")
    cache_hit_rate = serializers.FloatField(allow_null=True, help_text="0 to 1; null = no call looked.")


class BucketSerializer(SummarySerializer):
    """One step of the series."""

    at = serializers.DateTimeField(help_text="Its start.")


class PartSerializer(SummarySerializer):
    """One row of the breakdown."""

    id = serializers.CharField(
        help_text="Id of the thing (or the status class, the verdict, `canary` or `base`); empty = none."
    )
    name = serializers.CharField()

    def to_representation(self, instance: Any) -> dict[str, Any]:
        totals = SummarySerializer(instance.totals).data
        return {"id": instance.key, "name": instance.name, **totals}


class MeterTotalSerializer(serializers.Serializer):
    """One of the meters beyond calls: cache-hours, or a provider's own."""

    provider = serializers.CharField(help_text="Id of the organization whose meter it is.")
    meter = serializers.CharField(help_text="Its code.")
    name = serializers.CharField()
    unit = serializers.CharField()
    value = Amount(
        max_digits=60, help_text="Over the span: of each subscription as the meter adds up, then their sum."
    )


class UsageSerializer(serializers.Serializer):
    """Usage of a span: totals, totals over time, and (with `by`) its parts."""

    start = serializers.DateTimeField()
    end = serializers.DateTimeField()
    side = serializers.CharField(allow_null=True, help_text="null = staff, over all organizations.")
    organization = serializers.CharField(allow_null=True)
    behind_seconds = serializers.FloatField(
        help_text="Age of the oldest counts that are not added up yet; 0 = nothing waits."
    )
    summary = SummarySerializer()
    series = BucketSerializer(many=True)
    meters = MeterTotalSerializer(many=True, help_text="Empty where a part of the calls is asked for.")
    by = serializers.CharField(allow_null=True)
    breakdown = PartSerializer(many=True)
