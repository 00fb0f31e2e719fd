"""People, the organizations they belong to, and what they did."""

from typing import Any, ClassVar

from django.contrib.auth.base_user import BaseUserManager
from django.contrib.auth.models import AbstractUser
from django.db import models
from django.db.models.functions import Lower
from django.utils.timezone import now

# Django finds a room's models here
from accounts.branding.models import Branding, SitePage  # noqa: F401
from accounts.drafts.models import Draft  # noqa: F401
from accounts.fields import ShortIdField
from accounts.helping.models import HelpSession  # noqa: F401
from accounts.teams.models import MemberInvitation, OwnershipOffer  # noqa: F401
from accounts.webhooks.models import WebhookDelivery, WebhookEndpoint, WebhookEvent  # noqa: F401


class UserManager(BaseUserManager["User"]):
    """Makes users that sign in with their e-mail address."""

    use_in_migrations = True

    def create_user(self, email: str, password: str | None = None, **extra: Any) -> "User":
        user = self.model(email=self.normalize_email(email), **extra)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **extra: Any) -> "User":
        return self.create_user(email, password, is_staff=True, is_superuser=True, **extra)


class User(AbstractUser):
    """A person. `is_staff` makes her staff of the installation: she may use the admin console."""

    username = None  # type: ignore[assignment]
    first_name = None  # type: ignore[assignment]
    last_name = None  # type: ignore[assignment]
    email = models.EmailField(unique=True)
    name = models.CharField(max_length=150, blank=True)

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []
    objects: ClassVar[UserManager] = UserManager()  # type: ignore[assignment]

    class Meta:
        constraints = [models.UniqueConstraint(Lower("email"), name="user_email_once")]

    def __str__(self) -> str:
        return self.email

    def get_full_name(self) -> str:
        return self.name or self.email

    def get_short_name(self) -> str:
        return self.name or self.email.split("@")[0]


class Organization(models.Model):
    """A tenant: the provider of some APIs and the developer of others."""

    id = ShortIdField()
    name = models.CharField(max_length=120)
    slug = models.SlugField(max_length=60, unique=True)
    billing_email = models.EmailField(blank=True)
    timezone = models.CharField(max_length=64, default="UTC", help_text="IANA name, such as Europe/Berlin.")
    suspended_at = models.DateTimeField(
        null=True, blank=True, help_text="Set = every key of the organization is refused."
    )
    closed_at = models.DateTimeField(
        null=True,
        blank=True,
        editable=False,
        help_text="Set = it was closed for good; only records are left.",
    )
    billing_parent = models.ForeignKey(
        "self",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="billing_children",
        help_text="Who pays for what it uses; empty = itself.",
    )
    asked_billing_parent = models.ForeignKey(
        "self",
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="asking_billing_children",
        help_text="Whom it asked to pay, and who has not answered.",
    )
    created_at = models.DateTimeField(default=now, editable=False)

    class Meta:
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(
                condition=~models.Q(billing_parent=models.F("id")), name="organization_not_its_own_parent"
            )
        ]

    def __str__(self) -> str:
        return self.name


class BillingMembership(models.Model):
    """A time in which one organization (the parent) paid for another: the history of `billing_parent`.

    Who is the parent when a month ends pays for the whole month.
    """

    organization = models.ForeignKey(
        Organization, on_delete=models.PROTECT, related_name="billing_memberships", help_text="The child."
    )
    parent = models.ForeignKey(
        Organization, on_delete=models.PROTECT, related_name="billing_child_memberships"
    )
    joined_at = models.DateTimeField(default=now)
    left_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["joined_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["organization"],
                condition=models.Q(left_at__isnull=True),
                name="one_billing_parent_at_a_time",
            )
        ]

    def __str__(self) -> str:
        return f"{self.organization} paid by {self.parent}"


class Role(models.TextChoices):
    """What a member may do in her organization, from most to least."""

    OWNER = "owner", "Owner"
    ADMIN = "admin", "Admin"
    MEMBER = "member", "Member"
    BILLING = "billing", "Billing"
    LIMITED = "limited", "Limited to chosen APIs"


class Member(models.Model):
    """A person's place in an organization."""

    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="members")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=10, choices=Role, default=Role.MEMBER)
    created_at = models.DateTimeField(default=now, editable=False)

    class Meta:
        ordering = ["created_at"]
        constraints = [models.UniqueConstraint(fields=["organization", "user"], name="member_once")]

    def __str__(self) -> str:
        return f"{self.user} in {self.organization} ({self.role})"


class ApiToken(models.Model):
    """A bearer token for `/api/v1/`; it acts for one member of one organization."""

    id = ShortIdField()
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="api_tokens")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="api_tokens")
    name = models.CharField(max_length=80)
    prefix = models.CharField(max_length=16, editable=False)
    hash = models.CharField(max_length=64, unique=True, editable=False)
    read_only = models.BooleanField(default=False)
    expires_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True, editable=False)
    revoked_at = models.DateTimeField(null=True, blank=True, editable=False)
    created_at = models.DateTimeField(default=now, editable=False)

    class Meta:
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"

    @property
    def state(self) -> str:
        """Revoked, Expired or Living, at this moment."""
        if self.revoked_at is not None:
            return "Revoked"
        return "Expired" if self.expires_at is not None and self.expires_at <= now() else "Living"


class AuditEvent(models.Model):
    """One line of the audit trail: who changed what, and when. Written once, never edited."""

    organization = models.ForeignKey(
        Organization, null=True, on_delete=models.CASCADE, related_name="audit_events"
    )
    at = models.DateTimeField(default=now)
    actor = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="audit_events")
    actor_label = models.CharField(max_length=200, help_text="Kept when the person is deleted.")
    action = models.CharField(max_length=60, help_text="Such as stage.deployed or key.revoked.")
    target_kind = models.CharField(max_length=40)
    target_id = models.CharField(max_length=40)
    summary = models.CharField(max_length=300)
    changes = models.JSONField(default=dict)

    class Meta:
        ordering = ["-at", "-id"]
        indexes = [
            # the audit page of one organization, newest first
            models.Index(fields=["organization", "-at"], name="audit_org_at"),
            # "what happened to this thing?"
            models.Index(fields=["target_kind", "target_id"], name="audit_target"),
        ]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M} {self.actor_label}: {self.summary}"
