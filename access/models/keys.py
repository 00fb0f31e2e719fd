"""API keys: the credentials of applications."""

from django.db import models
from django.utils.timezone import now

from access.models.subscriptions import Application
from accounts.fields import ShortIdField
from accounts.models import Organization, User


class KeyEnvironment(models.TextChoices):
    LIVE = "live", "Live"
    TEST = "test", "Test"


class KeyState(models.TextChoices):
    ACTIVE = "active", "Active"
    DISABLED = "disabled", "Disabled"
    REVOKED = "revoked", "Revoked"


class ApiKey(models.Model):
    """A credential of an application, stored as SHA-256 and a short prefix; shown once."""

    id = ShortIdField()
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="api_keys")
    application = models.ForeignKey(Application, on_delete=models.PROTECT, related_name="keys")
    name = models.CharField(max_length=80)
    environment = models.CharField(max_length=4, choices=KeyEnvironment, default=KeyEnvironment.LIVE)
    prefix = models.CharField(
        max_length=16, editable=False, help_text="First characters, to tell keys apart."
    )
    hash = models.CharField(max_length=64, unique=True, editable=False)
    state = models.CharField(max_length=8, choices=KeyState, default=KeyState.ACTIVE)
    not_before = models.DateTimeField(null=True, blank=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    grace_until = models.DateTimeField(
        null=True, blank=True, help_text="Set by rotation: the old key ends here at the latest."
    )
    replaced_by = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.SET_NULL, related_name="replaces"
    )
    origin = models.ForeignKey(
        "self",
        null=True,
        blank=True,
        editable=False,
        on_delete=models.SET_NULL,
        related_name="rotations",
        help_text="The first of its rotations: a quota for each key counts them as one.",
    )
    ips = models.JSONField(
        default=list,
        blank=True,
        help_text="Networks (CIDR) that may use it, such as 203.0.113.0/24; none = any.",
    )
    referrers = models.JSONField(
        default=list,
        blank=True,
        help_text="Hosts of the pages that may use it, such as app.example.com or *.example.com; none = any.",
    )
    created_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="api_keys")
    created_at = models.DateTimeField(default=now, editable=False)
    revoked_at = models.DateTimeField(null=True, blank=True, editable=False)
    last_used_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        ordering = ["-created_at"]
        verbose_name = "API key"

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"
