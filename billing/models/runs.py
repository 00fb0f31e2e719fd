"""Runs that close a month, and the chunks of customers that workers take from them."""

from datetime import timedelta
from decimal import Decimal

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.timezone import now

from accounts.fields import ShortIdField
from accounts.models import Organization, User
from billing.periods import Period, month_of


class RunState(models.TextChoices):
    RUNNING = "running", "Running"
    DONE = "done", "Done"
    FAILED = "failed", "Failed for some customers"


class BillingRun(models.Model):
    """One closing of a provider's month. Its counters move as its chunks are done."""

    id = ShortIdField()
    organization = models.ForeignKey(
        Organization, on_delete=models.CASCADE, related_name="billing_runs", help_text="The provider."
    )
    month_start = models.DateTimeField(help_text="Start of the calendar month that it bills.")
    until = models.DateTimeField(help_text="When it began: use until then is billed, as far as it is known.")
    corrections = models.BooleanField(
        default=False, help_text="Bill late counts of customers whose month is closed, too."
    )
    state = models.CharField(max_length=8, choices=RunState, default=RunState.RUNNING)
    customers = models.PositiveIntegerField(default=0, help_text="To look at.")
    customers_done = models.PositiveIntegerField(default=0)
    chunks = models.PositiveIntegerField(default=0)
    chunks_done = models.PositiveIntegerField(default=0)
    invoices = models.PositiveIntegerField(default=0, help_text="Issued so far.")
    amounts = models.JSONField(default=dict, help_text="Currency -> total of the invoices, as text.")
    error = models.TextField(blank=True, help_text="What went wrong last.")
    actor = models.ForeignKey(
        User, null=True, on_delete=models.SET_NULL, related_name="billing_runs", help_text="Empty = the beat."
    )
    started_at = models.DateTimeField(default=now)
    seen_at = models.DateTimeField(default=now, help_text="When a worker last finished a chunk.")
    finished_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-started_at", "-id"]
        indexes = [models.Index(fields=["organization", "-started_at"], name="billing_run_of_provider")]
        constraints = [
            models.UniqueConstraint(
                fields=["organization"],
                condition=models.Q(state=RunState.RUNNING),
                name="billing_run_one_at_a_time",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.period.label} of {self.organization}"

    @property
    def period(self) -> Period:
        return month_of(self.month_start, self.organization.timezone)

    @property
    def totals(self) -> dict[str, Decimal]:
        """Currency -> total of the invoices."""
        return {currency: Decimal(amount) for currency, amount in self.amounts.items()}

    @property
    def percent(self) -> int:
        """How much of it is done, from 0 to 100; 100 only when it all is."""
        return 100 if not self.customers else self.customers_done * 100 // self.customers

    @property
    def seconds(self) -> float:
        """For how long it has been running, or ran."""
        return ((self.finished_at or now()) - self.started_at).total_seconds()

    @property
    def rate(self) -> float:
        """Customers a second."""
        return self.customers_done / self.seconds if self.seconds else 0.0

    @property
    def left(self) -> timedelta | None:
        """How long it will take, at the rate so far; None = it does not run, or nothing is done yet."""
        if self.state != RunState.RUNNING or not self.customers_done:
            return None
        return timedelta(seconds=round((self.customers - self.customers_done) / self.rate))


class ChunkState(models.TextChoices):
    OPEN = "open", "Open"
    DONE = "done", "Done"
    FAILED = "failed", "Failed"


class BillingChunk(models.Model):
    """Payers that are billed in one transaction. Its worker holds the row's lock; if it dies, that is free again."""

    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="billing_chunks")
    run = models.ForeignKey(BillingRun, on_delete=models.CASCADE, related_name="parts")
    number = models.PositiveIntegerField()
    payers = ArrayField(models.CharField(max_length=10), help_text="Ids of organizations.")
    state = models.CharField(max_length=6, choices=ChunkState, default=ChunkState.OPEN)
    error = models.TextField(blank=True)

    class Meta:
        ordering = ["number"]
        constraints = [models.UniqueConstraint(fields=["run", "number"], name="billing_chunk_once")]
        indexes = [
            # "what is still to do?"
            models.Index(
                fields=["run", "number"],
                name="billing_chunk_open",
                condition=models.Q(state=ChunkState.OPEN),
            ),
        ]

    def __str__(self) -> str:
        return f"Part {self.number} of {self.run}"
