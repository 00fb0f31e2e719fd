"""Closings of months."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from billing.models import BillingRun
from billing.pricing import plain
from rest.serializers.billing import CloseInput


class BillingRunSerializer(serializers.ModelSerializer):
    """One closing of a month, and how far it is."""

    organization_name = serializers.CharField(source="organization.name", read_only=True)
    month = serializers.CharField(source="period.key", read_only=True, help_text="Such as 2026-11.")
    percent = serializers.IntegerField(read_only=True, help_text="Of the customers.")
    customers_per_second = serializers.FloatField(source="rate", read_only=True)
    seconds_left = serializers.SerializerMethodField(
        help_text="At the rate so far; null = not known, or done."
    )
    totals = serializers.SerializerMethodField(help_text="Currency -> total of its invoices.")

    class Meta:
        model = BillingRun
        fields: tuple[str, ...] = (
            "id",
            "organization",
            "organization_name",
            "month",
            "month_start",
            "until",
            "corrections",
            "state",
            "customers",
            "customers_done",
            "percent",
            "chunks",
            "chunks_done",
            "customers_per_second",
            "seconds_left",
            "invoices",
            "totals",
            "error",
            "started_at",
            "seen_at",
            "finished_at",
        )
        read_only_fields: tuple[str, ...] = fields

    def get_seconds_left(self, run: BillingRun) -> int | None:
        return None if run.left is None else round(run.left.total_seconds())

    @extend_schema_field({"type": "object", "additionalProperties": {"type": "string", "format": "decimal"}})
    def get_totals(self, run: BillingRun) -> dict[str, Any]:
        return {currency: plain(amount) for currency, amount in run.totals.items()}


class BillingRunInput(CloseInput):
    """Which month to close, and whose."""
