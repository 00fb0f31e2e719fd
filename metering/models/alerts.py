"""Alerts: when a provider is told that a number of its traffic crossed a threshold."""

from django.core.validators import MinValueValidator
from django.db import models
from django.utils.timezone import now

from accounts.fields import ShortIdField
from accounts.models import Organization


class AlertMetric(models.TextChoices):
    """What is looked at, a minute at a time."""

    CALLS = "calls", "Calls a minute"
    SHARE_4XX = "share_4xx", "4xx, percent of calls"
    SHARE_5XX = "share_5xx", "5xx, percent of calls"
    P90 = "p90", "Latency p90, ms"
    P99 = "p99", "Latency p99, ms"
    INTEGRATION = "integration_average", "Integration latency, average, ms"
    CACHE_HITS = "cache_hits", "Cache hits, percent of look-ups"
    BYTES_OUT = "bytes_out", "Data out, bytes a minute"


class AlertScope(models.TextChoices):
    """Whose traffic; `everything` = all of the provider's."""

    EVERYTHING = "", "Everything"
    API = "api", "API"
    STAGE = "stage", "Stage"
    OPERATION = "operation", "Operation"
    DEVELOPER = "developer", "Developer"
    KEY = "key", "Key"


class UsageAlert(models.Model):
    """Tells once when `metric` was beyond `threshold` for `minutes` in a row, and once when it no longer is."""

    id = ShortIdField()
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="usage_alerts")
    name = models.CharField(max_length=80)
    metric = models.CharField(max_length=20, choices=AlertMetric)
    scope = models.CharField(max_length=10, choices=AlertScope, blank=True)
    about = models.CharField(max_length=10, blank=True, help_text="Id of what `scope` says.")
    below = models.BooleanField(default=False, help_text="Told when it is less; else when it is more.")
    threshold = models.DecimalField(max_digits=18, decimal_places=3, validators=[MinValueValidator(0)])
    minutes = models.PositiveSmallIntegerField(default=5)
    mails = models.BooleanField(default=True)
    since = models.DateTimeField(null=True, blank=True, help_text="Beyond since then; empty = it is not.")
    created_at = models.DateTimeField(default=now, editable=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["organization", "name"], name="usage_alert_name_once")]

    def __str__(self) -> str:
        return self.name


class UsageAlertNotice(models.Model):
    """What was told: that a threshold was crossed (`resolved` false), or that this is over."""

    organization = models.ForeignKey(
        Organization, on_delete=models.CASCADE, related_name="usage_alert_notices"
    )
    alert = models.ForeignKey(UsageAlert, on_delete=models.CASCADE, related_name="notices")
    resolved = models.BooleanField()
    value = models.FloatField(null=True, help_text="In the last minute; empty = no calls.")
    threshold = models.DecimalField(max_digits=18, decimal_places=3)
    at = models.DateTimeField(default=now)

    class Meta:
        indexes = [models.Index(fields=["organization", "-at"], name="usage_alert_notice_newest")]

    def __str__(self) -> str:
        return f"{self.alert}: {'resolved' if self.resolved else 'crossed'}"
