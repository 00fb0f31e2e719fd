"""Policies of a version, of one of its operations, of a stage, of an operation on a stage: as a form or as a text."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render

from accounts.errors import Refused
from apis.document_settings import (
    change_document_settings,
    document_policy,
    document_settings,
    set_document_policy,
)
from apis.operations import set_summary
from apis.publish import change_stage, set_operation_policy
from apis.queries import operations_of
from apis.stage_policies import effective_policy
from apis.versions import set_key_required
from portal import guard
from portal.forms.policies import FORM, TABS, PolicyForm, PolicyText, policy_form
from portal.forms.versions import OperationEdit
from portal.publishing import scope

NEXT_DEPLOY = "It is written into the document and goes live with the next deploy."
AT_ONCE = "It holds at once, on every node, without a deploy."
MOST_OPERATIONS = 500


@login_required
def version(request: HttpRequest, pk: str) -> HttpResponse:
    """What holds for all operations that say nothing else."""
    row = scope.version(request, pk, change=request.method == "POST")

    def save(policy: dict[str, Any]) -> None:
        change_document_settings(version=row, policy=policy, actor=guard.person(request))

    context = scope.context(request, row.organization, version=row)
    policy = document_settings(row).policy
    return _page(
        request,
        "provider/version_policies.html",
        context,
        policy,
        save=save,
        done=f"Changed the policies of {row}. {NEXT_DEPLOY}",
    )


@login_required
def operation(request: HttpRequest, pk: str) -> HttpResponse:
    """One operation: summary, key, and a policy of its own."""
    row = scope.operation(request, pk, change=request.method == "POST")
    edit = OperationEdit(
        request.POST if "edit" in request.POST else None,
        initial={"summary": row.summary, "key_required": row.key_required},
    )
    if "edit" in request.POST and edit.is_valid() and _edited(request, row, edit):
        messages.success(request, f"Changed {row}. {NEXT_DEPLOY}")
        return redirect(request.get_full_path())
    context = scope.context(
        request, row.organization, version=row.version, operation=row, edit=edit, note=NEXT_DEPLOY
    )

    def save(policy: dict[str, Any]) -> None:
        set_document_policy(operation=row, policy=policy, actor=guard.person(request))

    done = f"Changed the policy of {row}. {NEXT_DEPLOY}"
    return _page(request, "provider/operation.html", context, document_policy(row), save=save, done=done)


@login_required
def stage(request: HttpRequest, pk: str) -> HttpResponse:
    """What a stage asks before the document; `?operation=` for one operation on it."""
    row = scope.stage(request, pk, change=request.method == "POST")
    operations = list(operations_of(row.version)[:MOST_OPERATIONS])
    wanted = request.GET.get("operation", "")
    chosen = get_object_or_404(operations_of(row.version), pk=wanted) if wanted else None

    def save(policy: dict[str, Any]) -> None:
        actor = guard.person(request)
        if chosen is None:
            change_stage(stage=row, policy=policy, actor=actor)
        else:
            set_operation_policy(stage=row, operation=chosen, policy=policy, actor=actor)

    context = scope.context(
        request,
        row.organization,
        stage=row,
        operations=operations,
        chosen=chosen,
        holds=sorted(effective_policy(row, chosen)) if chosen else [],
        note=AT_ONCE,
    )
    policy = row.operation_policies.get(chosen.pk, {}) if chosen else row.policy
    done = f"Changed the policies of {chosen or row}. {AT_ONCE}"
    return _page(request, "provider/stage_policies.html", context, policy, save=save, done=done)


def _page(
    request: HttpRequest,
    template: str,
    context: dict[str, Any],
    policy: dict[str, Any],
    *,
    save: Callable[[dict[str, Any]], None],
    done: str,
) -> HttpResponse:
    """The tabs of one policy: `?as=form`, yaml or json."""
    tab = request.GET.get("as", FORM)
    tab = tab if tab in TABS else FORM
    posted = request.method == "POST" and "edit" not in request.POST
    form = policy_form(tab, request.POST if posted else None, policy)
    if posted and form.is_valid() and _saved(form, save):
        messages.success(request, done)
        return redirect(request.get_full_path())
    return render(request, template, context | {"form": form, "tab_as": tab, "tabs_as": TABS, "note": done})


def _saved(form: PolicyForm | PolicyText, save: Callable[[dict[str, Any]], None]) -> bool:
    try:
        save(form.policy())
    except Refused as refused:
        field = form.field_at(refused.field)
        at = refused.field.removeprefix("policy.")
        message = refused.message if isinstance(form, PolicyForm) or not at else f"{at}: {refused.message}"
        form.add_error(field if field in form.fields else None, message)
        return False
    return True


@transaction.atomic
def _edited(request: HttpRequest, row: Any, form: OperationEdit) -> bool:
    actor, data = guard.person(request), form.cleaned_data
    try:
        set_summary(operation=row, summary=data["summary"], actor=actor)
        if data["key_required"] != row.key_required:
            set_key_required(operation=row, required=data["key_required"], actor=actor)
    except Refused as refused:
        form.add_error(refused.field if refused.field in form.fields else None, refused.message)
        return False
    return True
