"""The website's look and own pages in the admin console."""

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from accounts.branding.change import change_branding, cleaned_look
from accounts.branding.forms import BrandingForm, settings_of
from accounts.branding.models import Branding, SitePage
from accounts.branding.pages import CHANGEABLE, change_site_page, create_site_page, delete_site_page
from accounts.drafts.admin import DraftAdmin
from accounts.verb_admin import person

FIELDS = ("name", "logo_file", "remove_logo", "accent_light", "accent_dark", "links", "address")


@admin.register(Branding)
class BrandingAdmin(DraftAdmin):
    """One row at most."""

    form = BrandingForm
    fields = FIELDS

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        row = Branding.objects.first()
        if row is not None:
            return redirect("admin:accounts_branding_change", row.pk)
        if self.has_add_permission(request):
            return redirect("admin:accounts_branding_add")
        return super().changelist_view(request, extra_context)

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        row = Branding.objects.first()
        if row is not None:
            return redirect("admin:accounts_branding_change", row.pk)
        return super().add_view(request, form_url, extra_context)

    def previewed(self, row: Branding) -> tuple[str, str]:
        return "website", str(row.pk)

    def drafted(self, given: dict[str, Any]) -> dict[str, Any]:
        # a preview shows it: colours and links are checked as those of readers are
        return cleaned_look(settings_of(given))

    def create(self, request: HttpRequest, data: dict[str, Any]) -> Branding:
        return self._change(request, data)

    def change(self, request: HttpRequest, row: Branding, data: dict[str, Any]) -> None:
        self._change(request, data)

    def _change(self, request: HttpRequest, data: dict[str, Any]) -> Branding:
        return change_branding(**settings_of(data), actor=person(request))


class SitePageForm(forms.ModelForm):
    class Meta:
        model = SitePage
        fields = CHANGEABLE

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["slug"].required = False


@admin.register(SitePage)
class SitePageAdmin(DraftAdmin):
    form = SitePageForm
    list_display = ("title", "slug", "position", "in_footer", "published", "updated_at")
    list_filter = ("published", "in_footer")
    search_fields = ("title", "slug")

    def previewed(self, row: SitePage) -> tuple[str, str]:
        return "website", "1"

    def create(self, request: HttpRequest, data: dict[str, Any]) -> SitePage:
        return create_site_page(**data, actor=person(request))

    def change(self, request: HttpRequest, row: SitePage, data: dict[str, Any]) -> None:
        change_site_page(page=row, actor=person(request), **data)

    def remove(self, request: HttpRequest, row: SitePage) -> None:
        delete_site_page(page=row, actor=person(request))
