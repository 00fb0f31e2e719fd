"""Alerts on a provider's traffic."""

from rest_framework import serializers

from accounts.models import Organization
from metering.alerts import LONGEST
from metering.models import UsageAlert
from rest.serializers.apis import OWNER_HELP
from rest.serializers.base import StrictModel, Visible

RULE = ("name", "metric", "below", "threshold", "minutes", "mails")


class UsageAlertSerializer(serializers.ModelSerializer):
    """Told once when a metric was beyond its threshold for some minutes. `since` = it is now, from then on."""

    class Meta:
        model = UsageAlert
        fields: tuple[str, ...] = ("id", "organization", "scope", "about", *RULE, "since")
        read_only_fields: tuple[str, ...] = fields


class _Rule(StrictModel):
    minutes = serializers.IntegerField(
        min_value=1, max_value=LONGEST, required=False, help_text="In a row; default 5."
    )


class UsageAlertInput(_Rule):
    organization = Visible(Organization, required=False, help_text=OWNER_HELP)

    class Meta:
        model = UsageAlert
        fields: tuple[str, ...] = ("organization", "scope", "about", *RULE)


class UsageAlertChange(_Rule):
    class Meta:
        model = UsageAlert
        fields: tuple[str, ...] = RULE
