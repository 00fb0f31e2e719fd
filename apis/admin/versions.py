"""Versions in the admin console: import, re-import, deploy, deprecate, retire."""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.forms import Form
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.html import format_html
from unfold.decorators import action, display

from accounts.errors import Refused
from accounts.verb_admin import VerbAdmin, person
from apis.addresses import set_execute_api_endpoint
from apis.admin.document_pages import DocumentPages
from apis.admin.pages import change_url, form_page, link, table
from apis.backends import clean_url, create_backend
from apis.forms import DeployForm, DeprecateForm, DocumentFields, ImportForm, VersionForm
from apis.models import Api, ApiVersion, Backend, VersionState
from apis.publish import deploy
from apis.queries import operations_of, stage_addresses
from apis.version_changes import changes_to_deploy, summed_up
from apis.versions import (
    create_api,
    create_version,
    deprecate,
    reinstate,
    replace_document,
    retire,
    set_backend,
    set_key_default,
)

Verb = Callable[[dict[str, Any]], str]
STATE_COLOURS = {
    VersionState.DRAFT: "info",
    VersionState.PUBLISHED: "success",
    VersionState.DEPRECATED: "warning",
    VersionState.RETIRED: "danger",
}
READ_ONLY = (
    "api", "name", "shown_state", "deprecated_at", "sunset_at",
    "operation_list", "stage_table", "deployment_list", "findings_table",
)  # fmt: skip


