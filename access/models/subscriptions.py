"""Applications, their places on plans, and which plans these were."""

from django.db import models
from django.utils.timezone import now

from access.models.plans import CountersOnChange, UsagePlan
from accounts.fields import ShortIdField
from accounts.models import Organization, User


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
    next_plan = models.ForeignKey(
        UsagePlan,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="coming_subscriptions",
        help_text="The plan that it is going to change to.",
    )
    next_plan_at = models.DateTimeField(
        null=True, blank=True, help_text="When it changes; empty = as soon as the provider approves."
    )
    next_plan_waits = models.BooleanField(
        default=False, help_text="The change waits for the provider's approval."
    )
    cancel_at = models.DateTimeField(null=True, blank=True, help_text="When it will be cancelled.")

    # its plan changes, oldest first, where a query loads them
    past_changes: list["PlanChange"]

    class Meta:
        ordering = ["-started_at"]
        indexes = [
            # what is due, asked every minute
            models.Index(
                fields=["next_plan_at"],
                condition=models.Q(next_plan_at__isnull=False),
                name="subscription_change_due",
            ),
            models.Index(
                fields=["cancel_at"], condition=models.Q(cancel_at__isnull=False), name="subscription_end_due"
            ),
        ]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(next_plan__isnull=False)
                | models.Q(next_plan_at__isnull=True, next_plan_waits=False),
                name="subscription_change_whole",
            ),
            models.UniqueConstraint(
                fields=["application", "plan"],
                condition=~models.Q(state=SubscriptionState.CANCELLED),
                name="subscription_once",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.application} on {self.plan}"


class PlanChange(models.Model):
    """A step in a subscription's history of plans. None = it has always been on its present plan.

    `at` is a whole minute: the first one that counts for the new plan. Never before the subscription's start,
    but for the seconds of its first minute.
    """

    organization = models.ForeignKey(
        Organization,
        on_delete=models.PROTECT,
        related_name="plan_changes",
        help_text="The developer's organization.",
    )
    subscription = models.ForeignKey(Subscription, on_delete=models.PROTECT, related_name="plan_changes")
    at = models.DateTimeField()
    old_plan = models.ForeignKey(UsagePlan, on_delete=models.PROTECT, related_name="changes_from")
    new_plan = models.ForeignKey(UsagePlan, on_delete=models.PROTECT, related_name="changes_to")
    counters = models.CharField(
        max_length=5,
        choices=CountersOnChange,
        default=CountersOnChange.KEEP,
        help_text="Whether quota and price tiers went on or started anew.",
    )

    class Meta:
        ordering = ["at"]
        constraints = [
            models.UniqueConstraint(fields=["subscription", "at"], name="plan_change_once_a_minute"),
            models.CheckConstraint(
                condition=~models.Q(old_plan=models.F("new_plan")), name="plan_change_differs"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.old_plan} to {self.new_plan} at {self.at:%Y-%m-%d %H:%M}"
