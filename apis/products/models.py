"""What a product is made of. An operation stays in it through re-imports, because its row keeps its id."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils.timezone import now

from accounts.fields import ShortIdField
from accounts.models import Organization, User
from apis.catalogue_models import MOST_TEXT, Visibility


class Product(models.Model):
    """What readers find in the catalogue beside APIs: some operations of a provider's APIs, told as one thing."""

    id = ShortIdField()
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="products")
    title = models.CharField(max_length=120)
    slug = models.SlugField(max_length=60, unique=True, help_text="Its address is /products/{slug}/.")
    summary = models.CharField(max_length=200, blank=True)
    text = models.TextField(blank=True, max_length=MOST_TEXT, help_text="The overview, in Markdown.")
    visibility = models.CharField(max_length=10, choices=Visibility, default=Visibility.PUBLIC)
    published = models.BooleanField(default=False, help_text="Off = only its own organization sees it.")
    created_at = models.DateTimeField(default=now, editable=False)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["title"]

    def __str__(self) -> str:
        return self.title


class ProductOperation(models.Model):
    """An operation that a product shows, under a heading of its reference."""

    id = ShortIdField()
    organization = models.ForeignKey(
        Organization, on_delete=models.CASCADE, related_name="product_operations"
    )
    product = models.ForeignKey(Product, on_delete=models.CASCADE, related_name="chosen")
    operation = models.ForeignKey("apis.Operation", on_delete=models.CASCADE, related_name="in_products")
    section = models.CharField(max_length=80, blank=True, help_text="Heading; empty = the operation's tag.")
    position = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ["position"]
        verbose_name = "operation of a product"
        verbose_name_plural = "operations of products"
        constraints = [
            models.UniqueConstraint(fields=["product", "operation"], name="product_operation_once")
        ]

    def __str__(self) -> str:
        return f"{self.product}: {self.operation}"


class ProductPage(models.Model):
    """A page about a product, beside its overview and its reference."""

    id = ShortIdField()
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="product_pages")
    product = models.ForeignKey(Product, on_delete=models.CASCADE, related_name="pages")
    title = models.CharField(max_length=255)
    slug = models.SlugField(
        max_length=60, help_text="Last part of its address; made from the title if empty."
    )
    text = models.TextField(blank=True, max_length=MOST_TEXT, help_text="Markdown.")
    position = models.PositiveIntegerField(default=0, help_text="Smaller ones come first.")
    published = models.BooleanField(default=True, help_text="Off = readers do not see it.")
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["product", "position", "title"]
        verbose_name = "product page"
        constraints = [models.UniqueConstraint(fields=["product", "slug"], name="product_page_once")]

    def __str__(self) -> str:
        return f"{self.product}: {self.title}"

    @property
    def about(self) -> Product:
        return self.product


class ProductInvitation(models.Model):
    """Who may see a product whose visibility is `invited`: a person by e-mail address, or an organization."""

    id = ShortIdField()
    organization = models.ForeignKey(
        Organization, on_delete=models.CASCADE, related_name="product_invitations", help_text="The provider."
    )
    product = models.ForeignKey(Product, on_delete=models.CASCADE, related_name="invitations")
    email = models.EmailField(blank=True, help_text="Of a person; she need not have an account yet.")
    invited = models.ForeignKey(
        Organization,
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="invitations_to_products",
        help_text="All members of this organization.",
    )
    created_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(default=now, editable=False)

    class Meta:
        ordering = ["created_at"]
        verbose_name = "invitation to a product"
        verbose_name_plural = "invitations to products"
        constraints = [
            models.CheckConstraint(
                condition=(Q(email="") & Q(invited__isnull=False)) | (~Q(email="") & Q(invited__isnull=True)),
                name="product_invitation_of_one",
            ),
            models.UniqueConstraint(
                "product", Lower("email"), condition=~Q(email=""), name="product_invited_address_once"
            ),
            models.UniqueConstraint(fields=["product", "invited"], name="product_invited_organization_once"),
        ]

    def __str__(self) -> str:
        return f"{self.email or self.invited} to {self.product}"

    @property
    def opens(self) -> Product:
        """What the invited may see."""
        return self.product
