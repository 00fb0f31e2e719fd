"""`site-pages`, `branding`: the website, for staff of the installation."""

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.branding import change, pages
from accounts.branding.models import Branding, SitePage
from rest.filtersets import SitePageFilters
from rest.permissions import Need
from rest.serializers.website import BrandingSerializer, SitePageChange, SitePageInput, SitePageSerializer
from rest.views.base import Changeable, Creatable, Guarded, Listed, Made, Readable, Removable, Resource


class SitePageViews(Listed, Readable, Creatable, Changeable, Removable, Resource):
    """Pages of the website, such as terms or an imprint. Only staff of the installation write them."""

    model, noun, nouns, tag = SitePage, "page of the website", "pages of the website", "website"
    serializer_class = SitePageSerializer
    create_input, change_input = SitePageInput, SitePageChange
    filterset_class = SitePageFilters
    ordering_fields = ("position", "title", "updated_at")
    search_fields = ("title", "slug")
    lookup_value_regex = "[a-z0-9]{1,10}"
    read_need = write_need = Need.STAFF

    def get_queryset(self) -> QuerySet[Any]:
        return SitePage.objects.all()

    def make(self, data: dict[str, Any]) -> Made:
        return pages.create_site_page(actor=self.caller.user, **data)

    def change(self, row: SitePage, data: dict[str, Any]) -> None:
        pages.change_site_page(page=row, actor=self.caller.user, **data)

    def remove(self, row: SitePage) -> None:
        pages.delete_site_page(page=row, actor=self.caller.user)


class BrandingView(Guarded):
    """The website's look. Only staff of the installation see and change it here."""

    tag = "website"
    http_method_names = ["get", "patch", "head"]
    read_need = write_need = Need.STAFF

    @extend_schema(operation_id="branding_read", responses=BrandingSerializer)
    def get(self, request: Request) -> Response:
        """Read the website's name, logo, accents and footer."""
        return Response(BrandingSerializer(Branding.objects.first() or Branding()).data)

    @extend_schema(operation_id="branding_change", request=BrandingSerializer, responses=BrandingSerializer)
    def patch(self, request: Request) -> Response:
        """Change the website's look; it holds within a minute. Accents that cannot be read are refused."""
        reader = BrandingSerializer(data=request.data, partial=True, context={"request": request})
        reader.is_valid(raise_exception=True)
        row = change.change_branding(actor=self.caller.user, **reader.validated_data)
        return Response(BrandingSerializer(row).data)
