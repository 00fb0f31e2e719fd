"""APIs and backends in the admin console."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.contrib import admin
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from unfold.decorators import display

from accounts.drafts.admin import DraftAdmin
from accounts.errors import Refused
from accounts.verb_admin import VerbAdmin, person
from apis.admin.client_tls import ClientCertificatePages
from apis.admin.pages import link, table
from apis.backend_forms import BackendForm, field_at, settings_of
from apis.backends import change_backend, create_backend
from apis.forms import ApiForm
from apis.models import Api, Backend
from apis.versions import change_api, create_api


@admin.register(Api)
class ApiAdmin(DraftAdmin):
    form = ApiForm
    list_display = ("name", "slug", "organization", "visibility", "region", "version_count", "created_at")
    list_filter = ("visibility", "organization")
    list_filter_submit = True
    list_select_related = ("organization",)
    search_fields = ("name", "slug", "summary", "organization__name")
    autocomplete_fields = ("organization",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Api]:
        return super().get_queryset(request).annotate(version_count=Count("versions"))

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return ("organization", "slug", "versions") if obj else ()

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        fields = [*ApiForm.Meta.fields]
        return [*fields, "versions"] if obj else fields

    @display(description="Versions", ordering="version_count")
    def version_count(self, api: Api) -> int:
        return api.version_count  # type: ignore[attr-defined]

    @display(description="Versions")
    def versions(self, api: Api) -> str:
        rows = [
            (link(each, each.name), each.get_state_display(), each.created_at) for each in api.versions.all()
        ]
        return table(("Version", "State", "Imported"), rows, "No version yet: import one under API versions.")

    def create(self, request: HttpRequest, data: dict[str, Any]) -> Api:
        return create_api(**data, actor=person(request))

    def previewed(self, row: Api) -> tuple[str, str]:
        return "api", row.pk

    def change(self, request: HttpRequest, row: Api, data: dict[str, Any]) -> None:
        change_api(api=row, actor=person(request), **data)


@admin.register(Backend)
class BackendAdmin(ClientCertificatePages, VerbAdmin):
    form = BackendForm
    list_display = ("name", "url", "further", "organization", "connect_timeout_ms", "timeout_ms")
    list_filter = ("organization",)
    list_filter_submit = True
    list_select_related = ("organization",)
    search_fields = ("name", "url", "organization__name")
    autocomplete_fields = ("organization",)
    fields = (
        "organization", "name", "url", "weight", "servers", "health_failures", "health_rest_ms",
        "retries_attempts", "retries_on", "connect_timeout_ms", "timeout_ms",
    )  # fmt: skip

    @display(description="Further servers")
    def further(self, backend: Backend) -> int:
        return len(backend.targets)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return (*self.fields, "shown_client_certificate") if obj else self.fields

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return ("organization", "shown_client_certificate") if obj else ()

    def create(self, request: HttpRequest, data: dict[str, Any]) -> Backend:
        with _at_its_field():
            return create_backend(**settings_of(data), actor=person(request))

    def change(self, request: HttpRequest, row: Backend, data: dict[str, Any]) -> None:
        with _at_its_field():
            change_backend(backend=row, actor=person(request), **settings_of(data, row))


@contextmanager
def _at_its_field() -> Iterator[None]:
    """Let a refusal name the form's field."""
    try:
        yield
    except Refused as refused:
        raise Refused(refused.message, field=field_at(refused.field), code=refused.code) from refused
