"""Where events are sent, what happened, and how each delivery went."""

import secrets
from typing import ClassVar

from django.db import models
from django.utils.timezone import now

from accounts.fields import ShortIdField


def message_id() -> str:
    """Return a fresh id of an event; receivers tell repeats by it."""
    return f"msg_{secrets.token_hex(14)}"


class EndpointState(models.TextChoices):
    ACTIVE = "active", "Active"
    FAILING = "failing", "Failing"
    DISABLED = "disabled", "Disabled"


class WebhookEndpoint(models.Model):
    """A URL of an organization's own, the events it wants and the secret that signs them (encrypted)."""

    id = ShortIdField()
    organization = models.ForeignKey(
        "accounts.Organization", on_delete=models.CASCADE, related_name="webhook_endpoints"
    )
    url = models.CharField(max_length=500)
    description = models.CharField(max_length=120, blank=True)
    event_types = models.JSONField(default=list, blank=True, help_text="Names of events; none = all.")
    sealed_secret = models.CharField(max_length=300, editable=False)
    sealed_old_secret = models.CharField(max_length=300, blank=True, editable=False)
    old_secret_until = models.DateTimeField(
        null=True, blank=True, editable=False, help_text="Until then both secrets sign."
    )
    enabled = models.BooleanField(default=True)
    failing_since = models.DateTimeField(
        null=True, blank=True, editable=False, help_text="Of its last deliveries, the first that failed."
    )
    disabled_reason = models.CharField(max_length=200, blank=True, editable=False)
    created_at = models.DateTimeField(default=now, editable=False)

    class Meta:
        ordering = ["created_at", "id"]

    def __str__(self) -> str:
        return self.description or self.url

    @property
    def state(self) -> EndpointState:
        """Whether it is used, and whether what is sent arrives."""
        if not self.enabled:
            return EndpointState.DISABLED
        return EndpointState.FAILING if self.failing_since else EndpointState.ACTIVE


class WebhookEvent(models.Model):
    """One thing that happened, written in the transaction in which it happened. Never edited."""

    id = models.CharField(primary_key=True, max_length=40, default=message_id, editable=False)
    organization = models.ForeignKey(
        "accounts.Organization", on_delete=models.CASCADE, related_name="webhook_events"
    )
    type = models.CharField(max_length=60)
    data = models.JSONField()
    at = models.DateTimeField(default=now)

    class Meta:
        # "events older than so many days can go"
        indexes: ClassVar = [models.Index(fields=["at"], name="webhook_event_at")]

    def __str__(self) -> str:
        return f"{self.type} {self.id}"


class DeliveryState(models.TextChoices):
    PENDING = "pending", "Pending"
    DELIVERED = "delivered", "Delivered"
    FAILED = "failed", "Failed"


class WebhookDelivery(models.Model):
    """One event on its way to one endpoint, with every attempt."""

    id = ShortIdField()
    organization = models.ForeignKey(
        "accounts.Organization", on_delete=models.CASCADE, related_name="webhook_deliveries"
    )
    event = models.ForeignKey(WebhookEvent, on_delete=models.CASCADE, related_name="deliveries")
    endpoint = models.ForeignKey(WebhookEndpoint, on_delete=models.CASCADE, related_name="deliveries")
    state = models.CharField(max_length=10, choices=DeliveryState, default=DeliveryState.PENDING)
    tries = models.PositiveSmallIntegerField(default=0)
    next_try_at = models.DateTimeField(null=True, blank=True)
    attempts = models.JSONField(
        default=list,
        help_text='[{"at": ISO 8601, "status": HTTP status or null, "ms": milliseconds, "problem": "", '
        '"response": the first bytes of the answer}], oldest first.',
    )
    created_at = models.DateTimeField(default=now, editable=False)

    class Meta:
        ordering = ["-created_at", "-id"]
        verbose_name_plural = "webhook deliveries"
        constraints = [models.UniqueConstraint(fields=["event", "endpoint"], name="webhook_delivery_once")]
        indexes = [
            # "what is due?", asked every few seconds
            models.Index(
                fields=["next_try_at"], condition=models.Q(state="pending"), name="webhook_delivery_due"
            ),
            # the newest of one endpoint
            models.Index(fields=["endpoint", "-created_at"], name="webhook_delivery_endpoint"),
        ]

    def __str__(self) -> str:
        return f"{self.event_id} to {self.endpoint_id}"
