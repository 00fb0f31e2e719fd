"""Customers whom a provider shut out."""

from django.db import models
from django.utils.timezone import now

from accounts.models import Organization, User


class CustomerSuspension(models.Model):
    """A time in which a provider serves a customer nothing. While `lifted_at` is empty none of the customer's
    subscriptions to its plans is active, and no new one begins."""

    organization = models.ForeignKey(
        Organization,
        on_delete=models.CASCADE,
        related_name="customer_suspensions",
        help_text="The provider.",
    )
    customer = models.ForeignKey(
        Organization, on_delete=models.CASCADE, related_name="suspensions_as_customer"
    )
    reason = models.CharField(max_length=200, help_text="The customer reads it.")
    suspended_at = models.DateTimeField(default=now)
    suspended_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    lifted_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-suspended_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "customer"],
                condition=models.Q(lifted_at__isnull=True),
                name="customer_suspended_once",
            )
        ]

    def __str__(self) -> str:
        return f"{self.customer} suspended by {self.organization}"
