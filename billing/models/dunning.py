"""What was done about late payment: notices, and subscriptions that wait for the money."""

from django.db import models
from django.utils.timezone import now

from access.models import Subscription
from accounts.models import Organization
from billing.models.invoices import Invoice


class DunningStep(models.TextChoices):
    WARNING = "warning", "Warning"
    SUSPENSION = "suspension", "Subscriptions suspended"
    RESUMPTION = "resumption", "Subscriptions resumed"


class DunningNotice(models.Model):
    """What the customer is told about a late invoice, once for each step and number of days."""

    organization = models.ForeignKey(
        Organization, on_delete=models.PROTECT, related_name="dunning_notices", help_text="The provider."
    )
    customer = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="received_notices")
    invoice = models.ForeignKey(Invoice, on_delete=models.PROTECT, related_name="notices")
    step = models.CharField(max_length=10, choices=DunningStep)
    day = models.PositiveSmallIntegerField(help_text="Days after the due date that it was meant for.")
    created_at = models.DateTimeField(default=now)
    sent_at = models.DateTimeField(null=True, blank=True, help_text="Empty = the mail is still to be sent.")

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["invoice", "step", "day"],
                condition=~models.Q(step=DunningStep.RESUMPTION),
                name="dunning_notice_once",
            ),
        ]
        indexes = [
            # "which mails wait?"
            models.Index(
                fields=["created_at"], condition=models.Q(sent_at__isnull=True), name="dunning_unsent"
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_step_display()} after {self.day} days about {self.invoice}"


class DunningHold(models.Model):
    """A subscription that is suspended because an invoice was not paid; lifted once everything late is paid."""

    organization = models.ForeignKey(
        Organization, on_delete=models.PROTECT, related_name="dunning_holds", help_text="The provider."
    )
    customer = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="suffered_holds")
    subscription = models.ForeignKey(Subscription, on_delete=models.PROTECT, related_name="dunning_holds")
    invoice = models.ForeignKey(
        Invoice, on_delete=models.PROTECT, related_name="holds", help_text="The oldest that is late."
    )
    suspended_at = models.DateTimeField(default=now)
    lifted_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-suspended_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["subscription"], condition=models.Q(lifted_at__isnull=True), name="dunning_hold_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.subscription} waits for {self.invoice}"
