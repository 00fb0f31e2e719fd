"""`price-overrides`: what one customer pays differently."""

from typing import Any

from django.db.models import Q, QuerySet
from rest_framework import serializers

from accounts.models import Organization
from billing.models import PriceOverride, PricingModel, RateCard
from rest.caller import Caller
from rest.serializers.base import Strict, StrictModel, Visible
from rest.serializers.billing import Amount, TierInput, TierSerializer


def _customers(caller: Caller) -> QuerySet[Any]:
    """Those that have subscriptions of the provider, and those that pay for them."""
    if caller.everything:
        return Organization.objects.all()
    own = Q(subscriptions__provider=caller.organization)
    paid = Q(billing_children__subscriptions__provider=caller.organization)
    return Organization.objects.filter(own | paid).distinct()


class PriceOverrideSerializer(serializers.ModelSerializer):
    """A discount in percent, or a tariff in place of the card's, for one customer. It holds until `ends_at`."""

    customer_name = serializers.CharField(source="customer.name", read_only=True)
    percent = Amount(read_only=True, allow_null=True)
    free_units = Amount(read_only=True)
    package_size = Amount(read_only=True, allow_null=True)
    tiers = TierSerializer(many=True, read_only=True)

    class Meta:
        model = PriceOverride
        fields: tuple[str, ...] = (
            "id",
            "organization",
            "customer",
            "customer_name",
            "rate_card",
            "meter",
            "starts_at",
            "ends_at",
            "percent",
            "model",
            "free_units",
            "package_size",
            "tiers",
            "reason",
            "created_at",
        )
        read_only_fields: tuple[str, ...] = fields


class PriceOverrideInput(StrictModel):
    """Either `percent`, or a `meter` with a `model` and `tiers`."""

    customer = Visible(
        Organization, rows=_customers, help_text="Who pays: one that has a subscription of yours."
    )
    rate_card = Visible(RateCard)
    starts_at = serializers.DateTimeField(
        required=False, help_text="A whole minute to come; default: the next one."
    )
    percent = Amount(required=False, min_value=0, help_text="The discount, above 0 and at most 100.")
    model = serializers.ChoiceField(choices=PricingModel.choices, required=False)
    free_units = Amount(default=0, min_value=0)
    package_size = Amount(required=False, allow_null=True, min_value=0)
    tiers = TierInput(many=True, required=False)

    class Meta:
        model = PriceOverride
        fields: tuple[str, ...] = (
            "customer",
            "rate_card",
            "meter",
            "starts_at",
            "ends_at",
            "percent",
            "model",
            "free_units",
            "package_size",
            "tiers",
            "reason",
        )


class EndInput(Strict):
    at = serializers.DateTimeField(required=False, help_text="A whole minute to come; default: the next one.")
