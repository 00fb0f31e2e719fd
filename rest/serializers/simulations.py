"""Months replayed with other prices."""

from rest_framework import serializers

from billing.models import RateCard
from rest.serializers.base import Strict, Visible
from rest.serializers.billing import Amount


class SimulateInput(Strict):
    month = serializers.CharField(
        required=False, max_length=7, help_text="Such as 2026-10; default: the last month."
    )
    version = serializers.IntegerField(
        required=False, min_value=1, help_text="The number of the version to try; default: the newest."
    )
    rate_card = Visible(
        RateCard,
        required=False,
        help_text="Another rate card to try instead, such as a draft; its newest version.",
    )


class CustomerChangeSerializer(serializers.Serializer):
    """What a customer owed, and would have owed, by the rate card; before tax."""

    customer = serializers.CharField(source="customer_id", help_text="Who pays.")
    name = serializers.CharField(source="customer")
    before = Amount()
    after = Amount()
    difference = Amount()
    percent = Amount(allow_null=True, help_text="null = nothing was paid before.")


class SimulationSerializer(serializers.Serializer):
    """Who would pay more, by how much. Customers with the largest increase come first."""

    month = serializers.CharField(source="period.key")
    currency = serializers.CharField(source="rate_card.currency")
    rate_card = serializers.CharField(source="version.rate_card_id", help_text="Whose prices were tried.")
    version = serializers.IntegerField(source="version.number")
    before = Amount()
    after = Amount()
    difference = Amount()
    more = serializers.IntegerField(help_text="How many would pay more.")
    less = serializers.IntegerField(help_text="How many would pay less.")
    customers = CustomerChangeSerializer(many=True)
