"""The installation's look, and its own pages. Both belong to its staff, not to an organization."""

from django.db import models

MOST_TEXT = 32_768


class Branding(models.Model):
    """One row at most; none = as built in."""

    name = models.CharField(
        max_length=60, blank=True, help_text="Instead of Gatehouse, at the top of every page."
    )
    logo = models.BinaryField(null=True, editable=False)
    logo_type = models.CharField(max_length=40, blank=True, editable=False)
    accent_light = models.CharField(
        max_length=7, blank=True, help_text="Links and buttons on light pages, such as #2a55c9. Empty = blue."
    )
    accent_dark = models.CharField(
        max_length=7, blank=True, help_text="Links on dark pages, such as #93b2ff. Empty = light blue."
    )
    footer_links = models.JSONField(default=list, blank=True, help_text="[{label, url}]")
    address = models.CharField(
        max_length=260,
        blank=True,
        help_text="The website's own domain, such as https://developers.example.com; it must lead here already. "
        "Links in mails use it. Empty = GATEHOUSE_PORTAL_URL.",
    )
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name = "branding"
        verbose_name_plural = "branding"

    def __str__(self) -> str:
        return self.name or "Gatehouse"


class SitePage(models.Model):
    """A page of the website that staff write, such as terms or an imprint."""

    title = models.CharField(max_length=255)
    slug = models.SlugField(max_length=60, unique=True, help_text="Its address is /pages/{slug}/.")
    text = models.TextField(blank=True, max_length=MOST_TEXT, help_text="Markdown.")
    position = models.PositiveIntegerField(default=0, help_text="Smaller ones come first in the footer.")
    in_footer = models.BooleanField(default=True)
    published = models.BooleanField(default=True, help_text="Off = only staff see it, as a preview.")
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["position", "title"]
        verbose_name = "page"

    def __str__(self) -> str:
        return self.title
