"""Payments and credits. Money is decimal text."""

from typing import Any

from django.db.models import QuerySet
from rest_framework import serializers

from accounts.models import Organization
from billing.models import CreditGrant, Invoice, LedgerTransaction, Payment, Refund
from billing.payments.queries import providers_of
from rest.caller import Caller
from rest.serializers.base import Strict, StrictModel, Visible
from rest.serializers.billing import Amount


def _customers(caller: Caller) -> QuerySet[Any]:
    """Those that have subscriptions of the provider."""
    if caller.everything:
        return Organization.objects.all()
    return Organization.objects.filter(subscriptions__provider=caller.organization).distinct()


def _providers(caller: Caller) -> QuerySet[Any]:
    return Organization.objects.all() if caller.everything else providers_of(caller.organization)


def _received(caller: Caller) -> QuerySet[Any]:
    """Invoices that the token's organization received: those are hers to pay."""
    return caller.visible(Invoice).filter(customer=caller.organization)


class CreditSerializer(serializers.ModelSerializer):
    """Credits of one origin, and what is left of them."""

    organization_name = serializers.CharField(source="organization.name", read_only=True)
    customer_name = serializers.CharField(source="customer.name", read_only=True)
    amount = Amount(read_only=True)
    left = Amount(read_only=True, help_text="Also of expired ones, until they are written off.")

    class Meta:
        model = CreditGrant
        fields: tuple[str, ...] = (
            "id",
            "organization",
            "organization_name",
            "customer",
            "customer_name",
            "name",
            "source",
            "currency",
            "amount",
            "left",
            "priority",
            "starts_at",
            "expires_at",
            "created_at",
        )
        read_only_fields: tuple[str, ...] = fields


class CreditInput(StrictModel):
    organization = Visible(
        Organization, required=False, help_text="The provider; default: the token's own organization."
    )
    customer = Visible(
        Organization, rows=_customers, help_text="One that has a subscription of the provider."
    )
    amount = Amount(help_text="Above zero, in the currency's own decimals.")
    reference = serializers.CharField(
        max_length=60, required=False, help_text="Your own name for it: given once, however often it is sent."
    )

    class Meta:
        model = CreditGrant
        fields: tuple[str, ...] = (
            "organization",
            "customer",
            "amount",
            "currency",
            "name",
            "priority",
            "starts_at",
            "expires_at",
            "reference",
        )
        extra_kwargs: dict[str, dict[str, Any]] = {"starts_at": {"required": False}}


class BalanceSerializer(serializers.Serializer):
    """Credits that can be used now."""

    organization = serializers.CharField(help_text="The provider.")
    customer = serializers.CharField()
    currency = serializers.CharField()
    amount = Amount()


class MovementSerializer(serializers.ModelSerializer):
    """What moved a customer's credits; `change` is in (+) or out (-)."""

    change = Amount(read_only=True)

    class Meta:
        model = LedgerTransaction
        fields: tuple[str, ...] = (
            "id",
            "organization",
            "customer",
            "kind",
            "description",
            "invoice",
            "currency",
            "change",
            "at",
        )
        read_only_fields: tuple[str, ...] = fields


class RefundSerializer(serializers.ModelSerializer):
    amount = Amount(read_only=True)

    class Meta:
        model = Refund
        fields: tuple[str, ...] = ("id", "state", "amount", "reason", "created_at")
        read_only_fields: tuple[str, ...] = fields


class PaymentSerializer(serializers.ModelSerializer):
    """A payment of an invoice, or for credits (`invoice` null)."""

    organization_name = serializers.CharField(source="organization.name", read_only=True)
    customer_name = serializers.CharField(source="customer.name", read_only=True)
    amount = Amount(read_only=True)
    refunded_amount = Amount(read_only=True)
    refunds = RefundSerializer(many=True, read_only=True)

    class Meta:
        model = Payment
        fields: tuple[str, ...] = (
            "id",
            "organization",
            "organization_name",
            "customer",
            "customer_name",
            "invoice",
            "processor",
            "state",
            "amount",
            "refunded_amount",
            "currency",
            "reference",
            "received_on",
            "url",
            "error",
            "credit_grant",
            "refunds",
            "created_at",
            "succeeded_at",
        )
        read_only_fields: tuple[str, ...] = fields
        extra_kwargs: dict[str, dict[str, Any]] = {
            "url": {"help_text": "While pending: where the customer pays."}
        }


class PaymentInput(Strict):
    """Pay an invoice (all that is due), or buy credits: give `invoice`, or `provider` and `amount`."""

    invoice = Visible(Invoice, rows=_received, required=False)
    provider = Visible(Organization, rows=_providers, required=False, help_text="Whose credits to buy.")
    amount = Amount(required=False, help_text="Credits to buy.")
    currency = serializers.CharField(
        max_length=3, required=False, help_text="Default: that of the provider's rate cards."
    )
    return_url = serializers.URLField(
        required=False, help_text="Where the customer comes back to from the payment page."
    )

    def validate(self, data: dict[str, Any]) -> dict[str, Any]:
        if "invoice" in data:
            extra = [name for name in ("provider", "amount", "currency") if name in data]
            if extra:
                raise serializers.ValidationError(
                    {extra[0]: ["An invoice is paid as it is; leave this away."]}
                )
            return data
        for name in ("provider", "amount"):
            if name not in data:
                raise serializers.ValidationError({name: ["Give an invoice to pay, or what credits to buy."]})
        return data


class RefundInput(Strict):
    amount = Amount(required=False, help_text="Default: all that is left of the payment.")
    reason = serializers.CharField(max_length=200, required=False)


class MoneyInInput(Strict):
    """Money that came in for an invoice."""

    amount = Amount(required=False, help_text="Default: all that is due. What is more becomes credits.")
    reference = serializers.CharField(
        max_length=120, required=False, help_text="Such as the bank's own; noted once for each invoice."
    )
    received_on = serializers.DateField(required=False, help_text="Default: today (UTC).")
