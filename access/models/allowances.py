"""How many more calls a subscription may make because of what they cost. Written by billing, read by nodes."""

from django.db import models
from django.utils.timezone import now


class CallAllowance(models.Model):
    """The bound that money sets to one subscription's calls. One row at most for each; none = no bound.

    `further` counts from `counted` on: of the quota window that began at `window_starts_at`, `counted` calls were
    metered when it was written, and so many more may follow. Nodes spend it from leases (`nodes/allowance.py`).
    """

    organization = models.ForeignKey(
        "accounts.Organization", on_delete=models.CASCADE, related_name="call_allowances"
    )
    subscription = models.OneToOneField(
        "access.Subscription", on_delete=models.CASCADE, related_name="allowance"
    )
    further = models.PositiveBigIntegerField(
        null=True, blank=True, help_text="Empty = the number of calls has no bound."
    )
    counted = models.PositiveBigIntegerField(default=0)
    window_starts_at = models.DateTimeField()
    unleased = models.PositiveBigIntegerField(
        null=True,
        blank=True,
        help_text="Of the counted calls, those that were made without a lease; empty = not known yet.",
    )
    stopped_until = models.DateTimeField(null=True, blank=True, help_text="Until then every call is refused.")
    reason = models.CharField(max_length=200, blank=True, help_text="Told to refused callers.")

    def __str__(self) -> str:
        return f"Allowance of {self.subscription_id}"

    @property
    def is_stopped(self) -> bool:
        """Whether calls are refused just now."""
        return self.stopped_until is not None and now() < self.stopped_until

    @property
    def entry_part(self) -> tuple[object, ...]:
        """What nodes' entries tell of it."""
        return self.stopped_until, self.reason
