"""Meters beyond what the gateway counts, and what of the gateway's counts is billed."""

from django.contrib.postgres.fields import ArrayField
from django.core.validators import RegexValidator
from django.db import models
from django.utils.timezone import now

from accounts.fields import ShortIdField
from accounts.models import Organization


class Aggregation(models.TextChoices):
    SUM = "sum", "Sum of the values"
    MAX = "max", "Largest value"
    LAST = "last", "Last value"
    UNIQUE_COUNT = "unique_count", "How many different values"


class CustomMeter(models.Model):
    """Something that a provider counts itself and reports by events."""

    id = ShortIdField()
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="custom_meters")
    code = models.CharField(
        max_length=40,
        validators=[
            RegexValidator(
                r"^[a-z][a-z0-9_]*\Z", "Use small letters, digits and _; the first must be a letter."
            )
        ],
        help_text="What events and prices call it.",
    )
    name = models.CharField(max_length=80)
    unit = models.CharField(max_length=40, default="unit", help_text="One of what is counted.")
    aggregation = models.CharField(max_length=12, choices=Aggregation, default=Aggregation.SUM)
    archived_at = models.DateTimeField(null=True, blank=True, editable=False)
    created_at = models.DateTimeField(default=now, editable=False)

    class Meta:
        ordering = ["code"]
        constraints = [models.UniqueConstraint(fields=["organization", "code"], name="custom_meter_once")]

    def __str__(self) -> str:
        return self.name


class MeterEvent(models.Model):
    """One event as it came. `source` + `event_id` is unique for a provider, so a repeat adds nothing."""

    organization_id = models.CharField(max_length=10, help_text="The provider.")
    source = models.CharField(max_length=200)
    event_id = models.CharField(max_length=200)
    meter = models.CharField(max_length=40)
    subscription_id = models.CharField(max_length=10)
    at = models.DateTimeField(help_text="When it happened.")
    value = models.CharField(max_length=200)
    received_at = models.DateTimeField(default=now)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization_id", "source", "event_id"], name="meter_event_once")
        ]
        indexes = [models.Index(fields=["received_at"], name="meter_event_received")]

    def __str__(self) -> str:
        return f"{self.source} {self.event_id}"


class MeterRecord(models.Model):
    """What events (or Gatehouse itself, for cache-hours) say of a subscription's quarter of an hour.

    Months of every time zone begin and end on a quarter of an hour (UTC), so bills cut these exactly. `part` tells
    apart what must not be added up: the different values of a `unique_count`, the stages of cache-hours.
    """

    organization_id = models.CharField(max_length=10, help_text="The provider.")
    developer_id = models.CharField(max_length=10)
    application_id = models.CharField(max_length=10)
    subscription_id = models.CharField(max_length=10)
    api_id = models.CharField(max_length=10, blank=True, help_text="'' for a provider's own meters.")
    meter = models.CharField(max_length=40)
    part = models.CharField(max_length=64, blank=True)
    at = models.DateTimeField(help_text="Start of the quarter of an hour (UTC).")
    value = models.DecimalField(max_digits=42, decimal_places=12)
    events = models.PositiveBigIntegerField(default=1)
    last_at = models.DateTimeField(help_text="When the newest event happened.")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["subscription_id", "at", "meter", "api_id", "part"], name="meter_record_once"
            )
        ]
        indexes = [
            models.Index(fields=["organization_id", "at"], name="meter_record_provider"),
            models.Index(fields=["developer_id", "at"], name="meter_record_developer"),
        ]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M} {self.subscription_id} {self.meter}: {self.value}"


class BillableRule(models.Model):
    """Which calls of a provider's APIs are billed from a moment on: both verdict and status class must be named."""

    id = ShortIdField()
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="billable_rules")
    effective_from = models.DateTimeField(help_text="A whole minute.")
    verdicts = ArrayField(
        models.CharField(max_length=40, blank=True), help_text="'' = answered by the backend as it should."
    )
    status_classes = ArrayField(models.PositiveSmallIntegerField(), help_text="1 to 5.")
    created_at = models.DateTimeField(default=now, editable=False)

    class Meta:
        ordering = ["-effective_from"]
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "effective_from"], name="billable_rule_once_a_minute"
            )
        ]

    def __str__(self) -> str:
        return f"{self.organization} from {self.effective_from:%Y-%m-%d %H:%M}"
