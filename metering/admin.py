"""The admin console of usage: what nodes sent, what became of it, and what is missing."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from unfold.contrib.filters.admin import RangeDateTimeFilter

from accounts.read_only_admin import ReadOnly
from accounts.verb_admin import VerbAdmin, person
from metering import meters
from metering.billable_rules import STATUS_CLASSES, set_billable, withdraw_billable
from metering.models import BillableRule, CustomMeter, UsageBatch, UsageGap, UsageReconciliation
from metering.names import ACCEPTED, STATUS, VERDICTS
from metering.queries import BILLABLE_VERDICTS


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
        "shown_difference",
        "calls",
        "aggregated",
        "rejected",
        "waiting",
        "batches",
        "spool",
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


class BillableRuleForm(forms.ModelForm):
    """Verdicts and status classes to tick."""

    verdicts = forms.MultipleChoiceField(
        choices=[(name, name or ACCEPTED) for name in ("", *VERDICTS)],
        widget=forms.CheckboxSelectMultiple,
        initial=list(BILLABLE_VERDICTS),
        required=False,
        help_text="Calls that ended so are billed, if their status class is, too. None ticked = nothing is billed.",
    )
    status_classes = forms.TypedMultipleChoiceField(
        choices=list(STATUS.items()),
        coerce=int,
        widget=forms.CheckboxSelectMultiple,
        initial=list(STATUS_CLASSES),
        required=False,
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "effective_from" in self.fields:  # whoever only looks at a rule has no fields
            self.fields["effective_from"].required = False
            self.fields["effective_from"].help_text = "A whole minute (UTC); empty = the next."

    class Meta:
        model = BillableRule
        fields = ("organization", "verdicts", "status_classes", "effective_from")


@admin.register(BillableRule)
class BillableRuleAdmin(VerbAdmin):
    """Which calls are billed, by provider and from when. Without a rule those that reached the backend are."""

    form = BillableRuleForm
    list_display = ("organization", "effective_from", "shown_verdicts", "shown_classes")
    list_filter = ("organization",)
    list_select_related = ("organization",)
    autocomplete_fields = ("organization",)
    ordering = ("-effective_from",)

    @admin.display(description="verdicts")
    def shown_verdicts(self, rule: BillableRule) -> str:
        return ", ".join(name or ACCEPTED for name in rule.verdicts) or "none"

    @admin.display(description="status classes")
    def shown_classes(self, rule: BillableRule) -> str:
        return ", ".join(STATUS[each] for each in rule.status_classes) or "none"

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        # bills of the past were made by it: a new rule is set instead
        return False

    def get_fields(self, request: HttpRequest, obj: Model | None = None) -> tuple[str, ...]:
        if obj:
            return ("organization", "shown_verdicts", "shown_classes", "effective_from")
        return ("organization", "verdicts", "status_classes", "effective_from")

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> tuple[str, ...]:
        return ("shown_verdicts", "shown_classes") if obj else ()

    def create(self, request: HttpRequest, data: dict[str, Any]) -> BillableRule:
        return set_billable(**data, actor=person(request))

    def remove(self, request: HttpRequest, row: BillableRule) -> None:
        withdraw_billable(rule=row, actor=person(request))


@admin.register(CustomMeter)
class CustomMeterAdmin(VerbAdmin):
    """What providers count themselves and report by events."""

    list_display = ("code", "name", "organization", "unit", "aggregation", "archived_at")
    list_filter = ("organization", "aggregation", ("archived_at", admin.EmptyFieldListFilter))
    list_select_related = ("organization",)
    search_fields = ("code", "name")
    autocomplete_fields = ("organization",)
    fields = ("organization", "code", "name", "unit", "aggregation")
    actions = ("archive",)

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> tuple[str, ...]:
        return ("organization", "code", "aggregation") if obj else ()

    def create(self, request: HttpRequest, data: dict[str, Any]) -> CustomMeter:
        return meters.create_meter(**data, actor=person(request))

    def change(self, request: HttpRequest, row: CustomMeter, data: dict[str, Any]) -> None:
        meters.change_meter(meter=row, actor=person(request), **data)

    @admin.action(description="Archive: take no more events", permissions=["change"])
    def archive(self, request: HttpRequest, queryset: QuerySet[CustomMeter]) -> None:
        self.each(
            request, queryset, lambda row: meters.archive_meter(meter=row, actor=person(request)), "Archived"
        )
