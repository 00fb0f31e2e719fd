"""A provider's month so far, as it was rated last."""

from django.db import models

from accounts.models import Organization


class SalesSnapshot(models.Model):
    """What the customers of a provider owe for the month so far. Worker tasks write it, pages show it.

    To rate everybody takes some 0.2 s for a thousand customers: too long for a page.
    """

    organization = models.OneToOneField(
        Organization, on_delete=models.CASCADE, primary_key=True, related_name="sales_snapshot"
    )
    asked_at = models.DateTimeField(null=True, help_text="When a worker was last asked for a newer one.")
    at = models.DateTimeField(null=True, help_text="The moment that it tells of; empty = none was made yet.")
    month_start = models.DateTimeField(null=True)
    payers = models.PositiveIntegerField(default=0, help_text="Customers; one with two currencies is one.")
    totals = models.JSONField(default=dict, help_text="Currency -> total, as text.")
    largest = models.JSONField(
        default=list,
        help_text="The largest customers, largest first: [customer's id, currency, requests, bytes out, total].",
    )

    def __str__(self) -> str:
        return f"Sales of {self.organization_id}"
