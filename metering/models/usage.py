"""Usage: the batches that nodes send, and the records made from them.

The records carry ids as text, not foreign keys: they outlive what they name. Their tables are partitioned by `at`
(`metering/partitions.py`), so old ones are dropped as whole files.
"""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.timezone import now

from metering.packed import PackedJSONField


class UsageBatch(models.Model):
    """What a node sent, kept as it came. (node, spool, sequence) is unique, so a repeat adds nothing.

    `spool` names the node's disk spool: a node whose disk was wiped starts a new one at sequence 1.
    """

    node_id = models.CharField(max_length=10)
    spool = models.CharField(max_length=32)
    sequence = models.PositiveBigIntegerField()
    generation = models.PositiveBigIntegerField(default=0)
    node_clock = models.DateTimeField(help_text="The node's clock when it made the batch.")
    rows = PackedJSONField(help_text="List of rows; see gateway/batches.py.")
    oldest = models.DateTimeField(null=True, help_text="The first minute of its rows.")
    newest = models.DateTimeField(null=True, help_text="The last minute of its rows.")
    calls = models.PositiveBigIntegerField(default=0, help_text="Of all rows: aggregated + rejected.")
    aggregated = models.PositiveBigIntegerField(default=0, help_text="Calls that are in the records.")
    refused_unknown = models.PositiveBigIntegerField(
        default=0, help_text="Calls that reached no stage; nobody pays for them."
    )
    rejected = models.JSONField(default=list, help_text="[{row, reason}]: what could not be used.")
    received_at = models.DateTimeField(default=now)
    processed_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name_plural = "usage batches"
        constraints = [
            models.UniqueConstraint(fields=["node_id", "spool", "sequence"], name="usage_batch_once")
        ]
        indexes = [
            # the worker's question: what is still to do?
            models.Index(
                fields=["received_at"],
                condition=models.Q(processed_at__isnull=True),
                name="usage_batch_todo",
            ),
            # the account of a day, and what is old enough to be deleted
            models.Index(fields=["received_at"], name="usage_batch_received"),
        ]

    def __str__(self) -> str:
        return f"{self.node_id}/{self.spool}/{self.sequence}"


class UsageRecord(models.Model):
    """Counts of one subscription × key × stage × operation × status class × verdict × canary × period start.

    `verdict` is '' for an accepted call, else the gateway-response name of the refusal or failure
    (THROTTLED, INTEGRATION_TIMEOUT …). Empty subscription and key = a call without a (known) key.
    """

    # rating asks for one subscription's period, so that comes first
    DIMENSIONS = (
        "subscription_id",
        "at",
        "key_id",
        "stage_id",
        "operation_id",
        "status_class",
        "verdict",
        "canary",
    )

    pk = models.CompositePrimaryKey(*DIMENSIONS)
    at = models.DateTimeField(help_text="Start of the minute, hour or day (UTC).")
    organization_id = models.CharField(max_length=10, help_text="The provider.")
    developer_id = models.CharField(max_length=10, blank=True)
    application_id = models.CharField(max_length=10, blank=True)
    subscription_id = models.CharField(max_length=10, blank=True)
    key_id = models.CharField(max_length=10, blank=True)
    api_id = models.CharField(max_length=10)
    version_id = models.CharField(max_length=10)
    stage_id = models.CharField(max_length=10)
    operation_id = models.CharField(max_length=10, blank=True)
    status_class = models.PositiveSmallIntegerField(help_text="1 to 5.")
    verdict = models.CharField(max_length=40, blank=True)
    canary = models.BooleanField(default=False, db_default=False, help_text="Answered by the stage's canary.")
    calls = models.PositiveBigIntegerField()
    cache_hits = models.PositiveBigIntegerField(
        default=0, db_default=0, help_text="Of the calls, those answered from the stage's cache."
    )
    cache_misses = models.PositiveBigIntegerField(
        default=0, db_default=0, help_text="Of the calls, those that looked there in vain."
    )
    http_requests = models.PositiveBigIntegerField(
        default=0, db_default=0, help_text="Started units of 512 KiB; at least one a call."
    )
    stream_requests = models.PositiveBigIntegerField(
        default=0, db_default=0, help_text="Started units of 10 MiB of the answer; at least one a call."
    )
    bytes_out = models.PositiveBigIntegerField(help_text="To the client, bytes.")
    bytes_in = models.PositiveBigIntegerField(help_text="From the client, bytes.")
    latency_ms = models.PositiveBigIntegerField(help_text="Sum over calls, milliseconds.")
    integration_ms = models.PositiveBigIntegerField(help_text="Sum over calls, milliseconds.")
    latency_counts = ArrayField(
        models.PositiveBigIntegerField(),
        help_text="Calls in each latency bucket; bounds in metering/latency.py.",
    )

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M} {self.stage_id}/{self.operation_id}: {self.calls}"


def _record_meta(name: str) -> type:
    """The indexes that the three record tables share."""
    attributes = {
        "indexes": [
            # a provider's dashboard, and "by API"
            models.Index(fields=["organization_id", "at"], name=f"usage_{name}_provider"),
            # a developer's usage page
            models.Index(fields=["developer_id", "at"], name=f"usage_{name}_developer"),
        ],
    }
    return type("Meta", (), attributes)


class UsageMinute(UsageRecord):
    Meta = _record_meta("minute")  # type: ignore[assignment]


class UsageHour(UsageRecord):
    Meta = _record_meta("hour")  # type: ignore[assignment]


class UsageDay(UsageRecord):
    Meta = _record_meta("day")  # type: ignore[assignment]


class UsageReconciliation(models.Model):
    """What came from one spool of a node on one day (UTC, by receipt), and what became of it.

    Kept for ever: the batches themselves are not. `calls` = `aggregated` + `rejected` + `waiting`, or something is
    wrong.
    """

    day = models.DateField()
    node_id = models.CharField(max_length=10)
    spool = models.CharField(max_length=32)
    first_sequence = models.PositiveBigIntegerField()
    last_sequence = models.PositiveBigIntegerField()
    batches = models.PositiveBigIntegerField()
    calls = models.PositiveBigIntegerField(help_text="That the node reported.")
    aggregated = models.PositiveBigIntegerField(help_text="Calls that are in the records.")
    rejected = models.PositiveBigIntegerField(help_text="Calls of rows that could not be used.")
    waiting = models.PositiveBigIntegerField(help_text="Calls of batches that are not added up yet.")
    refused_unknown = models.PositiveBigIntegerField(help_text="Calls that reached no stage.")
    checked_at = models.DateTimeField(default=now)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["day", "node_id", "spool"], name="usage_reconciliation_once")
        ]
        indexes = [models.Index(fields=["node_id", "spool"], name="usage_reconciliation_spool")]

    def __str__(self) -> str:
        return f"{self.day} {self.node_id}/{self.spool}"

    @property
    def difference(self) -> int:
        """Calls that are in neither account; anything but 0 is an error."""
        return self.calls - self.aggregated - self.rejected - self.waiting


class UsageGap(models.Model):
    """Batches that a node must have made, as later ones came, and that did not come themselves."""

    node_id = models.CharField(max_length=10)
    spool = models.CharField(max_length=32)
    first_sequence = models.PositiveBigIntegerField()
    last_sequence = models.PositiveBigIntegerField()
    found_at = models.DateTimeField(default=now)
    closed_at = models.DateTimeField(null=True, help_text="When they had come after all, or some of them.")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["node_id", "spool", "first_sequence", "last_sequence"], name="usage_gap_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.node_id}/{self.spool} {self.first_sequence}-{self.last_sequence}"