@admin.register(ApiVersion)
class ApiVersionAdmin(DocumentPages, VerbAdmin):
    form = VersionForm
    list_display = ("api", "name", "coloured_state", "organization", "backend", "key_required", "updated_at")
    list_display_links = ("api", "name")
    list_filter = ("state", "organization", "key_required")
    list_filter_submit = True
    list_select_related = ("api", "organization", "backend")
    search_fields = ("api__name", "api__slug", "name", "organization__name")
    ordering = ("api__name", "-created_at")
    actions = ("deploy_to_live", "deprecate_chosen", "retire_chosen", "reinstate_chosen")
    actions_detail = (
        "deploy_page",
        "reimport_page",
        {"title": "Settings", "items": ["policies_page", "keys_page", "responses_page"]},
        {"title": "More", "items": ["deprecate_page", "retire_now", "reinstate_now"]},
    )

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        return super().get_form(request, obj, change, **kwargs | ({} if obj else {"form": ImportForm}))

    def get_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        if obj is None:
            return ImportForm.field_order
        return (*READ_ONLY[:3], *VersionForm.Meta.fields, *READ_ONLY[3:])

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return READ_ONLY if obj else ()

    @display(description="State", label=STATE_COLOURS, ordering="state")
    def coloured_state(self, version: ApiVersion) -> tuple[str, str]:
        return version.state, version.get_state_display()

    @display(description="State")
    def shown_state(self, version: ApiVersion) -> str:
        return version.get_state_display()

    @display(description="Operations")
    def operation_list(self, version: ApiVersion) -> str:
        rows = operations_of(version)
        unserved = rows.exclude(unserved_reason="").count()
        url = f"{reverse('admin:apis_operation_changelist')}?version__id__exact={version.pk}"
        text = f"{rows.count()} operations, {unserved} of them not served"
        return format_html('<a class="text-primary-600 underline" href="{}">{}</a>', url, text)

    @display(description="Stages")
    def stage_table(self, version: ApiVersion) -> str:
        stages = version.stages.select_related("deployment").prefetch_related("mappings")
        rows = [
            (link(each, each.name), f"#{each.deployment.number}" if each.deployment else "none", address)
            for each in stages
            for address in stage_addresses(each)
        ]
        return table(("Stage", "Deployment", "Address"), rows, "No stage yet: deploy this version.")

    @display(description="Deployments")
    def deployment_list(self, version: ApiVersion) -> str:
        rows = [
            (link(each, f"#{each.number}"), each.created_at, each.created_by or "Gatehouse", each.note)
            for each in version.deployments.select_related("created_by")[:20]
        ]
        return table(("Deployment", "Made", "By", "Note"), rows, "Nothing has been deployed yet.")

    @display(description="Findings of the import")
    def findings_table(self, version: ApiVersion) -> str:
        rows = [
            (each["level"], each["pointer"] or "(document)", each["message"]) for each in version.findings
        ]
        return table(("Level", "Where", "What"), rows, "Nothing was found.")

    def create(self, request: HttpRequest, data: dict[str, Any]) -> ApiVersion:
        who = person(request)
        api = data["api"] or create_api(organization=data["organization"], name=data["new_api"], actor=who)
        backend = data["backend"]
        if data["new_backend_url"]:
            backend = _new_backend(api, data["new_backend_url"], request)
        version = create_version(
            api=api,
            name=data["name"],
            document=data["document"],
            backend=backend,
            key_required=data["key_required"],
            actor=who,
        )
        if backend is None and data["suggested"]:
            shown = ", ".join(data["suggested"][:3])
            messages.info(request, f"No backend is named. The document speaks of {shown}.")
        return version

    def change(self, request: HttpRequest, row: ApiVersion, data: dict[str, Any]) -> None:
        if "backend" in data:
            set_backend(version=row, backend=data["backend"], actor=person(request))
        if "key_required" in data:
            set_key_default(version=row, required=data["key_required"], actor=person(request))
        if "disable_execute_api_endpoint" in data:
            disabled = data["disable_execute_api_endpoint"]
            set_execute_api_endpoint(version=row, disabled=disabled, actor=person(request))

    def response_add(
        self, request: HttpRequest, obj: Any, post_url_continue: str | None = None
    ) -> HttpResponse:
        """Go to the new version, where its findings are."""
        levels = [each["level"] for each in obj.findings]
        counts = f"{levels.count('error')} errors, {levels.count('warning')} warnings"
        messages.success(request, f"Imported {obj}: {operations_of(obj).count()} operations, {counts}.")
        return HttpResponseRedirect(change_url(obj))

    @action(description="Deploy", url_path="deploy", permissions=["change"], icon="rocket_launch")
    def deploy_page(self, request: HttpRequest, object_id: str) -> HttpResponse:
        version = self._version(object_id)

        def verb(data: dict[str, Any]) -> str:
            deployment = deploy(version=version, actor=person(request), **data)
            name = data["stage_name"]
            if deployment.canary_stages.filter(name=name).exists():
                return f"The canary of the stage {name} now runs deployment #{deployment.number}."
            return f"The stage {name} now runs deployment #{deployment.number}."

        form = DeployForm(request.POST or None)
        return form_page(
            request,
            row=version,
            form=form,
            title=f"Deploy {version}",
            submit="Deploy",
            verb=verb,
            intro=_deploy_intro(version),
        )

    @action(description="Re-import", url_path="reimport", permissions=["change"], icon="upload_file")
    def reimport_page(self, request: HttpRequest, object_id: str) -> HttpResponse:
        version = self._version(object_id)

        def verb(data: dict[str, Any]) -> str:
            replace_document(version=version, document=data["document"], actor=person(request))
            return f"Re-imported {version}. Deploy it to make the changes live."

        form = DocumentFields(request.POST or None, request.FILES or None)
        intro = "Operations keep their ids by method and path. Nothing goes live before a deploy."
        title = f"Re-import {version}"
        return form_page(
            request, row=version, form=form, title=title, submit="Re-import", verb=verb, intro=intro
        )

    @action(description="Deprecate", url_path="deprecate", permissions=["change"], icon="schedule")
    def deprecate_page(self, request: HttpRequest, object_id: str) -> HttpResponse:
        version = self._version(object_id)

        def verb(data: dict[str, Any]) -> str:
            deprecate(version=version, sunset_at=data["sunset_at"], actor=person(request))
            return f"{version} is deprecated; it goes on answering."

        form = DeprecateForm(request.POST or None)
        title = f"Deprecate {version}"
        return form_page(request, row=version, form=form, title=title, submit="Deprecate", verb=verb)

    @action(description="Retire", url_path="retire", permissions=["change"], icon="block")
    def retire_now(self, request: HttpRequest, object_id: str) -> HttpResponse:
        version = self._version(object_id)

        def verb(_data: dict[str, Any]) -> str:
            retire(version=version, actor=person(request))
            return f"{version} is retired; it is not served any more."

        return self._confirm(request, version, "Retire", "All calls to it will be refused at once.", verb)

    @action(description="Reinstate", url_path="reinstate", permissions=["change"], icon="undo")
    def reinstate_now(self, request: HttpRequest, object_id: str) -> HttpResponse:
        version = self._version(object_id)

        def verb(_data: dict[str, Any]) -> str:
            reinstate(version=version, actor=person(request))
            return f"{version} is published again."

        return self._confirm(request, version, "Reinstate", "It will be served as before.", verb)

    @admin.action(description="Deploy to live", permissions=["change"])
    def deploy_to_live(self, request: HttpRequest, rows: QuerySet[ApiVersion]) -> None:
        self.each(request, rows, lambda row: deploy(version=row, actor=person(request)), "Deployed")

    @admin.action(description="Deprecate", permissions=["change"])
    def deprecate_chosen(self, request: HttpRequest, rows: QuerySet[ApiVersion]) -> None:
        self.each(request, rows, lambda row: deprecate(version=row, actor=person(request)), "Deprecated")

    @admin.action(description="Retire", permissions=["change"])
    def retire_chosen(self, request: HttpRequest, rows: QuerySet[ApiVersion]) -> None:
        self.each(request, rows, lambda row: retire(version=row, actor=person(request)), "Retired")

    @admin.action(description="Reinstate", permissions=["change"])
    def reinstate_chosen(self, request: HttpRequest, rows: QuerySet[ApiVersion]) -> None:
        self.each(request, rows, lambda row: reinstate(version=row, actor=person(request)), "Reinstated")

    def _version(self, object_id: str) -> ApiVersion:
        return get_object_or_404(ApiVersion.objects.select_related("api"), pk=object_id)

    def _confirm(
        self, request: HttpRequest, version: ApiVersion, what: str, intro: str, verb: Verb
    ) -> HttpResponse:
        form = Form(request.POST if request.method == "POST" else None)
        title = f"{what} {version}?"
        return form_page(request, row=version, form=form, title=title, submit=what, verb=verb, intro=intro)


