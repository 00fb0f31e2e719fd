"""Operations in the admin console: what the document says, and whether each needs a key."""

from itertools import groupby
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin import SimpleListFilter
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from unfold.decorators import action, display

from accounts.errors import Refused
from accounts.verb_admin import VerbAdmin, person
from apis.admin.pages import form_page
from apis.document_settings import document_policy, set_document_policy
from apis.models import ApiVersion, Operation
from apis.policy_forms import PolicyForm, initial_of
from apis.versions import set_keys_required


class ServedFilter(SimpleListFilter):
    """Whether the gateway serves an operation."""

    title = "served"
    parameter_name = "served"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("yes", "Served"), ("no", "Not served"), ("removed", "Gone from the document")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Operation]) -> QuerySet[Operation]:
        if self.value() == "removed":
            return queryset.exclude(removed_at=None)
        present = queryset.filter(removed_at=None)
        if self.value() == "yes":
            return present.filter(unserved_reason="")
        return present.exclude(unserved_reason="") if self.value() == "no" else queryset


class VersionFilter(admin.RelatedFieldListFilter):
    """Versions by the names of their APIs, in one query."""

    def field_choices(self, field: Any, request: HttpRequest, model_admin: Any) -> Any:
        return [(each.pk, str(each)) for each in ApiVersion.objects.select_related("api")]


@admin.register(Operation)
class OperationAdmin(VerbAdmin):
    list_display = ("method", "path", "version", "key_required", "integration_type", "served", "summary")
    list_display_links = ("method", "path")
    list_filter = (ServedFilter, "method", "key_required", "integration_type", ("version", VersionFilter))
    list_filter_submit = True
    list_select_related = ("version__api",)
    search_fields = ("path", "operation_id", "summary", "tag", "version__api__name")
    ordering = ("version", "position")
    fields = (
        "version", "method", "path", "operation_id", "summary", "tag",
        "key_required", "integration_type", "unserved_reason", "removed_at",
    )  # fmt: skip
    readonly_fields = fields
    actions = ("require_key", "open_without_key")
    actions_detail = ("policy_page",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Operation]:
        return super().get_queryset(request).defer("version__document")

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Operations come from the document."""
        return False

    @display(description="Served", boolean=True)
    def served(self, operation: Operation) -> bool:
        return not operation.unserved_reason and operation.removed_at is None

    @action(description="Policy", url_path="policy", permissions=["change"], icon="tune")
    def policy_page(self, request: HttpRequest, object_id: str) -> HttpResponse:
        operation = get_object_or_404(Operation.objects.select_related("version__api"), pk=object_id)
        data = request.POST if request.method == "POST" else None
        form = PolicyForm(data, initial=initial_of(document_policy(operation)))

        def verb(_: dict[str, Any]) -> str:
            set_document_policy(operation=operation, policy=form.policy(), actor=person(request))
            return f"Changed the policy of {operation}. Deploy {operation.version} to make it live."

        return form_page(
            request,
            row=operation,
            form=form,
            title=f"Policy of {operation} in {operation.version}",
            submit="Save",
            verb=verb,
            intro="It is written into the document, goes live with the next deploy and holds on every stage that "
            "does not say otherwise for this operation.",
        )

    @admin.action(description="Require an API key", permissions=["change"])
    def require_key(self, request: HttpRequest, rows: QuerySet[Operation]) -> None:
        self._set(request, rows, required=True)

    @admin.action(description="Open without a key", permissions=["change"])
    def open_without_key(self, request: HttpRequest, rows: QuerySet[Operation]) -> None:
        self._set(request, rows, required=False)

    def _set(self, request: HttpRequest, rows: QuerySet[Operation], *, required: bool) -> None:
        ordered = rows.order_by("version", "position")
        for version, found in groupby(ordered, key=lambda each: each.version):
            chosen = list(found)
            try:
                set_keys_required(
                    version=version, operations=chosen, required=required, actor=person(request)
                )
            except Refused as refused:
                messages.error(request, refused.message)
            else:
                what = "need an API key" if required else "are open"
                messages.success(
                    request, f"{len(chosen)} operations of {version} {what} from the next deploy."
                )
