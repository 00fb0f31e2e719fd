"""API keys: shown once when made; the hash is never shown."""

from datetime import timedelta
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from unfold.contrib.filters.admin import AutocompleteSelectFilter, RangeDateTimeFilter
from unfold.decorators import action, display
from unfold.widgets import UnfoldAdminIntegerFieldWidget, UnfoldAdminTextareaWidget

from access import keys as verbs
from access.forms import LinesField
from access.keys import CHANGEABLE
from access.models import ApiKey
from accounts.verb_admin import VerbAdmin, person, show_once
from apis.admin.pages import form_page

ADD = ("application", "environment", *CHANGEABLE)
FIXED = (
    "application",
    "organization",
    "environment",
    "prefix",
    "state",
    "grace_until",
    "replaced_by",
    "created_by",
    "created_at",
    "revoked_at",
    "last_used_at",
)


class KeyForm(forms.ModelForm):
    ips = LinesField(
        label="Networks",
        widget=UnfoldAdminTextareaWidget,
        help_text="Who may use it: one network (CIDR) a line, such as 203.0.113.0/24; empty = from anywhere.",
    )
    referrers = LinesField(
        label="Referrers",
        widget=UnfoldAdminTextareaWidget,
        help_text="Whose pages may use it: one host a line, such as *.example.com; empty = any or none.",
    )

    class Meta:
        model = ApiKey
        fields = ADD


class RotateForm(forms.Form):
    grace = forms.IntegerField(
        label="Hours of grace",
        min_value=0,
        max_value=verbs.MAX_GRACE.days * 24,
        initial=int(verbs.DEFAULT_GRACE.total_seconds()) // 3600,
        widget=UnfoldAdminIntegerFieldWidget,
        help_text="How long the old key works beside the new one.",
    )


@admin.register(ApiKey)
class ApiKeyAdmin(VerbAdmin):
    form = KeyForm
    list_display = (
        "name",
        "prefix",
        "application",
        "organization",
        "environment",
        "shown_state",
        "expires_at",
        "last_used_at",
    )
    list_filter = (
        "state",
        "environment",
        ("organization", AutocompleteSelectFilter),
        ("expires_at", RangeDateTimeFilter),
        ("last_used_at", RangeDateTimeFilter),
    )
    list_filter_submit = True
    list_select_related = ("application", "organization")
    search_fields = ("name", "prefix", "id", "application__name", "organization__name")
    autocomplete_fields = ("application",)
    actions = ("revoke", "disable", "enable")
    actions_detail = ("rotate_page",)

    def get_fields(self, request: HttpRequest, obj: ApiKey | None = None) -> tuple[str, ...]:
        return (*CHANGEABLE, *FIXED) if obj else ADD

    def get_readonly_fields(self, request: HttpRequest, obj: ApiKey | None = None) -> tuple[str, ...]:
        return FIXED if obj else ()

    @display(description="State", label={"Active": "success", "Disabled": "warning", "Revoked": "danger"})
    def shown_state(self, key: ApiKey) -> str:
        return key.get_state_display()

    def create(self, request: HttpRequest, data: dict[str, Any]) -> ApiKey:
        key, text = verbs.create_key(**data, actor=person(request))
        show_once(request, "key", text)
        return key

    def change(self, request: HttpRequest, row: ApiKey, data: dict[str, Any]) -> None:
        verbs.change_key(key=row, actor=person(request), **data)

    @action(description="Rotate", url_path="rotate", permissions=["change"], icon="autorenew")
    def rotate_page(self, request: HttpRequest, object_id: str) -> HttpResponse:
        key = get_object_or_404(ApiKey, pk=object_id)

        def verb(data: dict[str, Any]) -> str:
            new, text = verbs.rotate_key(key=key, grace=timedelta(hours=data["grace"]), actor=person(request))
            show_once(request, "key", text)
            return f"{new.name} has a successor, {new.prefix}…; the old key ends after its time of grace."

        return form_page(
            request,
            row=key,
            form=RotateForm(request.POST or None),
            title=f"Rotate {key}",
            submit="Make the new key",
            verb=verb,
        )

    @action(description="Revoke for good", permissions=["change"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[ApiKey]) -> None:
        self._move(request, queryset, verbs.revoke_key, "Revoked")

    @action(description="Disable", permissions=["change"])
    def disable(self, request: HttpRequest, queryset: QuerySet[ApiKey]) -> None:
        self._move(request, queryset, verbs.disable_key, "Disabled")

    @action(description="Enable", permissions=["change"])
    def enable(self, request: HttpRequest, queryset: QuerySet[ApiKey]) -> None:
        self._move(request, queryset, verbs.enable_key, "Enabled")

    def _move(self, request: HttpRequest, queryset: QuerySet[ApiKey], verb: Any, done: str) -> None:
        actor = person(request)
        self.each(request, queryset, lambda row: verb(key=row, actor=actor), done)
