"""Usage plans: throttle, quota, and the stages that they open."""

from django.core.validators import MinValueValidator
from django.db import models
from django.utils.timezone import now

from accounts.fields import ShortIdField
from accounts.models import Organization
from apis.models import Operation, RequestLogging, Stage


class QuotaPeriod(models.TextChoices):
    DAY = "DAY", "a day"
    WEEK = "WEEK", "a week"
    MONTH = "MONTH", "a month"


class QuotaScope(models.TextChoices):
    SUBSCRIPTION = "subscription", "All keys of a subscription together"
    KEY = "key", "Each key on its own"


class CountersOnChange(models.TextChoices):
    """What happens to what was counted when a subscription changes to a plan."""

    KEEP = "keep", "Go on from where they are"
    RESET = "reset", "Start anew"


class PlanVisibility(models.TextChoices):
    PUBLIC = "public", "Shown on the website"
    HIDDEN = "hidden", "Only given by staff"
    ARCHIVED = "archived", "No new subscriptions"


class UsagePlan(models.Model):
    """Throttle, quota and the stages they open.

    The throttle counts per subscription, over all its keys; the quota per subscription or per key.
    """

    id = ShortIdField()
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="usage_plans")
    name = models.CharField(max_length=80)
    description = models.TextField(blank=True)
    visibility = models.CharField(max_length=10, choices=PlanVisibility, default=PlanVisibility.PUBLIC)
    requires_approval = models.BooleanField(default=False)
    throttle_rate = models.FloatField(
        null=True,
        blank=True,
        validators=[MinValueValidator(0)],
        help_text="Calls a second; empty = no limit, 0 = block.",
    )
    throttle_burst = models.PositiveIntegerField(
        null=True, blank=True, help_text="How many calls may come at once."
    )
    quota_limit = models.PositiveBigIntegerField(
        null=True, blank=True, help_text="Calls a period; empty = no quota."
    )
    quota_period = models.CharField(max_length=5, choices=QuotaPeriod, default=QuotaPeriod.MONTH)
    quota_offset = models.PositiveBigIntegerField(
        default=0,
        help_text="Calls taken off the quota in the first period of a subscription, which rarely is a whole one.",
    )
    quota_scope = models.CharField(
        max_length=12,
        choices=QuotaScope,
        default=QuotaScope.SUBSCRIPTION,
        help_text="What the quota counts for.",
    )
    quota_offline_allowance = models.PositiveIntegerField(
        default=1_000,
        help_text="Calls that each node may admit beyond its lease, per period, while the control "
        "plane cannot be reached; 0 = refuse.",
    )
    counters_on_change = models.CharField(
        max_length=5,
        choices=CountersOnChange,
        default=CountersOnChange.KEEP,
        help_text="What a change to this plan does to the quota and the price tiers that were used up.",
    )
    request_log = models.CharField(
        max_length=6,
        choices=RequestLogging,
        default=RequestLogging.ALL,
        help_text="Which calls of its subscriptions may be in the request log; a stage may narrow it further.",
    )
    stages = models.ManyToManyField(Stage, through="PlanStage", related_name="usage_plans")
    position = models.PositiveSmallIntegerField(default=0, help_text="Order on the website.")
    created_at = models.DateTimeField(default=now, editable=False)

    class Meta:
        ordering = ["position", "name"]
        constraints = [
            models.UniqueConstraint(fields=["organization", "name"], name="plan_name_once"),
            models.CheckConstraint(
                condition=models.Q(throttle_rate__isnull=True, throttle_burst__isnull=True)
                | models.Q(throttle_rate__gte=0, throttle_burst__isnull=False),
                name="plan_throttle_whole",
                violation_error_message="Give both a rate and a burst, or neither.",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class PlanStage(models.Model):
    """A stage that a plan opens."""

    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="plan_stages")
    plan = models.ForeignKey(UsagePlan, on_delete=models.CASCADE, related_name="plan_stages")
    stage = models.ForeignKey(Stage, on_delete=models.CASCADE, related_name="plan_stages")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["plan", "stage"], name="plan_stage_once")]

    def __str__(self) -> str:
        return f"{self.plan} opens {self.stage}"


class PlanThrottle(models.Model):
    """A throttle of a plan for one operation of a stage, or for all operations of it that have none of their own.

    A bucket of its own for each subscription, beside the plan's. AWS writes it `/path/METHOD` and `*/*`.
    """

    id = ShortIdField()
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="plan_throttles")
    plan = models.ForeignKey(UsagePlan, on_delete=models.CASCADE, related_name="operation_throttles")
    stage = models.ForeignKey(Stage, on_delete=models.CASCADE, related_name="plan_throttles")
    operation = models.ForeignKey(
        Operation,
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="plan_throttles",
        help_text="Empty = every operation of the stage that has none of its own.",
    )
    rate = models.FloatField(validators=[MinValueValidator(0)], help_text="Calls a second; 0 = block.")
    burst = models.PositiveIntegerField(help_text="How many calls may come at once.")

    class Meta:
        ordering = ["stage", "operation"]
        constraints = [
            models.UniqueConstraint(
                fields=["plan", "stage", "operation"], nulls_distinct=False, name="plan_throttle_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.rate:g}/s, burst {self.burst} at {self.operation or 'every operation'} of {self.stage}"
