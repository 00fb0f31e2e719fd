"""Editing a version: operations, backend and keys, the document itself. A deploy makes it live."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db import transaction
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from accounts.errors import Refused
from apis.addresses import set_execute_api_endpoint
from apis.changelog import compare
from apis.document_forms import keys_initial
from apis.document_settings import change_document_settings, document_settings
from apis.models import ApiVersion
from apis.openapi.parse import from_data
from apis.openapi.writing import JSON, YAML, written
from apis.operations import add_operation, remove_operation
from apis.queries import live_stage, operations_of
from apis.version_changes import summed_up
from apis.versions import replace_document, set_backend, set_key_default, set_keys_required
from portal import guard
from portal.forms.versions import DocumentForm, OperationForm, VersionForm
from portal.publishing import scope
from portal.publishing.reading import Reading, look_at, remarks_of
from portal.refusals import refusals_to
from portal.views.questions import ask

SHOWN_OPERATIONS = 200
# YAML of more is slow to write; the other tab is one click away
LONGEST_YAML = 300_000


@login_required
def operations(request: HttpRequest, pk: str) -> HttpResponse:
    """The version's operations; the buttons need the right to change them."""
    version = scope.version(request, pk, change=request.method == "POST")
    adding = request.POST.get("do") == "add"
    form = OperationForm(request.POST if adding else None)
    if adding and form.is_valid():
        with refusals_to(form):
            made = add_operation(version=version, actor=guard.person(request), **form.cleaned_data)
            messages.success(request, f"Added {made}. Deploy the version to make it live.")
            return redirect("version-operations", pk=pk)
    if request.method == "POST" and not adding:
        _set_keys(request, version)
        return redirect(request.get_full_path())
    q = request.GET.get("q", "").strip()
    rows = operations_of(version)
    if q:
        rows = rows.filter(Q(path__icontains=q) | Q(summary__icontains=q) | Q(method__iexact=q))
    found = list(rows[: SHOWN_OPERATIONS + 1])
    context = scope.context(
        request,
        version.organization,
        version=version,
        q=q,
        form=form,
        operations=found[:SHOWN_OPERATIONS],
        more=len(found) > SHOWN_OPERATIONS,
    )
    return render(request, "provider/operations.html", context)


@login_required
def remove(request: HttpRequest, pk: str) -> HttpResponse:
    """Take an operation out of the document."""
    row = scope.operation(request, pk, change=True)
    return ask(
        request,
        question=f"Take {row} out of {row.version}?",
        consequence="Calls to it go on being answered until the next deploy, which shows it as a breaking change. "
        "Importing a document that has it brings it back.",
        action="Take it out",
        back=reverse("version-operations", args=[row.version_id]),
        act=lambda: remove_operation(operation=row, actor=guard.person(request)),
        done=f"{row} is out of the document. Deploy the version to make that live.",
        page="apis",
        template="provider/ask.html",
        context=scope.context(request, row.organization),
    )


@login_required
def settings(request: HttpRequest, pk: str) -> HttpResponse:
    """Backend, keys, compression."""
    version = scope.version(request, pk, change=request.method == "POST")
    root = document_settings(version)
    initial = keys_initial(root) | {
        name: getattr(version, name) for name in ("backend", "key_required", "disable_execute_api_endpoint")
    }
    backends = scope.backends_for(request, version.organization)
    form = VersionForm(request.POST or None, backends=backends, initial=initial)
    if request.method == "POST" and form.is_valid() and _saved(request, version, form):
        messages.success(request, f"Changed {version}. Deploy it to make that live.")
        return redirect("version-settings", pk=pk)
    context = scope.context(
        request,
        version.organization,
        version=version,
        form=form,
        authorizers=sorted(root.authorizers.served),
    )
    return render(request, "provider/version_settings.html", context)


@login_required
def document(request: HttpRequest, pk: str) -> HttpResponse:
    """The document as text, `?as=yaml` or json: check it, see what would change, save it."""
    version = scope.version(request, pk, change=request.method == "POST")
    tab = request.GET.get("as") or _usual(version)
    if request.method == "POST":
        text = request.POST.get("text", "")
        reading = look_at(text)
    else:
        text = written(version.document, tab)
        reading = Reading(text, remarks=remarks_of(text, version.findings))
    form = DocumentForm(request.POST or None, initial={"text": text})
    if request.POST.get("do") == "save" and form.is_valid() and reading.document is not None:
        with refusals_to(form):
            replace_document(version=version, document=reading.document, actor=guard.person(request))
            messages.success(request, f"Saved the document of {version}. Nothing is live before a deploy.")
            return redirect("version-deploy", pk=pk)
    context = scope.context(
        request, version.organization, version=version, form=form, tab_as=tab, reading=reading
    )
    if request.method == "POST" and reading.document is not None:
        context |= _changes(version, reading)
    return render(request, "provider/document.html", context)


def _usual(version: ApiVersion) -> str:
    return YAML if len(written(version.document, JSON)) <= LONGEST_YAML else JSON


def _changes(version: ApiVersion, reading: Reading) -> dict[str, Any]:
    """What callers would notice, against what is live, or else against the document as it was."""
    stage = live_stage(version)
    deployment = stage.deployment if stage else None
    assert reading.document is not None
    before = from_data(deployment.document if deployment else version.document)
    changes = compare(before, reading.document)
    return {
        "compared": f"what {stage.name} runs" if stage and deployment else "the saved document",
        "changes": changes[:50],
        "counts": summed_up(changes),
        "breaking": any(each.breaking for each in changes),
    }


def _set_keys(request: HttpRequest, version: ApiVersion) -> None:
    chosen = list(operations_of(version).filter(pk__in=request.POST.getlist("operation")))
    required = request.POST.get("do") == "keyed"
    if not chosen:
        messages.error(request, "Choose operations first: tick the boxes before them.")
        return
    try:
        set_keys_required(version=version, operations=chosen, required=required, actor=guard.person(request))
    except Refused as refused:
        messages.error(request, refused.message)
        return
    count = "1 operation" if len(chosen) == 1 else f"{len(chosen)} operations"
    what = "with" if required else "without"
    messages.success(request, f"{count} {what} a key. Deploy the version to make that live.")


def _saved(request: HttpRequest, version: ApiVersion, form: VersionForm) -> bool:
    actor, data = guard.person(request), form.cleaned_data
    try:
        with transaction.atomic():
            set_backend(version=version, backend=data["backend"], actor=actor)
            set_key_default(version=version, required=data["key_required"], actor=actor)
            change_document_settings(version=version, actor=actor, **form.settings())
            disabled = data["disable_execute_api_endpoint"]
            set_execute_api_endpoint(version=version, disabled=disabled, actor=actor)
    except Refused as refused:
        field = form.field_at(refused.field)
        form.add_error(field if field in form.fields else None, refused.message)
        return False
    return True
