"""Developers' applications."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.contrib.filters.admin import AutocompleteSelectFilter, RangeDateTimeFilter
from unfold.decorators import action, display

from access.applications import (
    change_application,
    create_application,
    resume_application,
    suspend_application,
)
from access.models import Application
from accounts.verb_admin import VerbAdmin, person


@admin.register(Application)
class ApplicationAdmin(VerbAdmin):
    list_display = ("name", "organization", "shown_state", "id", "created_at")
    list_filter = ("state", ("organization", AutocompleteSelectFilter), ("created_at", RangeDateTimeFilter))
    list_filter_submit = True
    list_select_related = ("organization",)
    search_fields = ("name", "id", "organization__name", "organization__slug", "keys__prefix")
    autocomplete_fields = ("organization",)
    fields = ("organization", "name", "description")
    actions = ("suspend", "resume")

    def get_readonly_fields(self, request: HttpRequest, obj: Application | None = None) -> tuple[str, ...]:
        return ("organization",) if obj else ()

    @display(description="State", label={"Active": "success", "Suspended": "danger"})
    def shown_state(self, application: Application) -> str:
        return application.get_state_display()

    def create(self, request: HttpRequest, data: dict[str, Any]) -> Application:
        return create_application(**data, actor=person(request))

    def change(self, request: HttpRequest, row: Application, data: dict[str, Any]) -> None:
        change_application(application=row, actor=person(request), **data)

    @action(description="Suspend: refuse all its keys", permissions=["change"])
    def suspend(self, request: HttpRequest, queryset: QuerySet[Application]) -> None:
        actor = person(request)
        self.each(
            request, queryset, lambda row: suspend_application(application=row, actor=actor), "Suspended"
        )

    @action(description="Resume", permissions=["change"])
    def resume(self, request: HttpRequest, queryset: QuerySet[Application]) -> None:
        actor = person(request)
        self.each(request, queryset, lambda row: resume_application(application=row, actor=actor), "Resumed")
