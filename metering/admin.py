"""The admin console of usage: what nodes sent, what became of it, and what is missing."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.contrib.filters.admin import RangeDateTimeFilter

from accounts.read_only_admin import ReadOnly
from metering.models import UsageBatch, UsageGap, UsageReconciliation


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


@admin.register(UsageReconciliation)
class UsageReconciliationAdmin(ReadOnly):
    """Calls that came in on a day = counted + rejected + waiting."""

    list_display = (
        "day",
        "node_id",
        "spool",
        "batches",
        "calls",
        "aggregated",
        "rejected",
        "waiting",
        "shown_difference",
    )
    list_filter = ("day", "node_id")
    search_fields = ("node_id", "spool")
    ordering = ("-day", "node_id")

    @admin.display(description="difference")
    def shown_difference(self, account: UsageReconciliation) -> str:
        return str(account.difference) if account.difference else "none"


@admin.register(UsageGap)
class UsageGapAdmin(ReadOnly):
    """Batches that never came, though later ones of the same spool did."""

    list_display = ("node_id", "spool", "first_sequence", "last_sequence", "found_at", "closed_at")
    list_filter = (("closed_at", admin.EmptyFieldListFilter), "node_id")
    search_fields = ("node_id", "spool")
    ordering = ("-found_at",)
