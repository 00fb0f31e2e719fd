"""Budgets, spend caps, quota alerts."""

from rest_framework import serializers

from access.models import Application, Subscription
from accounts.models import Organization
from billing.models import Budget
from nodes.models import QuotaAlertRule
from rest.serializers.base import StrictModel, Visible
from rest.serializers.billing import Amount


def _percents(highest: int) -> serializers.ListField:
    return serializers.ListField(
        child=serializers.IntegerField(min_value=1, max_value=highest),
        required=False,
        max_length=10,
        help_text="Whole percents at which to tell; default [50, 80, 100].",
    )


class BudgetSerializer(serializers.ModelSerializer):
    """An amount for each month. `spent` and `period` say where it stands, as of `spent_at`."""

    amount = Amount(read_only=True)
    spent = Amount(read_only=True)
    scope = serializers.ChoiceField(
        choices=["group", "organization", "application", "subscription"], read_only=True
    )
    percents = serializers.ListField(child=serializers.IntegerField(), read_only=True)
    reached = serializers.BooleanField(source="is_reached", read_only=True)

    class Meta:
        model = Budget
        fields: tuple[str, ...] = (
            "id",
            "organization",
            "name",
            "scope",
            "application",
            "subscription",
            "whole_group",
            "currency",
            "amount",
            "percents",
            "stops",
            "mails",
            "period",
            "spent",
            "spent_at",
            "reached",
            "created_at",
        )
        read_only_fields: tuple[str, ...] = fields


class BudgetInput(StrictModel):
    organization = Visible(Organization, required=False, help_text="Default: the token's own.")
    application = Visible(Application, required=False, help_text="Only the costs of this one.")
    subscription = Visible(Subscription, required=False, help_text="Only the costs of this one.")
    amount = Amount(help_text="Money a month, above 0.")
    percents = _percents(1_000)

    class Meta:
        model = Budget
        fields: tuple[str, ...] = (
            "organization",
            "name",
            "application",
            "subscription",
            "whole_group",
            "currency",
            "amount",
            "percents",
            "stops",
            "mails",
        )


class BudgetChange(StrictModel):
    amount = Amount(help_text="Money a month, above 0.")
    percents = _percents(1_000)

    class Meta:
        model = Budget
        fields: tuple[str, ...] = ("name", "currency", "amount", "percents", "stops", "mails")


class QuotaAlertsSerializer(StrictModel):
    """At which percents of its quotas the organization is told; [] = never."""

    percents = _percents(100)

    class Meta:
        model = QuotaAlertRule
        fields: tuple[str, ...] = ("percents", "mails")
