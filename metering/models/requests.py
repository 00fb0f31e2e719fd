"""The request log: what happened to single calls, kept for some days. Its table is partitioned by day."""

from django.db import models


class RequestLine(models.Model):
    """One call, as the gate wrote it (gateway/request_log.py). Nothing is billed by it, and calls may be missing.

    Ids are text, not foreign keys: lines outlive what they name. `organization_id` is the provider ('' = the call
    reached no stage), `developer_id` who owns the key ('' = no known key). Times in milliseconds; None = not known.
    """

    pk = models.CompositePrimaryKey("id", "at")
    id = models.UUIDField(help_text="The request id that the caller was told.")
    at = models.DateTimeField(help_text="When the call ended.")
    organization_id = models.CharField(max_length=10, blank=True, help_text="The provider.")
    developer_id = models.CharField(max_length=10, blank=True)
    application_id = models.CharField(max_length=10, blank=True)
    subscription_id = models.CharField(max_length=10, blank=True)
    key_id = models.CharField(max_length=10, blank=True)
    api_id = models.CharField(max_length=10, blank=True)
    version_id = models.CharField(max_length=10, blank=True)
    stage_id = models.CharField(max_length=10, blank=True)
    operation_id = models.CharField(max_length=10, blank=True)
    node_id = models.CharField(max_length=10)
    status = models.PositiveSmallIntegerField(help_text="0 = the caller left before there was one.")
    verdict = models.CharField(max_length=40, blank=True)
    why = models.CharField(
        max_length=120, blank=True, help_text="More than the verdict says; see docs/gate.md."
    )
    flags = models.CharField(max_length=10, blank=True)
    method = models.CharField(max_length=20)
    host = models.CharField(max_length=253)
    path = models.CharField(max_length=1024)
    query = models.CharField(max_length=1024, blank=True)
    address = models.CharField(max_length=45, blank=True, help_text="Of the client.")
    bytes_out = models.PositiveBigIntegerField()
    bytes_in = models.PositiveBigIntegerField()
    latency_ms = models.PositiveIntegerField()
    backend_ms = models.PositiveIntegerField(null=True)
    connect_ms = models.PositiveIntegerField(null=True)
    header_ms = models.PositiveIntegerField(null=True)
    tries = models.CharField(max_length=60, blank=True, help_text="Statuses of the backend's answers.")
    limit_policy = models.CharField(
        max_length=300, blank=True, help_text="RateLimit-Policy, as the caller was told."
    )
    limit_left = models.CharField(max_length=300, blank=True, help_text="RateLimit, as the caller was told.")

    class Meta:
        indexes = [
            models.Index(fields=["organization_id", "at", "id"], name="request_line_provider"),
            models.Index(fields=["developer_id", "at", "id"], name="request_line_developer"),
        ]

    def __str__(self) -> str:
        return f"{self.method} {self.path}: {self.status}"
