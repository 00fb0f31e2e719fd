"""Invitations into an organization, and offers to hand it over."""

from django.db import models
from django.db.models import Q
from django.utils.timezone import now

from accounts.fields import ShortIdField


class InvitationState(models.TextChoices):
    OPEN = "open", "Open"
    EXPIRED = "expired", "Expired"
    ACCEPTED = "accepted", "Accepted"
    WITHDRAWN = "withdrawn", "Withdrawn"


class MemberInvitation(models.Model):
    """An address that may become a member. Its link holds a secret, of which we keep the hash."""

    id = ShortIdField()
    organization = models.ForeignKey(
        "accounts.Organization", on_delete=models.CASCADE, related_name="member_invitations"
    )
    email = models.EmailField(help_text="In lower case.")
    role = models.CharField(max_length=10)
    hash = models.CharField(max_length=64, unique=True, editable=False)
    invited_by = models.ForeignKey(
        "accounts.User", null=True, on_delete=models.SET_NULL, related_name="member_invitations"
    )
    created_at = models.DateTimeField(default=now, editable=False)
    sent_at = models.DateTimeField(default=now, editable=False)
    expires_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True, blank=True, editable=False)
    withdrawn_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "email"],
                condition=Q(accepted_at=None, withdrawn_at=None),
                name="member_invited_once",
            )
        ]

    def __str__(self) -> str:
        return f"{self.email} to {self.organization} as {self.role}"

    @property
    def state(self) -> InvitationState:
        """Where it stands at this moment."""
        if self.accepted_at is not None:
            return InvitationState.ACCEPTED
        if self.withdrawn_at is not None:
            return InvitationState.WITHDRAWN
        return InvitationState.EXPIRED if self.expires_at <= now() else InvitationState.OPEN


class OwnershipOffer(models.Model):
    """An owner wants to hand the organization over to a member, who has not answered yet."""

    id = ShortIdField()
    organization = models.OneToOneField(
        "accounts.Organization", on_delete=models.CASCADE, related_name="ownership_offer"
    )
    offered_by = models.ForeignKey("accounts.Member", on_delete=models.CASCADE, related_name="+")
    offered_to = models.ForeignKey("accounts.Member", on_delete=models.CASCADE, related_name="+")
    created_at = models.DateTimeField(default=now, editable=False)
    expires_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.organization} offered to {self.offered_to.user}"
