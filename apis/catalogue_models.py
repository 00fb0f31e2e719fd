"""What the catalogue shows of an API besides its versions: who is invited."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils.timezone import now

from accounts.fields import ShortIdField
from accounts.models import Organization, User


class ApiInvitation(models.Model):
    """Who may see an API whose visibility is `invited`: a person by e-mail address, or an organization."""

    id = ShortIdField()
    organization = models.ForeignKey(
        Organization, on_delete=models.CASCADE, related_name="api_invitations", help_text="The provider."
    )
    api = models.ForeignKey("apis.Api", on_delete=models.CASCADE, related_name="invitations")
    email = models.EmailField(blank=True, help_text="Of a person; she need not have an account yet.")
    invited = models.ForeignKey(
        Organization,
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="invitations_to_apis",
        help_text="All members of this organization.",
    )
    created_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(default=now, editable=False)

    class Meta:
        ordering = ["created_at"]
        verbose_name = "invitation"
        constraints = [
            models.CheckConstraint(
                condition=(Q(email="") & Q(invited__isnull=False)) | (~Q(email="") & Q(invited__isnull=True)),
                name="invitation_of_one",
            ),
            models.UniqueConstraint(
                "api", Lower("email"), condition=~Q(email=""), name="invited_address_once"
            ),
            models.UniqueConstraint(fields=["api", "invited"], name="invited_organization_once"),
        ]

    def __str__(self) -> str:
        return f"{self.email or self.invited} to {self.api}"
