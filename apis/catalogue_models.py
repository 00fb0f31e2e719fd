"""What the catalogue shows of an API besides its versions: who is invited, and its pages."""

from typing import TYPE_CHECKING

from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils.timezone import now

from accounts.fields import ShortIdField
from accounts.models import Organization, User

if TYPE_CHECKING:
    from apis.models import Api

# as many as a portal product's page takes at Amazon API Gateway
MOST_TEXT = 32_768


class Visibility(models.TextChoices):
    """Who sees an API or a product in the catalogue."""

    PUBLIC = "public", "Everybody"
    SIGNED_IN = "signed_in", "Signed-in developers"
    INVITED = "invited", "Who is invited, and its own organization"
    PRIVATE = "private", "Only its own organization"


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

    @property
    def opens(self) -> "Api":
        """What the invited may see."""
        return self.api


class ApiPage(models.Model):
    """A page about an API that its provider writes, such as a guide."""

    id = ShortIdField()
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="api_pages")
    api = models.ForeignKey("apis.Api", on_delete=models.CASCADE, related_name="pages")
    title = models.CharField(max_length=255)
    slug = models.SlugField(
        max_length=60, help_text="Last part of its address; made from the title if empty."
    )
    text = models.TextField(blank=True, max_length=MOST_TEXT, help_text="Markdown.")
    position = models.PositiveIntegerField(default=0, help_text="Smaller ones come first.")
    published = models.BooleanField(default=True, help_text="Off = nobody sees it in the catalogue.")
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["api", "position", "title"]
        verbose_name = "API page"
        constraints = [models.UniqueConstraint(fields=["api", "slug"], name="api_page_once")]

    def __str__(self) -> str:
        return f"{self.api}: {self.title}"

    @property
    def about(self) -> "Api":
        return self.api
