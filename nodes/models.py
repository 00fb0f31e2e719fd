"""Gateway nodes, the entries they must know, and the quota slices they may spend."""

from datetime import datetime

from django.core.validators import MinValueValidator
from django.db import models
from django.utils.timezone import now

from access.models import ApiKey, QuotaPeriod, Subscription
from accounts.fields import ShortIdField
from accounts.models import Organization
from accounts.percents import usual_percents


class Node(models.Model):
    """A gateway node. It signs in with its own token, of which we keep the hash."""

    id = ShortIdField()
    name = models.CharField(max_length=80, unique=True)
    token_prefix = models.CharField(max_length=16, editable=False)
    token_hash = models.CharField(max_length=64, unique=True, editable=False)
    enabled = models.BooleanField(default=True)
    generation = models.PositiveBigIntegerField(default=0, help_text="The newest it runs.")
    version = models.CharField(max_length=40, blank=True)
    status = models.JSONField(default=dict, help_text="What it last said of itself.")
    last_seen_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(default=now, editable=False)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Entry(models.Model):
    """One thing that nodes must know, with the generation that wrote it.

    `data` is null when the thing is gone; the row stays, so that a node that was away learns of it.
    """

    kind = models.CharField(max_length=20)
    key = models.CharField(max_length=500, help_text="Its name within its kind.")
    # not CASCADE: nodes must still learn that the things of a deleted organization are gone
    organization = models.ForeignKey(
        Organization, null=True, on_delete=models.SET_NULL, related_name="entries"
    )
    generation = models.PositiveBigIntegerField(unique=True)
    data = models.JSONField(null=True)
    problem = models.CharField(
        max_length=500,
        blank=True,
        help_text="Why its newest state could not be used; nodes keep the state before.",
    )
    written_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name_plural = "entries"
        constraints = [models.UniqueConstraint(fields=["kind", "key"], name="entry_once")]

    def __str__(self) -> str:
        return f"{self.kind} {self.key} @{self.generation}"


class QuotaWindowQuerySet(models.QuerySet["QuotaWindow"]):
    """Windows of subscriptions."""

    def running(
        self, subscription_id: str, period: str, at: datetime, key_id: str | None = None
    ) -> "QuotaWindowQuerySet":
        """Return the windows around a moment: one, or several after a change of time zone."""
        return self.filter(
            subscription=subscription_id, key=key_id, period=period, starts_at__lte=at, ends_at__gt=at
        )


class QuotaWindow(models.Model):
    """How much of a quota was given out in one period. The authority on quotas.

    What may still be given out is `limit + extra - leased`, less the plan's offset in a first period.
    """

    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="quota_windows")
    subscription = models.ForeignKey(Subscription, on_delete=models.CASCADE, related_name="quota_windows")
    key = models.ForeignKey(
        ApiKey,
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="quota_windows",
        help_text="Where each key has a quota of its own: the first of its rotations.",
    )
    period = models.CharField(max_length=5, choices=QuotaPeriod, default=QuotaPeriod.MONTH)
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    leased = models.PositiveBigIntegerField(
        default=0,
        help_text="Units given out and not returned, or spent without a lease while a node was cut off.",
    )

    leased_before = models.PositiveBigIntegerField(
        default=0,
        help_text="What was leased when the count started anew in the middle of the period, by a change of plan.",
    )
    extra = models.BigIntegerField(
        default=0, help_text="What setting the remaining calls by hand added to the limit, or took from it."
    )
    epoch = models.PositiveIntegerField(
        default=0,
        help_text="Grows when the remaining calls are set by hand: units given out before are void.",
    )
    adjusted_at = models.DateTimeField(null=True, blank=True)
    wanted_at = models.DateTimeField(
        null=True, blank=True, help_text="When a node last asked and there was nothing left to give."
    )

    objects = QuotaWindowQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["subscription", "key", "period", "starts_at"],
                nulls_distinct=False,
                name="quota_window_once",
            )
        ]
        indexes = [
            models.Index(
                fields=["wanted_at"], condition=models.Q(wanted_at__isnull=False), name="quota_window_wanted"
            )
        ]

    def __str__(self) -> str:
        return f"{self.subscription_id} from {self.starts_at:%Y-%m-%d}: {self.leased}"


