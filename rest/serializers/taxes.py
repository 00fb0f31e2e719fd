"""Tax rates, terms with customers, and what invoices print of an organization."""

from typing import Any

from rest_framework import serializers

from accounts.models import Organization
from billing.models import BillingProfile, CustomerTerms, TaxRate
from rest.caller import Caller
from rest.serializers.base import Strict, StrictModel, StrictQuery, Visible
from rest.serializers.billing import Amount


def customers(caller: Caller) -> Any:
    """Organizations that the caller's organization sells to."""
    if caller.everything:
        return Organization.objects.all()
    return Organization.objects.filter(subscriptions__provider=caller.organization).distinct()


class Percent(Amount):
    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**({"max_digits": 9, "decimal_places": 6} | kwargs))


class TaxRateSerializer(serializers.ModelSerializer):
    """A tax that a provider charges. All rates that fit a customer are charged side by side."""

    percent = Percent(read_only=True)
    customers: Any = serializers.PrimaryKeyRelatedField(many=True, read_only=True)

    class Meta:
        model = TaxRate
        fields: tuple[str, ...] = (
            "id",
            "organization",
            "name",
            "percent",
            "inclusive",
            "country",
            "region",
            "customers",
            "reverse_charge_note",
            "valid_from",
            "valid_until",
            "created_at",
        )
        read_only_fields: tuple[str, ...] = fields


class TaxRateChange(StrictModel):
    percent = Percent(min_value=0, max_value=100)
    customers = Visible(
        Organization,
        rows=customers,
        many=True,
        required=False,
        help_text="Only these customers, wherever they are; none = by country and region.",
    )

    class Meta:
        model = TaxRate
        fields: tuple[str, ...] = (
            "name",
            "percent",
            "inclusive",
            "country",
            "region",
            "customers",
            "reverse_charge_note",
            "valid_from",
            "valid_until",
        )


class TaxRateInput(TaxRateChange):
    organization = Visible(
        Organization, required=False, help_text="The provider; default: the token's own organization."
    )

    class Meta(TaxRateChange.Meta):
        fields: tuple[str, ...] = ("organization", *TaxRateChange.Meta.fields)


class CustomerTermsSerializer(serializers.ModelSerializer):
    """What a provider agreed with one customer. Who has none is billed as usual."""

    customer_name = serializers.CharField(source="customer.name", read_only=True)

    class Meta:
        model = CustomerTerms
        fields: tuple[str, ...] = (
            "id",
            "organization",
            "customer",
            "customer_name",
            "due_days",
            "tax_treatment",
            "tax_note",
        )
        read_only_fields: tuple[str, ...] = fields


class CustomerTermsChange(StrictModel):
    class Meta:
        model = CustomerTerms
        fields: tuple[str, ...] = ("due_days", "tax_treatment", "tax_note")


class CustomerTermsInput(CustomerTermsChange):
    organization = Visible(
        Organization, required=False, help_text="The provider; default: the token's own organization."
    )
    customer = Visible(Organization, rows=customers, help_text="An organization that subscribed to a plan.")

    class Meta(CustomerTermsChange.Meta):
        fields: tuple[str, ...] = ("organization", "customer", *CustomerTermsChange.Meta.fields)


class TaxIdSerializer(Strict):
    kind = serializers.CharField(max_length=30, help_text="Such as VAT ID.")
    value = serializers.CharField(max_length=40)


class BillingProfileSerializer(StrictModel):
    """What invoices print of an organization, from the next one on."""

    tax_ids = TaxIdSerializer(many=True, required=False)

    class Meta:
        model = BillingProfile
        fields: tuple[str, ...] = (
            "legal_name",
            "address",
            "country",
            "region",
            "tax_ids",
            "payment_instructions",
            "logo",
        )


class Whose(StrictQuery):
    organization = Visible(
        Organization, required=False, help_text="Whose; default: the token's own organization."
    )
