"""The audit trail: read only, for everybody."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from unfold.admin import ModelAdmin
from unfold.contrib.filters.admin import AutocompleteSelectFilter, RangeDateTimeFilter

from accounts.models import AuditEvent


@admin.register(AuditEvent)
class AuditEventAdmin(ModelAdmin):
    list_display = ("at", "organization", "actor_label", "action", "summary")
    list_filter = (
        ("at", RangeDateTimeFilter),
        ("organization", AutocompleteSelectFilter),
        ("actor", AutocompleteSelectFilter),
        "target_kind",
    )
    list_filter_submit = True
    list_select_related = ("organization",)
    search_fields = ("summary", "actor_label", "action", "target_id")
    show_full_result_count = False
    list_per_page = 50

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
