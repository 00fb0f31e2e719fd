"""Bearer tokens of the management API."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.contrib.filters.admin import RangeDateTimeFilter
from unfold.decorators import action, display

from accounts.models import ApiToken
from accounts.tokens import create_token, revoke_token
from accounts.verb_admin import VerbAdmin, person, show_once

GIVEN = ("organization", "user", "name", "read_only", "expires_at")


@admin.register(ApiToken)
class ApiTokenAdmin(VerbAdmin):
    """Made and revoked, never changed; the text is shown once, in the message after it was made."""

    list_display = ("name", "prefix", "organization", "user", "shown_state", "read_only", "last_used_at")
    list_filter = (
        ("revoked_at", admin.EmptyFieldListFilter),
        "read_only",
        ("created_at", RangeDateTimeFilter),
    )
    list_filter_submit = True
    list_select_related = ("organization", "user")
    search_fields = ("name", "prefix", "user__email", "organization__name")
    autocomplete_fields = ("organization", "user")
    actions = ("revoke",)

    def get_fields(self, request: HttpRequest, obj: ApiToken | None = None) -> tuple[str, ...]:
        return GIVEN if obj is None else (*GIVEN, "prefix", "created_at", "last_used_at", "revoked_at")

    def has_change_permission(self, request: HttpRequest, obj: ApiToken | None = None) -> bool:
        """The list asks for its actions; a single token cannot be changed, only seen."""
        return obj is None and super().has_change_permission(request)

    @display(description="State", label={"Living": "success", "Revoked": "danger", "Expired": "warning"})
    def shown_state(self, token: ApiToken) -> str:
        return token.state

    def create(self, request: HttpRequest, data: dict[str, Any]) -> ApiToken:
        token, text = create_token(**data, actor=person(request))
        show_once(request, "token", text)
        return token

    @action(description="Revoke", permissions=["change"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[ApiToken]) -> None:
        actor = person(request)
        self.each(request, queryset, lambda row: revoke_token(token=row, actor=actor), "Revoked")
