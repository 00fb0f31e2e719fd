"""Subscriptions, and what waits for approval: new ones, and changes of plan."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.contrib.filters.admin import AutocompleteSelectFilter, RangeDateTimeFilter
from unfold.decorators import action, display

from access import subscribe as verbs
from access.change_plan import approve_change, cancel_change
from access.models import Subscription
from accounts.verb_admin import VerbAdmin, person

LABELS = {
    "Active": "success",
    "Waiting for approval": "warning",
    "Suspended": "danger",
    "Cancelled": "info",
}


@admin.register(Subscription)
class SubscriptionAdmin(VerbAdmin):
    """Made here and moved by actions; a subscription is never edited or deleted, bills hang on it."""

    list_display = (
        "application",
        "organization",
        "plan",
        "provider",
        "shown_state",
        "shown_coming",
        "started_at",
        "ended_at",
    )
    list_filter = (
        "state",
        ("next_plan_waits", admin.BooleanFieldListFilter),
        ("provider", AutocompleteSelectFilter),
        ("plan", AutocompleteSelectFilter),
        ("started_at", RangeDateTimeFilter),
    )
    list_filter_submit = True
    list_select_related = ("application", "organization", "plan", "provider", "next_plan")
    search_fields = ("id", "application__name", "organization__name", "plan__name", "provider__name")
    autocomplete_fields = ("application", "plan")
    actions = ("approve", "suspend", "resume", "cancel", "approve_change", "cancel_change")

    def get_fields(self, request: HttpRequest, obj: Subscription | None = None) -> tuple[str, ...]:
        if obj is None:
            return ("application", "plan")
        shown = (
            "id",
            "organization",
            "provider",
            "state",
            "started_at",
            "ended_at",
            "shown_coming",
            "created_by",
        )
        return ("application", "plan", *shown)

    def has_change_permission(self, request: HttpRequest, obj: Subscription | None = None) -> bool:
        """The list asks for its actions; a single subscription is moved by them only."""
        return obj is None and super().has_change_permission(request)

    @display(description="State", label=LABELS)
    def shown_state(self, subscription: Subscription) -> str:
        return subscription.get_state_display()

    @display(description="Planned")
    def shown_coming(self, subscription: Subscription) -> str:
        if subscription.cancel_at is not None:
            return f"ends {subscription.cancel_at:%Y-%m-%d %H:%M} UTC"
        if subscription.next_plan is None:
            return ""
        when = subscription.next_plan_at
        moment = f"{when:%Y-%m-%d %H:%M} UTC" if when else "at once"
        waits = ", once approved" if subscription.next_plan_waits else ""
        return f"{subscription.next_plan}, {moment}{waits}"

    def create(self, request: HttpRequest, data: dict[str, Any]) -> Subscription:
        return verbs.subscribe(**data, actor=person(request))

    @action(description="Approve", permissions=["change"])
    def approve(self, request: HttpRequest, queryset: QuerySet[Subscription]) -> None:
        self._move(request, queryset, verbs.approve, "Approved")

    @action(description="Suspend: refuse its calls", permissions=["change"])
    def suspend(self, request: HttpRequest, queryset: QuerySet[Subscription]) -> None:
        self._move(request, queryset, verbs.suspend, "Suspended")

    @action(description="Resume", permissions=["change"])
    def resume(self, request: HttpRequest, queryset: QuerySet[Subscription]) -> None:
        self._move(request, queryset, verbs.resume, "Resumed")

    @action(description="Cancel for good (or decline)", permissions=["change"])
    def cancel(self, request: HttpRequest, queryset: QuerySet[Subscription]) -> None:
        self._move(request, queryset, verbs.cancel, "Cancelled")

    @action(description="Approve the change of plan", permissions=["change"])
    def approve_change(self, request: HttpRequest, queryset: QuerySet[Subscription]) -> None:
        self._move(request, queryset, approve_change, "Approved")

    @action(description="Take back what is planned (or decline the change)", permissions=["change"])
    def cancel_change(self, request: HttpRequest, queryset: QuerySet[Subscription]) -> None:
        self._move(request, queryset, cancel_change, "Taken back")

    def _move(self, request: HttpRequest, queryset: QuerySet[Subscription], verb: Any, done: str) -> None:
        actor = person(request)
        self.each(request, queryset, lambda row: verb(subscription=row, actor=actor), done)
