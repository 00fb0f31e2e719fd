"""The admin console of usage batches: what nodes sent and what became of it."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.contrib.filters.admin import RangeDateTimeFilter

from accounts.read_only_admin import ReadOnly
from metering.models import UsageBatch


@admin.register(UsageBatch)
class UsageBatchAdmin(ReadOnly):
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
