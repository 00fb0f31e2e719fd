"""Rate cards, invoices, estimates. Money and units are decimals as text, so nothing is rounded."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from accounts.models import Organization
from billing.models import (
    Invoice,
    InvoiceLine,
    InvoiceTax,
    Meter,
    Price,
    PricingModel,
    Proration,
    RateCard,
    RateCardVersion,
)
from billing.presets import PRESETS
from rest.serializers.base import Strict, StrictModel, Visible


class Amount(serializers.DecimalField):
    """A decimal as text, without zeros at its end."""

    def __init__(self, **kwargs: Any) -> None:
        defaults = {"max_digits": 30, "decimal_places": 12, "normalize_output": True}
        super().__init__(**(defaults | kwargs))


class TierSerializer(serializers.Serializer):
    """Units up to number `up_to` (inclusive; null = all that follow) at `unit_price`."""

    up_to = Amount(allow_null=True)
    unit_price = Amount(help_text="For each request, or each GiB.")
    flat_fee = Amount(help_text="Once, when the tier is reached.")


class PriceSerializer(serializers.ModelSerializer):
    """The price of one meter."""

    free_units = Amount(read_only=True, help_text="Free each month, before the tiers.")
    package_size = Amount(read_only=True, allow_null=True, help_text="Units of a package.")
    tiers = TierSerializer(many=True, read_only=True)

    class Meta:
        model = Price
        fields: tuple[str, ...] = ("meter", "model", "free_units", "package_size", "tiers")
        read_only_fields: tuple[str, ...] = fields


class RateCardVersionSerializer(serializers.ModelSerializer):
    """What a rate card costs from a moment on, until the next version's. The first holds for all before it."""

    base_fee = Amount(read_only=True, help_text="For each subscription and month.")
    minimum = Amount(read_only=True, allow_null=True)
    maximum = Amount(read_only=True, allow_null=True)
    prices = PriceSerializer(many=True, read_only=True)

    class Meta:
        model = RateCardVersion
        fields: tuple[str, ...] = ("number", "effective_from", *RateCardVersion.TERMS, "prices")
        read_only_fields: tuple[str, ...] = fields


class RateCardSerializer(serializers.ModelSerializer):
    """Prices by meter, in one currency. Usage plans are billed by it. `base_fee` and `prices` are today's."""

    base_fee = Amount(read_only=True, help_text="For each subscription and month.")
    prices = PriceSerializer(many=True, read_only=True)
    versions = RateCardVersionSerializer(many=True, read_only=True)

    class Meta:
        model = RateCard
        fields: tuple[str, ...] = (
            "id",
            "organization",
            "name",
            "currency",
            "tiers_over",
            "base_fee",
            "prices",
            "versions",
            "created_at",
        )
        read_only_fields: tuple[str, ...] = fields


class TierInput(Strict):
    up_to = Amount(allow_null=True, default=None, min_value=0)
    unit_price = Amount(min_value=0)
    flat_fee = Amount(default=0, min_value=0)


class PriceInput(Strict):
    meter = serializers.CharField(
        max_length=40, help_text=f"One of {', '.join(Meter.values)}, or a meter of your own."
    )
    model = serializers.ChoiceField(choices=PricingModel.choices, default=PricingModel.GRADUATED)
    free_units = Amount(default=0, min_value=0)
    package_size = Amount(
        required=False, allow_null=True, min_value=0, help_text="For the models that count packages."
    )
    tiers = TierInput(many=True, help_text="In order; the last has `up_to` null.")


