"""The admin console of usage batches: what nodes sent and what became of it."""

from django.contrib import admin
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from unfold.admin import ModelAdmin
from unfold.contrib.filters.admin import RangeDateTimeFilter

from metering.models import UsageBatch


@admin.register(UsageBatch)
class UsageBatchAdmin(ModelAdmin):
    """Only nodes write batches; nobody edits a count."""

    list_display = (
        "node_id",
        "spool",
        "sequence",
        "calls",
        "aggregated",
        "refused_unknown",
        "received_at",
        "processed_at",
    )
    list_filter = (
        ("processed_at", admin.EmptyFieldListFilter),
        ("received_at", RangeDateTimeFilter),
        "node_id",
    )
    list_filter_submit = True
    search_fields = ("node_id", "spool")
    ordering = ("-received_at", "-pk")

    def get_queryset(self, request: HttpRequest) -> QuerySet[UsageBatch]:
        rows: QuerySet[UsageBatch] = super().get_queryset(request)
        # the list shows no rows, and they are large
        return (
            rows
            if request.resolver_match and "object_id" in request.resolver_match.kwargs
            else rows.defer("rows")
        )

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False
