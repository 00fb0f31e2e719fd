"""Who is invited to an API, in the admin console."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from accounts.verb_admin import VerbAdmin, person
from apis.invitations import invite, withdraw_invitation
from apis.models import ApiInvitation


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
