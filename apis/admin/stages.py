"""Stages, deployments and addresses in the admin console."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from unfold.decorators import action, display

from accounts.verb_admin import VerbAdmin, person
from apis.admin.pages import form_page, table
from apis.admin.stage_pages import StagePages, names_of, stage_of
from apis.forms import PromoteForm, RollBackForm
from apis.models import BasePathMapping, Deployment, Stage
from apis.publish import change_stage, map_base_path, move_base_path, promote, roll_back, unmap
from apis.queries import mapping_address, stage_address, stage_addresses
from apis.stage_notes import notes_of
from apis.stage_policies import stage_remarks


@admin.register(Stage)
class StageAdmin(StagePages, VerbAdmin):
    list_display = ("version", "name", "deployment_number", "address", "throttle_rate", "organization")
    list_display_links = ("version", "name")
    list_filter = ("name", "organization", "version__state")
    list_filter_submit = True
    list_select_related = ("version__api", "deployment", "organization")
    search_fields = ("name", "version__name", "version__api__name", "version__api__slug")
    fields = (
        "version", "name", "deployment_number", "live", "addresses", "variables", "throttle_rate",
        "throttle_burst", "asked", "canary", "log", "remarks",
    )  # fmt: skip
    readonly_fields = (
        "version", "name", "deployment_number", "live", "addresses", "asked", "canary", "log", "remarks"
    )  # fmt: skip
    actions = ("roll_back_chosen",)
    actions_detail = (
        "policies_page",
        "operations_page",
        "canary_page",
        {"title": "More", "items": ["log_page", "flush_page", "roll_back_page", "promote_page"]},
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Stage]:
        rows = super().get_queryset(request).prefetch_related("mappings")
        return rows.defer("version__document", "deployment__document", "deployment__compiled")

    def has_add_permission(self, request: HttpRequest) -> bool:
        """A stage is made by a deploy."""
        return False

    @display(description="Deployment", ordering="deployment__number")
    def deployment_number(self, stage: Stage) -> str:
        return f"#{stage.deployment.number}" if stage.deployment else "none"

    @display(description="Address")
    def address(self, stage: Stage) -> str:
        return stage_address(stage)

    @display(description="Addresses")
    def addresses(self, stage: Stage) -> str:
        return table(("Answers at",), [(each,) for each in stage_addresses(stage)], "Nowhere.")

    @display(description="On the nodes")
    def live(self, stage: Stage) -> str:
        return table((), notes_of(stage), "Nothing is known yet.")

    @display(description="Policies")
    def asked(self, stage: Stage) -> str:
        own = len(stage.operation_policies)
        operations = f"; {own} operations have policies of their own" if own else ""
        return (names_of(stage.policy) or "none beside the document's") + operations

    @display(description="Canary")
    def canary(self, stage: Stage) -> str:
        if stage.canary_deployment is None:
            return "none"
        return f"#{stage.canary_deployment.number} gets {stage.canary_percent:g} percent of the calls"

    @display(description="Access log")
    def log(self, stage: Stage) -> str:
        return stage.access_log or "none"

    @display(description="Remarks")
    def remarks(self, stage: Stage) -> str:
        return " ".join(stage_remarks(stage)) or "none"

    def change(self, request: HttpRequest, row: Stage, data: dict[str, Any]) -> None:
        if "variables" in data:
            data["variables"] = data["variables"] or {}
        change_stage(stage=row, actor=person(request), **data)

    @action(description="Roll back", url_path="roll-back", permissions=["change"], icon="history")
    def roll_back_page(self, request: HttpRequest, object_id: str) -> HttpResponse:
        stage = stage_of(object_id)

        def verb(data: dict[str, Any]) -> str:
            roll_back(stage=stage, deployment=data["deployment"], actor=person(request))
            assert stage.deployment is not None
            return f"The stage {stage.name} now runs deployment #{stage.deployment.number}."

        form = RollBackForm(request.POST if request.method == "POST" else None, stage=stage)
        title = f"Roll back {stage}"
        return form_page(request, row=stage, form=form, title=title, submit="Roll back", verb=verb)

    @action(description="Promote", url_path="promote", permissions=["change"], icon="arrow_upward")
    def promote_page(self, request: HttpRequest, object_id: str) -> HttpResponse:
        stage = stage_of(object_id)

        def verb(data: dict[str, Any]) -> str:
            target = promote(stage=stage, to=data["to"], actor=person(request))
            return f"The stage {target.name} now runs what {stage.name} runs."

        form = PromoteForm(request.POST or None)
        title = f"Promote {stage}"
        return form_page(request, row=stage, form=form, title=title, submit="Promote", verb=verb)

    @admin.action(description="Roll back to the deployment before", permissions=["change"])
    def roll_back_chosen(self, request: HttpRequest, rows: QuerySet[Stage]) -> None:
        self.each(request, rows, lambda row: roll_back(stage=row, actor=person(request)), "Rolled back")


@admin.register(Deployment)
class DeploymentAdmin(VerbAdmin):
    """Deployments are immutable: nothing here can be changed."""

    list_display = ("version", "number", "note", "created_by", "created_at", "runs_on")
    list_display_links = ("version", "number")
    list_filter = ("organization", "created_at")
    list_filter_submit = True
    list_select_related = ("version__api", "created_by")
    search_fields = ("version__api__name", "version__name", "note", "created_by__email")
    fields = ("version", "number", "note", "created_by", "created_at", "runs_on", "operations")
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[Deployment]:
        rows = super().get_queryset(request).defer("document", "compiled", "version__document")
        return rows.prefetch_related("stages")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @display(description="Runs on")
    def runs_on(self, deployment: Deployment) -> str:
        return ", ".join(each.name for each in deployment.stages.all()) or "no stage"

    @display(description="Operations")
    def operations(self, deployment: Deployment) -> str:
        rows = [
            (
                each["method"],
                each["path"],
                "needs a key" if each["key_required"] else "open",
                each["integration"].get("reason")
                or each["integration"].get("uri")
                or "the version's backend",
            )
            for each in deployment.compiled["operations"][:500]
        ]
        return table(("Method", "Path", "Key", "Goes to"), rows, "None.")


@admin.register(BasePathMapping)
class BasePathMappingAdmin(VerbAdmin):
    list_display = ("address", "host", "base_path", "stage", "organization")
    list_filter = ("organization", "host")
    list_filter_submit = True
    list_select_related = ("stage__version__api", "organization")
    search_fields = ("host", "base_path", "stage__version__api__name")
    fields = ("stage", "host", "base_path")
    autocomplete_fields = ("stage",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[BasePathMapping]:
        return super().get_queryset(request).defer("stage__version__document")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return ("host", "base_path") if obj else ()

    @display(description="Address")
    def address(self, mapping: BasePathMapping) -> str:
        return mapping_address(mapping)

    def create(self, request: HttpRequest, data: dict[str, Any]) -> BasePathMapping:
        return map_base_path(**data, actor=person(request))

    def change(self, request: HttpRequest, row: BasePathMapping, data: dict[str, Any]) -> None:
        move_base_path(mapping=row, stage=data["stage"], actor=person(request))

    def remove(self, request: HttpRequest, row: BasePathMapping) -> None:
        unmap(mapping=row, actor=person(request))
