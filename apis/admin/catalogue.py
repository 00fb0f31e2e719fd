"""Who is invited to an API, and its pages, in the admin console."""

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest

from accounts.drafts.admin import DraftAdmin
from accounts.verb_admin import VerbAdmin, person
from apis.invitations import invite, withdraw_invitation
from apis.models import ApiInvitation, ApiPage
from apis.pages import change_page, create_page, delete_page


@admin.register(ApiInvitation)
class ApiInvitationAdmin(VerbAdmin):
    list_display = ("api", "email", "invited", "created_by", "created_at")
    list_filter = ("api",)
    list_filter_submit = True
    list_select_related = ("api", "invited", "created_by")
    search_fields = ("api__name", "email", "invited__name")
    autocomplete_fields = ("api", "invited")
    fields = ("api", "email", "invited")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def create(self, request: HttpRequest, data: dict[str, Any]) -> ApiInvitation:
        return invite(**data, actor=person(request))

    def remove(self, request: HttpRequest, row: ApiInvitation) -> None:
        withdraw_invitation(invitation=row, actor=person(request))


class ApiPageForm(forms.ModelForm):
    class Meta:
        model = ApiPage
        fields = ("api", "title", "slug", "text", "position", "published")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["slug"].required = False


@admin.register(ApiPage)
class ApiPageAdmin(DraftAdmin):
    form = ApiPageForm
    list_display = ("title", "api", "slug", "position", "published", "updated_at")
    list_filter = ("api", "published")
    list_filter_submit = True
    list_select_related = ("api",)
    search_fields = ("title", "slug", "api__name")
    autocomplete_fields = ("api",)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return ("api",) if obj else ()

    def create(self, request: HttpRequest, data: dict[str, Any]) -> ApiPage:
        return create_page(**data, actor=person(request))

    def previewed(self, row: ApiPage) -> tuple[str, str]:
        return "api", row.api_id

    def change(self, request: HttpRequest, row: ApiPage, data: dict[str, Any]) -> None:
        change_page(page=row, actor=person(request), **data)

    def remove(self, request: HttpRequest, row: ApiPage) -> None:
        delete_page(page=row, actor=person(request))
