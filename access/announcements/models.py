"""Announcements, who gets them, and who wants no news."""

from django.db import models
from django.utils.timezone import now

from accounts.fields import ShortIdField


class AnnouncementKind(models.TextChoices):
    """Whether it must reach everybody."""

    SERVICE = "service", "About the service: changes, outages, ends. Goes to everybody"
    NEWS = "news", "News: goes to those who did not unsubscribe"


class Audience(models.TextChoices):
    EVERYBODY = "everybody", "All developers"
    API = "api", "Developers of an API"
    PLAN = "plan", "Developers on a plan"


class AnnouncementState(models.TextChoices):
    DRAFT = "draft", "Draft"
    SENDING = "sending", "Being sent"
    SENT = "sent", "Sent"


class Announcement(models.Model):
    """A mail from a provider to its developers. Once queued it never changes."""

    id = ShortIdField()
    organization = models.ForeignKey(
        "accounts.Organization",
        on_delete=models.CASCADE,
        related_name="announcements",
        help_text="The provider.",
    )
    subject = models.CharField(max_length=150)
    text = models.TextField(max_length=10_000, help_text="Plain text.")
    kind = models.CharField(max_length=7, choices=AnnouncementKind, default=AnnouncementKind.SERVICE)
    audience = models.CharField(max_length=9, choices=Audience, default=Audience.EVERYBODY)
    api = models.ForeignKey(
        "apis.Api", null=True, blank=True, on_delete=models.SET_NULL, related_name="announcements"
    )
    plan = models.ForeignKey(
        "access.UsagePlan", null=True, blank=True, on_delete=models.SET_NULL, related_name="announcements"
    )
    state = models.CharField(max_length=7, choices=AnnouncementState, default=AnnouncementState.DRAFT)
    created_by = models.ForeignKey("accounts.User", null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(default=now, editable=False)
    queued_at = models.DateTimeField(null=True, blank=True)
    sent_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return self.subject


class RecipientState(models.TextChoices):
    WAITING = "waiting", "Waiting"
    SENT = "sent", "Sent"
    FAILED = "failed", "Failed"


class AnnouncementRecipient(models.Model):
    """One person's copy of an announcement, made when it is queued."""

    organization = models.ForeignKey(
        "accounts.Organization", on_delete=models.CASCADE, related_name="announcement_recipients"
    )
    announcement = models.ForeignKey(Announcement, on_delete=models.CASCADE, related_name="recipients")
    user = models.ForeignKey("accounts.User", null=True, on_delete=models.SET_NULL, related_name="+")
    address = models.EmailField()
    state = models.CharField(max_length=7, choices=RecipientState, default=RecipientState.WAITING)
    tries = models.PositiveSmallIntegerField(default=0)
    error = models.CharField(max_length=200, blank=True)
    done_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["announcement", "address"], name="announcement_recipient_once")
        ]
        indexes = [
            models.Index(
                fields=["announcement"],
                condition=models.Q(state="waiting"),
                name="announcement_waiting",
            )
        ]

    def __str__(self) -> str:
        return f"{self.announcement} to {self.address}"


class NewsOptOut(models.Model):
    """Somebody who wants no news from a provider."""

    organization = models.ForeignKey(
        "accounts.Organization",
        on_delete=models.CASCADE,
        related_name="news_opt_outs",
        help_text="The provider.",
    )
    user = models.ForeignKey("accounts.User", on_delete=models.CASCADE, related_name="news_opt_outs")
    at = models.DateTimeField(default=now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["organization", "user"], name="news_opt_out_once")]

    def __str__(self) -> str:
        return f"{self.user} wants no news of {self.organization}"
