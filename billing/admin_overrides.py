"""What customers pay differently, in the admin console. Every write goes through a verb."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.decorators import display

from accounts.telling import refusal_as_message
from accounts.verb_admin import VerbAdmin, person
from billing.admin_forms import OverrideForm
from billing.models import PriceOverride
from billing.overrides import end_override, give_override


@admin.register(PriceOverride)
class PriceOverrideAdmin(VerbAdmin):
    """Discounts and own prices: to give, and to end. What was used already stays as it was priced."""

    form = OverrideForm
    list_display = ("customer", "rate_card", "organization", "what", "starts_at", "ends_at")
    list_filter = ("organization",)
    list_filter_submit = True
    list_select_related = ("customer", "rate_card", "organization")
    search_fields = ("customer__name", "rate_card__name", "reason")
    actions = ("end_now",)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return obj is None and super().has_change_permission(request, obj)

    @display(description="What")
    def what(self, override: PriceOverride) -> str:
        return str(override).partition(": ")[2]

    def create(self, request: HttpRequest, data: dict[str, Any]) -> PriceOverride:
        return give_override(**data, actor=person(request))

    @admin.action(description="End with the next minute", permissions=["change"])
    def end_now(self, request: HttpRequest, queryset: QuerySet[PriceOverride]) -> None:
        for override in queryset:
            with refusal_as_message(request):
                end_override(override=override, actor=person(request))
                messages.success(request, f"Ended: {override}.")
