"""The website's look and own pages, for staff of the installation."""

import base64
import binascii
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from accounts.branding.models import Branding, SitePage
from rest.serializers.base import Strict, StrictModel

PAGE = ("title", "slug", "text", "position", "in_footer", "published")
LOGO_HELP = "Base64 of a PNG, JPEG, WebP or SVG of at most 200 kB; empty = Gatehouse's own."


class SitePageSerializer(serializers.ModelSerializer):
    """A page of the website, such as terms or an imprint."""

    class Meta:
        model = SitePage
        fields: tuple[str, ...] = ("id", *PAGE, "updated_at")
        read_only_fields: tuple[str, ...] = fields


class SitePageInput(StrictModel):
    # whether it is taken is the verb's own question
    slug = serializers.SlugField(max_length=60, required=False, help_text="Default: made from the title.")

    class Meta:
        model = SitePage
        fields: tuple[str, ...] = PAGE


class SitePageChange(SitePageInput):
    pass


class FooterLinkSerializer(Strict):
    label = serializers.CharField(max_length=60)  # type: ignore[assignment]
    url = serializers.CharField(max_length=500, help_text="http, https, mailto, or a path of ours.")


@extend_schema_field({"type": "string", "format": "byte"})
class LogoField(serializers.Field):
    """A picture as Base64."""

    def to_internal_value(self, data: Any) -> bytes:
        try:
            return base64.b64decode(data, validate=True)
        except (binascii.Error, TypeError, ValueError) as error:
            raise serializers.ValidationError("Give the picture as Base64.") from error

    def to_representation(self, value: Any) -> str:
        return base64.b64encode(bytes(value)).decode()


class BrandingSerializer(StrictModel):
    """The website's name, logo, accents and footer; empty = as built in."""

    logo = LogoField(required=False, help_text=LOGO_HELP)
    footer_links = FooterLinkSerializer(many=True, required=False, help_text="Up to 12.")

    class Meta:
        model = Branding
        fields: tuple[str, ...] = ("name", "logo", "accent_light", "accent_dark", "footer_links", "address")

    def to_representation(self, instance: Branding) -> dict[str, Any]:
        # a field whose value is None is not asked for its representation
        shown: dict[str, Any] = super().to_representation(instance)
        return shown | {"logo": shown["logo"] or ""}
