"""Credit notes, and the documents of a month."""

from typing import Any

from rest_framework import serializers

from accounts.models import Organization
from billing.models import CreditNote, CreditNoteLine, CreditNoteTax
from rest.serializers.base import Strict, StrictQuery, Visible
from rest.serializers.billing import Amount


class CreditLineInput(Strict):
    position = serializers.IntegerField(min_value=1, help_text="Of the invoice's line.")
    amount = Amount(help_text="As the line's amount; taxes that were added to it come with it.")


class CreditNoteInput(Strict):
    """An amount, or lines, or neither for all that is left."""

    reason = serializers.CharField(max_length=300)
    amount = Amount(required=False, help_text="Tax included.")
    lines = CreditLineInput(many=True, required=False)

    def validate_lines(self, lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
        positions = [line["position"] for line in lines]
        if len(set(positions)) < len(positions):
            raise serializers.ValidationError("Give each line once.", code="twice")
        return lines


class CreditNoteLineSerializer(serializers.ModelSerializer):
    invoice_position = serializers.IntegerField(
        source="invoice_line.position", default=None, read_only=True, help_text="null = of the whole invoice."
    )
    amount = Amount(read_only=True)

    class Meta:
        model = CreditNoteLine
        fields: tuple[str, ...] = ("position", "invoice_position", "description", "amount")
        read_only_fields: tuple[str, ...] = fields


class CreditNoteTaxSerializer(serializers.ModelSerializer):
    name = serializers.CharField(source="invoice_tax.name", read_only=True)
    percent = Amount(source="invoice_tax.percent", read_only=True)
    amount = Amount(read_only=True)

    class Meta:
        model = CreditNoteTax
        fields: tuple[str, ...] = ("name", "percent", "amount")
        read_only_fields: tuple[str, ...] = fields


class CreditNoteSerializer(serializers.ModelSerializer):
    """What a provider took back of an invoice. It never changes."""

    label = serializers.CharField(  # type: ignore[assignment]
        read_only=True, help_text="How people name it, such as CN-2026-000003."
    )
    invoice_label = serializers.CharField(source="invoice.label", read_only=True)
    customer_name = serializers.CharField(source="customer.name", read_only=True)
    subtotal = Amount(read_only=True)
    tax_total = Amount(read_only=True)
    total = Amount(read_only=True)
    refunded = Amount(read_only=True, help_text="Was paid already, and became credits of the customer.")
    lines = CreditNoteLineSerializer(many=True, read_only=True)
    taxes = CreditNoteTaxSerializer(many=True, read_only=True)

    class Meta:
        model = CreditNote
        fields: tuple[str, ...] = (
            "id",
            "organization",
            "customer",
            "customer_name",
            "invoice",
            "invoice_label",
            "label",
            "number",
            "reason",
            "currency",
            "subtotal",
            "tax_total",
            "total",
            "refunded",
            "issued_at",
            "lines",
            "taxes",
        )
        read_only_fields: tuple[str, ...] = fields


class UsageAndCostQuery(StrictQuery):
    """The query parameters of `GET usage-and-cost`."""

    month = serializers.CharField(
        max_length=7, help_text="Such as 2026-11, in the time zones of those who issued the invoices."
    )
    side = serializers.ChoiceField(
        choices=["customer", "provider"],
        default="customer",
        help_text="Invoices that the organization received, or those that it issued.",
    )
    organization = Visible(
        Organization, required=False, help_text="Whose; default: the token's own organization."
    )
