"""Usage plans, the developers' applications, their subscriptions and their keys."""

from django.core.validators import MinValueValidator
from django.db import models
from django.utils.timezone import now

from accounts.fields import ShortIdField
from accounts.models import Organization, User
from apis.models import Operation, Stage


class QuotaPeriod(models.TextChoices):
    DAY = "DAY", "a day"
    WEEK = "WEEK", "a week"
    MONTH = "MONTH", "a month"


class QuotaScope(models.TextChoices):
    SUBSCRIPTION = "subscription", "All keys of a subscription together"
    KEY = "key", "Each key on its own"


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


class ApplicationState(models.TextChoices):
    ACTIVE = "active", "Active"
    SUSPENDED = "suspended", "Suspended"


class Application(models.Model):
    """A developer's program: it holds subscriptions and keys."""

    id = ShortIdField()
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="applications")
    name = models.CharField(max_length=80)
    description = models.CharField(max_length=300, blank=True)
    state = models.CharField(max_length=10, choices=ApplicationState, default=ApplicationState.ACTIVE)
    created_at = models.DateTimeField(default=now, editable=False)

    class Meta:
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["organization", "name"], name="application_name_once")]

    def __str__(self) -> str:
        return self.name


class SubscriptionState(models.TextChoices):
    PENDING = "pending", "Waiting for approval"
    ACTIVE = "active", "Active"
    SUSPENDED = "suspended", "Suspended"
    CANCELLED = "cancelled", "Cancelled"


class Subscription(models.Model):
    """An application's place on a plan. Usage and bills hang on it; it is never deleted."""

    id = ShortIdField()
    organization = models.ForeignKey(
        Organization,
        on_delete=models.PROTECT,
        related_name="subscriptions",
        help_text="The developer's organization.",
    )
    provider = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="sold_subscriptions")
    application = models.ForeignKey(Application, on_delete=models.PROTECT, related_name="subscriptions")
    plan = models.ForeignKey(UsagePlan, on_delete=models.PROTECT, related_name="subscriptions")
    state = models.CharField(max_length=10, choices=SubscriptionState, default=SubscriptionState.ACTIVE)
    started_at = models.DateTimeField(default=now)
    ended_at = models.DateTimeField(null=True, blank=True)
    created_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="subscriptions")

    class Meta:
        ordering = ["-started_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["application", "plan"],
                condition=~models.Q(state=SubscriptionState.CANCELLED),
                name="subscription_once",
            )
        ]

    def __str__(self) -> str:
        return f"{self.application} on {self.plan}"


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
