"""The chain of sealed hours, its head, and the marks of hours that wait for a seal."""

from django.db import models
from django.utils.timezone import now

from metering.packed import PackedJSONField


class UsageMark(models.Model):
    """An hour of a developer whose records changed since they were last sealed.

    `claimed` marks are being sealed: what comes in meanwhile makes a mark of its own.
    """

    pk = models.CompositePrimaryKey("claimed", "organization_id", "at")
    claimed = models.BooleanField(default=False)
    organization_id = models.CharField(max_length=10, help_text="The developer.")
    at = models.DateTimeField(help_text="Start of the hour (UTC).")

    def __str__(self) -> str:
        return f"{self.organization_id} {self.at:%Y-%m-%d %H:%M}"


class UsageChain(models.Model):
    """The head of a developer's chain; locked while a seal is added."""

    organization_id = models.CharField(max_length=10, primary_key=True, help_text="The developer.")
    number = models.PositiveBigIntegerField(default=0, help_text="Of the newest seal; 0 = none yet.")
    hash = models.CharField(max_length=64, blank=True)

    def __str__(self) -> str:
        return f"{self.organization_id} {self.number}"


class UsageSeal(models.Model):
    """The records of one hour of a developer that were new or had changed, and the hash that binds them.

    Numbers have no gap. A record that is gone is sealed with zeros. The database refuses to change a seal.
    """

    pk = models.CompositePrimaryKey("organization_id", "number")
    organization_id = models.CharField(max_length=10, help_text="The developer.")
    number = models.PositiveBigIntegerField()
    at = models.DateTimeField(help_text="Start of the hour (UTC).")
    sealed_at = models.DateTimeField(default=now)
    content = PackedJSONField(help_text='{"columns": [name], "records": [[text]]}, ordered.')
    previous = models.CharField(max_length=64, blank=True, help_text="The hash of the seal before.")
    hash = models.CharField(max_length=64, help_text="SHA-256, hexadecimal; metering/chain/content.py.")

    class Meta:
        indexes = [models.Index(fields=["organization_id", "at"], name="usage_seal_hour")]

    def __str__(self) -> str:
        return f"{self.organization_id} {self.number}"
