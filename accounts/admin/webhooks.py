"""Webhooks: staff see where events go and how deliveries went; secrets are shown to nobody."""

from django.contrib import admin
from unfold.contrib.filters.admin import AutocompleteSelectFilter, RangeDateTimeFilter
from unfold.decorators import display

from accounts.models import WebhookDelivery, WebhookEndpoint
from accounts.read_only_admin import ReadOnly

TONES = {"active": "success", "failing": "warning", "disabled": "danger"}


@admin.register(WebhookEndpoint)
class WebhookEndpointAdmin(ReadOnly):
    list_display = ("__str__", "organization", "shown_state", "failing_since", "created_at")
    list_filter = (("organization", AutocompleteSelectFilter), "enabled")
    list_filter_submit = True
    list_select_related = ("organization",)
    search_fields = ("url", "description", "organization__name")
    fields = (
        "organization",
        "url",
        "description",
        "event_types",
        "enabled",
        "failing_since",
        "disabled_reason",
        "old_secret_until",
        "created_at",
    )

    @display(description="State", label=TONES)
    def shown_state(self, endpoint: WebhookEndpoint) -> str:
        return endpoint.state.value


@admin.register(WebhookDelivery)
class WebhookDeliveryAdmin(ReadOnly):
    list_display = ("created_at", "event_type", "organization", "endpoint", "state", "tries", "next_try_at")
    list_filter = (
        ("organization", AutocompleteSelectFilter),
        "state",
        ("created_at", RangeDateTimeFilter),
    )
    list_filter_submit = True
    list_select_related = ("organization", "endpoint", "event")
    search_fields = ("event__id", "event__type", "endpoint__url")
    show_full_result_count = False

    @display(description="Event")
    def event_type(self, delivery: WebhookDelivery) -> str:
        return delivery.event.type