class RateCardChange(StrictModel):
    """`prices` is the whole new list; `preset` loads a price list over it.

    All but the name holds from `effective_from` on, a whole minute to come; without it from the next minute on
    (at once while nobody is billed by the card).
    """

    base_fee = Amount(required=False, min_value=0)
    base_fee_in_advance = serializers.BooleanField(required=False)
    minimum = Amount(required=False, allow_null=True, min_value=0)
    maximum = Amount(required=False, allow_null=True, min_value=0)
    trial_days = serializers.IntegerField(required=False, min_value=0)
    proration = serializers.ChoiceField(choices=Proration.choices, required=False)
    effective_from = serializers.DateTimeField(required=False)
    prices = PriceInput(many=True, required=False)
    preset = serializers.ChoiceField(
        choices=[(name, made.name) for name, made in PRESETS.items()], required=False
    )

    class Meta:
        model = RateCard
        fields: tuple[str, ...] = (
            "name",
            "currency",
            "tiers_over",
            *RateCardVersion.TERMS,
            "effective_from",
            "prices",
            "preset",
        )

    def validate_prices(self, prices: list[dict[str, Any]]) -> list[dict[str, Any]]:
        meters = [price["meter"] for price in prices]
        if len(set(meters)) < len(meters):
            raise serializers.ValidationError("Give each meter once.", code="twice")
        return prices


class RateCardInput(RateCardChange):
    organization = Visible(
        Organization, required=False, help_text="The provider; default: the token's own organization."
    )

    class Meta(RateCardChange.Meta):
        fields: tuple[str, ...] = ("organization", *RateCardChange.Meta.fields)


class DropVersionInput(Strict):
    number = serializers.IntegerField(min_value=1, help_text="The version's number.")


@extend_schema_field(
    {
        "type": "object",
        "additionalProperties": {
            "type": "array",
            "items": {"type": "string", "format": "decimal"},
            "description": "Units and money.",
        },
    }
)
class Breakdown(serializers.Field):
    """Subscription -> [units, money]."""

    def to_representation(self, value: dict[str, list[str]]) -> dict[str, list[str]]:
        return value


class InvoiceLineSerializer(serializers.ModelSerializer):
    """A base fee, the units of one meter in one tier, a discount, a minimum or a maximum.

    `subscription` is null where several share the line; `breakdown` then has their parts, units and money.
    """

    application_name = serializers.CharField(
        source="subscription.application.name", read_only=True, default=None, allow_null=True
    )
    plan_name = serializers.CharField(
        source="subscription.plan.name", read_only=True, default=None, allow_null=True
    )
    quantity = Amount(read_only=True)
    packages = Amount(read_only=True, allow_null=True, help_text="What is priced, where a package is.")
    breakdown = Breakdown(read_only=True)
    unit_price = Amount(read_only=True)
    flat_fee = Amount(read_only=True)
    amount = Amount(read_only=True)

    class Meta:
        model = InvoiceLine
        fields: tuple[str, ...] = (
            "position",
            "subscription",
            "application_name",
            "plan_name",
            "month_start",
            "description",
            "item",
            "meter",
            "tier",
            "quantity",
            "packages",
            "unit_price",
            "flat_fee",
            "amount",
            "breakdown",
        )
        read_only_fields: tuple[str, ...] = fields


class InvoiceSerializer(serializers.ModelSerializer):
    """What a developer's organization owes a provider for a period. Once finalized it never changes."""

    organization_name = serializers.CharField(source="organization.name", read_only=True)
    customer_name = serializers.CharField(source="customer.name", read_only=True)
    label = serializers.CharField(  # type: ignore[assignment]
        read_only=True, help_text="How people name it, such as 2026-000012."
    )
    subtotal = Amount(read_only=True, help_text="Without tax.")
    tax_total = Amount(read_only=True)
    total = Amount(read_only=True)
    amount_due = Amount(read_only=True, help_text="After credits, payments and credit notes.")

    class Meta:
        model = Invoice
        fields: tuple[str, ...] = (
            "id",
            "organization",
            "organization_name",
            "customer",
            "customer_name",
            "label",
            "number",
            "state",
            "month_start",
            "part",
            "period_start",
            "period_end",
            "currency",
            "subtotal",
            "tax_total",
            "total",
            "amount_due",
            "due_at",
            "created_at",
            "finalized_at",
            "paid_at",
            "voided_at",
        )
        read_only_fields: tuple[str, ...] = fields


class InvoiceTaxSerializer(serializers.ModelSerializer):
    """One rate's tax; `inclusive` = the lines contain it. `note` says why nothing is charged."""

    percent = Amount(read_only=True)
    base = Amount(read_only=True, help_text="The net amount that is taxed.")
    amount = Amount(read_only=True)

    class Meta:
        model = InvoiceTax
        fields: tuple[str, ...] = ("name", "percent", "inclusive", "base", "amount", "note")
        read_only_fields: tuple[str, ...] = fields