def _deploy_intro(version: ApiVersion) -> str:
    """What callers of the live stage will notice."""
    changes = changes_to_deploy(version)
    if changes is None:
        return "Its live stage runs nothing yet, so no caller can notice a change."
    rows = [
        ("Breaks callers" if each.breaking else "", each.kind, f"{each.method} {each.path}", each.message)
        for each in changes
    ]
    nothing = "Nothing that a caller could notice differs from what its live stage runs."
    heading = format_html("<strong>Against its live stage: {}.</strong>", summed_up(changes)) if rows else ""
    return format_html("{}{}", heading, table(("", "What", "Operation", "How"), rows[:100], nothing))


def _new_backend(api: Api, url: str, request: HttpRequest) -> Backend:
    """Use the organization's backend with this URL, or make one that is named for its host."""
    try:
        cleaned = clean_url(url)
    except Refused as refused:
        raise Refused(refused.message, field="new_backend_url") from refused
    known = Backend.objects.filter(organization=api.organization, url=cleaned).first()
    if known:
        return known
    name = f"{api.name[:40]} ({urlsplit(cleaned).netloc[:36]})"
    taken = Backend.objects.filter(organization=api.organization, name__startswith=name[:76]).count()
    name = f"{name[:76]} {taken + 1}" if taken else name
    return create_backend(organization=api.organization, name=name, url=cleaned, actor=person(request))
