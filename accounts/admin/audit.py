"""The audit trail: read only, for everybody."""

from django.contrib import admin
from unfold.contrib.filters.admin import AutocompleteSelectFilter, RangeDateTimeFilter

from accounts.models import AuditEvent
from accounts.read_only_admin import ReadOnly


@admin.register(AuditEvent)
class AuditEventAdmin(ReadOnly):
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