class InvoiceDetailSerializer(InvoiceSerializer):
    lines = InvoiceLineSerializer(many=True, read_only=True)
    taxes = InvoiceTaxSerializer(many=True, read_only=True)
    credit_notes: Any = serializers.PrimaryKeyRelatedField(many=True, read_only=True)

    class Meta(InvoiceSerializer.Meta):
        fields: tuple[str, ...] = (*InvoiceSerializer.Meta.fields, "lines", "taxes", "credit_notes")
        read_only_fields: tuple[str, ...] = fields


class CloseInput(Strict):
    organization = Visible(
        Organization, required=False, help_text="The provider; default: the token's own organization."
    )
    month = serializers.CharField(max_length=7, help_text="Such as 2026-11, in the provider's time zone.")
    corrections = serializers.BooleanField(
        default=False,
        help_text="Bill late counts of a month that is closed at once, instead of with the next.",
    )


class ClosedSerializer(serializers.Serializer):
    """The invoices that the closing made."""

    month = serializers.CharField()
    invoices = InvoiceSerializer(many=True)


class BillLineSerializer(serializers.Serializer):
    """A line as it would be billed now."""

    meter = serializers.CharField(help_text="Empty = a base fee.")
    description = serializers.CharField()
    tier = serializers.IntegerField(allow_null=True, help_text="From 1; 0 = free units; null = a fee.")
    quantity = Amount()
    unit = serializers.CharField(help_text="request, GiB or month.")
    unit_price = Amount()
    flat_fee = Amount()
    amount = Amount(help_text="Rounded to the currency's decimals.")


class OwedSerializer(serializers.Serializer):
    """One subscription's month so far."""

    subscription = serializers.CharField(source="subscription.pk")
    application_name = serializers.CharField(source="subscription.application.name")
    plan_name = serializers.CharField(source="subscription.plan.name")
    provider = serializers.CharField(source="subscription.provider_id")
    period_start = serializers.DateTimeField(source="period.start")
    period_end = serializers.DateTimeField(source="period.end")
    currency = serializers.CharField()
    requests = serializers.IntegerField(source="usage.calls")
    bytes_out = serializers.IntegerField(source="usage.bytes_out")
    subtotal = Amount()
    lines = BillLineSerializer(many=True)


class CustomerSerializer(serializers.Serializer):
    """What one customer owes for the month so far."""

    customer = serializers.CharField(source="customer.pk")
    customer_name = serializers.CharField(source="customer.name")
    currency = serializers.CharField()
    requests = serializers.IntegerField()
    bytes_out = serializers.IntegerField()
    total = Amount()


@extend_schema_field({"type": "object", "additionalProperties": {"type": "string", "format": "decimal"}})
class Totals(serializers.Field):
    """Currency -> sum."""

    def to_representation(self, value: dict[str, Any]) -> dict[str, str]:
        return {currency: Amount().to_representation(amount) for currency, amount in value.items()}


class SharedSerializer(serializers.Serializer):
    """Lines of a rate card that several subscriptions share, whole; their parts stand at the subscriptions."""

    rate_card = serializers.CharField(source="card.pk")
    rate_card_name = serializers.CharField(source="card.name")
    period_start = serializers.DateTimeField(source="period.start")
    period_end = serializers.DateTimeField(source="period.end")
    currency = serializers.CharField()
    subtotal = Amount()
    lines = BillLineSerializer(many=True)


class OwedTotalSerializer(serializers.Serializer):
    totals = Totals()
    subscriptions = OwedSerializer(many=True)
    shared = SharedSerializer(many=True)


class SoldTotalSerializer(serializers.Serializer):
    totals = Totals()
    period_start = serializers.DateTimeField(source="period.start")
    period_end = serializers.DateTimeField(source="period.end")
    customers = CustomerSerializer(many=True)


class EstimateSerializer(serializers.Serializer):
    """The running month: what the organization owes as a developer, and what it sold as a provider."""

    organization = serializers.CharField()
    at = serializers.DateTimeField()
    owed = OwedTotalSerializer()
    sold = SoldTotalSerializer()
