"""Who looked at the site as whom, when and why, and who lets staff make changes."""

from django.db import models
from django.utils.timezone import now

from accounts.fields import ShortIdField


class HelpConsent(models.Model):
    """An organization lets the staff who see the site as one of its members make changes, for a time."""

    organization = models.OneToOneField(
        "accounts.Organization", on_delete=models.CASCADE, primary_key=True, related_name="help_consent"
    )
    until = models.DateTimeField()
    given_by = models.ForeignKey(
        "accounts.User", null=True, on_delete=models.SET_NULL, related_name="help_consents"
    )

    def __str__(self) -> str:
        return f"{self.organization} until {self.until:%Y-%m-%d %H:%M}"


class HelpSession(models.Model):
    """A time in which one of the staff sees the site as a member of an organization does."""

    id = ShortIdField()
    organization = models.ForeignKey(
        "accounts.Organization", on_delete=models.CASCADE, related_name="help_sessions"
    )
    person = models.ForeignKey(
        "accounts.User", on_delete=models.CASCADE, related_name="help_received", help_text="Who is looked at."
    )
    staff = models.ForeignKey(
        "accounts.User", on_delete=models.CASCADE, related_name="help_given", help_text="Who looks."
    )
    reason = models.CharField(max_length=200)
    acts = models.BooleanField(
        default=False, help_text="Whether she makes changes, too, while the organization lets her."
    )
    began_at = models.DateTimeField(default=now)
    ends_at = models.DateTimeField(help_text="At the latest.")
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-began_at"]
        indexes = [
            models.Index(
                fields=["ends_at"], condition=models.Q(ended_at__isnull=True), name="help_session_open"
            )
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["staff"], condition=models.Q(ended_at__isnull=True), name="help_session_once_a_person"
            )
        ]

    def __str__(self) -> str:
        return f"{self.staff} as {self.person}"
