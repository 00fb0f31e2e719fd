"""Pages of a stage in the admin console: policies, access log, canary, cache."""

from typing import Any

from django.db.models import Q
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.decorators import action

from accounts.verb_admin import person
from apis.admin.pages import form_page, list_page, table
from apis.models import Operation, Stage
from apis.policy_forms import NAMES, PolicyForm, initial_of
from apis.publish import (
    change_stage,
    flush_cache,
    promote_canary,
    remove_canary,
    set_canary,
    set_operation_policy,
)
from apis.queries import operations_of
from apis.stage_forms import CanaryForm, LogForm, canary_initial
from apis.stage_policies import effective_policy

SHOWN_OPERATIONS = 200


def names_of(policy: dict[str, Any]) -> str:
    """Say in words which fields a policy has."""
    shown = [f"{NAMES[name]}: off" if part is None else NAMES[name] for name, part in policy.items()]
    return ", ".join(shown)


def stage_of(object_id: str) -> Stage:
    """Return the stage of a page's address."""
    rows = Stage.objects.select_related("version__api", "deployment").defer("version__document")
    return get_object_or_404(rows, pk=object_id)


def _data(request: HttpRequest) -> Any:
    return request.POST if request.method == "POST" else None


class StagePages:
    """Mixed into the admin page of stages."""

    @action(description="Policies", url_path="policies", permissions=["change"], icon="tune")
    def policies_page(self, request: HttpRequest, object_id: str) -> HttpResponse:
        stage = stage_of(object_id)
        form = PolicyForm(_data(request), initial=initial_of(stage.policy))

        def verb(_: dict[str, Any]) -> str:
            change_stage(stage=stage, policy=form.policy(), actor=person(request))
            return f"Changed the policies of {stage}; they hold now."

        return form_page(
            request,
            row=stage,
            form=form,
            title=f"Policies of {stage}",
            submit="Save",
            verb=verb,
            intro="For every operation that says nothing else. Empty fields leave it to the document. "
            "Changes hold at once, on every node.",
        )

    @action(description="Operations", url_path="operations", permissions=["change"], icon="list")
    def operations_page(self, request: HttpRequest, object_id: str) -> HttpResponse:
        stage = stage_of(object_id)
        chosen = request.GET.get("operation")
        if chosen:
            row = get_object_or_404(Operation, pk=chosen, version=stage.version_id)
            return _operation_page(request, stage, row)
        q = request.GET.get("q", "").strip()
        found = operations_of(stage.version)
        if q:
            found = found.filter(Q(path__icontains=q) | Q(method__iexact=q) | Q(summary__icontains=q))
        return list_page(
            request,
            row=stage,
            title=f"Policies of operations of {stage}",
            intro="What is set here holds at once for one operation on this stage, before what the document, the "
            "stage and the document's root say.",
            rows=_operation_table(stage, list(found[:SHOWN_OPERATIONS])),
            q=q,
            more=max(found.count() - SHOWN_OPERATIONS, 0),
        )

    @action(description="Logs and compression", url_path="log", permissions=["change"], icon="receipt_long")
    def log_page(self, request: HttpRequest, object_id: str) -> HttpResponse:
        stage = stage_of(object_id)
        initial = {name: getattr(stage, name) for name in ("access_log", "compress_from", "request_log")}
        form = LogForm(_data(request), initial=initial)

        def verb(_: dict[str, Any]) -> str:
            change_stage(stage=stage, actor=person(request), **form.settings())
            return f"Changed the log of {stage}."

        title = f"Logs and compression of {stage}"
        return form_page(request, row=stage, form=form, title=title, submit="Save", verb=verb)

    @action(description="Canary", url_path="canary", permissions=["change"], icon="alt_route")
    def canary_page(self, request: HttpRequest, object_id: str) -> HttpResponse:
        stage = stage_of(object_id)
        there = stage.canary_deployment_id is not None
        buttons = [("promote", "Promote"), ("stop", "Back to 0 percent"), ("remove", "Remove")]
        return form_page(
            request,
            row=stage,
            form=CanaryForm(_data(request), initial=canary_initial(stage), stage=stage),
            title=f"Canary of {stage}",
            submit="Save" if there else "Start",
            verb=lambda data: _do_canary(request, stage, data),
            intro=_canary_intro(stage),
            buttons=buttons if there else (),
        )

    @action(description="Flush the cache", url_path="flush", permissions=["change"], icon="mop")
    def flush_page(self, request: HttpRequest, object_id: str) -> HttpResponse:
        stage = stage_of(object_id)

        def verb(_: dict[str, Any]) -> str:
            flush_cache(stage=stage, actor=person(request))
            return f"Flushed the cache of {stage}."

        return form_page(
            request,
            row=stage,
            form=Form(_data(request)),
            title=f"Flush the cache of {stage}?",
            submit="Flush",
            verb=verb,
            intro="Every node forgets the answers it has kept for this stage.",
        )


def _canary_intro(stage: Stage) -> str:
    if stage.canary_deployment is None:
        return (
            "A canary is another deployment that gets part of this stage's calls. Until it is removed, "
            "deployments to this stage go to the canary."
        )
    return (
        f"Deployment #{stage.canary_deployment.number} gets {stage.canary_percent:g} percent of the calls. "
        "Promote gives it to everybody and leaves the canary at 0 percent; remove it so that the next "
        "deployment is for everybody again."
    )


def _do_canary(request: HttpRequest, stage: Stage, data: dict[str, Any]) -> str:
    actor = person(request)
    pressed = request.POST.get("do")
    if pressed == "promote":
        promote_canary(stage=stage, actor=actor)
        return (
            f"{stage.name} now runs what its canary ran. The canary stays at 0 percent until you remove it."
        )
    if pressed == "remove":
        remove_canary(stage=stage, actor=actor)
        return f"Removed the canary of {stage}."
    if pressed == "stop":
        set_canary(stage=stage, percent=0, actor=actor)
        return f"The canary of {stage} gets no calls now."
    set_canary(stage=stage, actor=actor, **data)
    return f"The canary of {stage} gets {stage.canary_percent:g} percent of the calls."


def _operation_page(request: HttpRequest, stage: Stage, operation: Operation) -> HttpResponse:
    form = PolicyForm(_data(request), initial=initial_of(stage.operation_policies.get(operation.pk, {})))

    def verb(_: dict[str, Any]) -> str:
        policy = {} if request.POST.get("do") == "reset" else form.policy()
        set_operation_policy(stage=stage, operation=operation, policy=policy, actor=person(request))
        return f"Changed the policy of {operation} on {stage}; it holds now."

    holds = names_of(effective_policy(stage, operation)) or "nothing"
    return form_page(
        request,
        row=stage,
        form=form,
        title=f"{operation} on {stage}",
        submit="Save",
        verb=verb,
        intro=f"Asked of this operation now, from all levels: {holds}. Empty fields leave it to the others.",
        buttons=[("reset", "Set nothing here")],
        back=request.path,
    )


def _operation_table(stage: Stage, rows: list[Operation]) -> SafeString:
    cells = [
        (
            row.method,
            format_html(
                '<a class="text-primary-600 underline" href="?operation={}">{}</a>', row.pk, row.path
            ),
            names_of(stage.operation_policies.get(row.pk, {})) or "as the stage",
        )
        for row in rows
    ]
    return table(("Method", "Path", "Set here"), cells, "No operation is like that.")
