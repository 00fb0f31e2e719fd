"""What a developer wants to spend in a month, and what was told when."""

from django.db import models
from django.utils.timezone import now

from access.models import Application, Subscription
from accounts.fields import ShortIdField
from accounts.models import Organization
from accounts.percents import usual_percents


class Budget(models.Model):
    """An amount for each calendar month, of all the organization's costs or of those of one thing.

    With `stops` it is a spend cap: calls are refused once the month's costs so far reach it.
    """

    id = ShortIdField()
    organization = models.ForeignKey(
        Organization, on_delete=models.CASCADE, related_name="budgets", help_text="The developer's."
    )
    name = models.CharField(max_length=80)
    application = models.ForeignKey(
        Application,
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="budgets",
        help_text="Empty = not of one application.",
    )
    subscription = models.ForeignKey(
        Subscription,
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="budgets",
        help_text="Empty = not of one subscription.",
    )
    whole_group = models.BooleanField(
        default=False, help_text="Also the costs of organizations that it pays for: its billing group."
    )
    currency = models.CharField(max_length=3, help_text="Costs in other currencies are not counted.")
    amount = models.DecimalField(max_digits=24, decimal_places=12)
    percents = models.JSONField(
        default=usual_percents,
        blank=True,
        help_text="Whole percents of the amount at which to tell, such as [50, 80, 100].",
    )
    stops = models.BooleanField(default=False, help_text="Refuse calls once the amount is reached.")
    mails = models.BooleanField(default=True, help_text="Send mail, too; webhooks are always sent.")
    period = models.CharField(
        max_length=7, blank=True, editable=False, help_text="Month of `spent`: 2026-11."
    )
    spent = models.DecimalField(max_digits=24, decimal_places=12, default=0, editable=False)
    spent_at = models.DateTimeField(null=True, blank=True, editable=False)
    created_at = models.DateTimeField(default=now, editable=False)

    class Meta:
        ordering = ["name", "id"]
        constraints = [
            models.UniqueConstraint(fields=["organization", "name"], name="budget_name_once"),
            models.CheckConstraint(condition=models.Q(amount__gt=0), name="budget_amount_positive"),
            models.CheckConstraint(
                condition=models.Q(application__isnull=True) | models.Q(subscription__isnull=True),
                name="budget_of_one_thing",
            ),
            models.CheckConstraint(
                condition=models.Q(whole_group=False)
                | models.Q(application__isnull=True, subscription__isnull=True),
                name="budget_of_a_group_is_of_all",
            ),
        ]
        indexes = [
            # the caps that are looked at every few seconds
            models.Index(fields=["organization"], condition=models.Q(stops=True), name="budget_caps"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def scope(self) -> str:
        """`group`, `organization`, `application` or `subscription`."""
        if self.subscription_id:
            return "subscription"
        if self.application_id:
            return "application"
        return "group" if self.whole_group else "organization"

    @property
    def is_reached(self) -> bool:
        """Whether all of it was spent when somebody last looked."""
        return self.spent >= self.amount

    def covers(self, subscription: Subscription, payer_id: str = "") -> bool:
        """Whether the costs of a subscription, which `payer_id` pays, count."""
        if self.subscription_id:
            return subscription.pk == self.subscription_id
        if self.application_id:
            return subscription.application_id == self.application_id
        if self.whole_group and payer_id == self.organization_id:
            return True
        return subscription.organization_id == self.organization_id


class BudgetAlert(models.Model):
    """A part of a budget that was reached in a month. Once for each, however often anybody looks."""

    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="budget_alerts")
    budget = models.ForeignKey(Budget, on_delete=models.CASCADE, related_name="alerts")
    period = models.CharField(max_length=7)
    percent = models.PositiveSmallIntegerField()
    amount = models.DecimalField(
        max_digits=24, decimal_places=12, help_text="Of the budget then: another amount is told anew."
    )
    spent = models.DecimalField(max_digits=24, decimal_places=12)
    told = models.BooleanField(default=True, help_text="No = it had been told before the amount was changed.")
    at = models.DateTimeField(default=now)

    class Meta:
        ordering = ["-at", "-percent"]
        constraints = [
            models.UniqueConstraint(
                fields=["budget", "period", "percent", "amount"], name="budget_alert_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.percent} % of {self.budget_id} in {self.period}"