class Lease(models.Model):
    """A slice of a quota window given to a node. One row for each (node, window), added up."""

    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="leases")
    node = models.ForeignKey(Node, on_delete=models.CASCADE, related_name="leases")
    window = models.ForeignKey(QuotaWindow, on_delete=models.CASCADE, related_name="leases")
    units = models.PositiveBigIntegerField(default=0)
    epoch = models.PositiveIntegerField(default=0, help_text="The window's epoch in which units were given.")
    last_request = models.CharField(max_length=64, blank=True)
    last_granted = models.PositiveBigIntegerField(
        default=0, help_text="What the last request got; its repeat gets the same."
    )
    last_return = models.CharField(max_length=64, blank=True)
    last_returned = models.PositiveBigIntegerField(default=0)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["node", "window"], name="lease_once")]

    def __str__(self) -> str:
        return f"{self.node}: {self.units} of {self.window}"


class QuotaAlertRule(models.Model):
    """At which parts of its quotas a developer's organization is told; none = as usual, by mail and webhook."""

    organization = models.OneToOneField(
        Organization, on_delete=models.CASCADE, related_name="quota_alert_rule"
    )
    percents = models.JSONField(
        default=usual_percents, blank=True, help_text="Whole percents such as [50, 80, 100]; [] = never."
    )
    mails = models.BooleanField(default=True, help_text="Send mail, too; webhooks are always sent.")

    def __str__(self) -> str:
        return f"Quota alerts of {self.organization}"


class QuotaAlert(models.Model):
    """A part of a quota window that was used. Once for each, however often anybody looks."""

    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="quota_alerts")
    window = models.ForeignKey(QuotaWindow, on_delete=models.CASCADE, related_name="alerts")
    percent = models.PositiveSmallIntegerField()
    used = models.PositiveBigIntegerField()
    limit = models.BigIntegerField()
    at = models.DateTimeField(default=now)

    class Meta:
        ordering = ["-at", "-percent"]
        constraints = [models.UniqueConstraint(fields=["window", "percent"], name="quota_alert_once")]

    def __str__(self) -> str:
        return f"{self.percent} % of {self.window_id}"


class Installation(models.Model):
    """Limits over everything that this installation serves. One row at most."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1, editable=False)
    throttle_rate = models.FloatField(
        null=True,
        blank=True,
        validators=[MinValueValidator(0)],
        help_text="Calls a second over all APIs; empty = no limit, 0 = block.",
    )
    throttle_burst = models.PositiveIntegerField(
        null=True, blank=True, help_text="How many calls may come at once."
    )

    class Meta:
        verbose_name_plural = "installation"
        constraints = [models.CheckConstraint(condition=models.Q(id=1), name="installation_once")]

    def __str__(self) -> str:
        return "This installation"


class ThrottleShare(models.Model):
    """How living nodes divide one throttle just now; `nodes/shares.py` tells how. Lost with a crash, and no harm.

    The table is UNLOGGED: it is written several times a second and worth nothing a few seconds later.
    """

    name = models.CharField(
        max_length=120, primary_key=True, help_text="Of the gate's token bucket; * = all."
    )
    nodes = models.JSONField(default=dict, help_text="Node -> its share and its demand.")
    rate = models.FloatField(default=0, help_text="Of the whole limit, calls a second.")
    burst = models.FloatField(default=0, help_text="Of the whole limit, calls.")
    pot = models.FloatField(default=0, help_text="Tokens that a node gave up and none got yet.")
    hungry_at = models.FloatField(default=0, help_text="When a node last refused by it, Unix seconds.")

    def __str__(self) -> str:
        return self.name
