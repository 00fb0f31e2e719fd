"""Registering an API on one page: document, operations, backend, plan, live."""

import re
import textwrap
from typing import Any

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render

from access.models import QuotaPeriod
from accounts.errors import Refused
from accounts.models import Organization
from apis.backend_probe import Probe, probe
from apis.models import Api
from apis.openapi import Document
from apis.openapi.operation_edits import CannotBe, with_operation, without_operation
from apis.openapi.parse import JSON_BEGINS
from apis.openapi.writing import JSON, YAML, written
from portal import guard
from portal.forms.register import RegisterForm
from portal.publishing import scope
from portal.publishing.reading import Reading, look_at
from portal.publishing.register import Wanted, register
from portal.refusals import refusals_to

SHOWN_OPERATIONS = 200
TAGS = re.compile(r"<[^>]*>")


@login_required
def page(request: HttpRequest) -> HttpResponse:
    """`?api=` registers a further version of an API that is there; `?organization=` chooses who provides it."""
    api = scope.api(request, request.GET["api"], change=True) if request.GET.get("api") else None
    mine = [] if api else scope.candidates(request)
    if not mine and api is None:
        if guard.organizations(request):
            raise PermissionDenied("Your role in this organization does not let you register APIs.")
        return redirect("organization-new")
    organization = api.organization if api else _organization(request, mine)
    if request.method == "POST":
        return _step(request, organization, api)
    return _shown(request, _form(request, None, organization, api, initial=_initial(api)), api)


def _step(request: HttpRequest, organization: Organization, api: Api | None) -> HttpResponse:
    """Do what the pressed button says, and show the page again with all that was typed."""
    do = request.POST.get("do", "check")
    form = _form(request, request.POST, organization, api, publishing=do == "publish")
    form.is_valid()
    data = request.POST.copy()
    if do == "read":
        text = form.chosen_text()
        if text is None:  # what was read before stays
            return _shown(request, form, api, look_at(str(data["text"])) if data.get("text") else None)
        data["text"] = text
        data["fetched_from"] = form.cleaned_data["url"] if form.cleaned_data["source"] == "url" else ""
    reading = look_at(data.get("text", ""), data.get("fetched_from", ""))
    if do in ("read", "check"):
        _fill(data, reading, _initial(api))
    problem = _edited(do, data, reading)
    if problem is None and data["text"] != reading.text:
        reading = look_at(str(data["text"]))
    # what a step wrote into the fields is shown like what was typed
    form = _form(request, data, organization, api, publishing=do == "publish")
    valid = form.is_valid()
    if problem:
        form.add_error({"path": "path", "method": "method"}.get(problem.field, "path"), str(problem))
    tried = _tried(form) if do == "probe" else None
    if do == "publish" and valid and reading.document is not None:
        with refusals_to(form):
            wanted = _wanted(form, reading.document, api)
            made = register(organization=organization, wanted=wanted, actor=guard.person(request))
            return redirect("version-live", pk=made.pk)
    return _shown(request, form, api, reading, tried)


def _form(
    request: HttpRequest, data: Any, organization: Organization, api: Api | None, **more: Any
) -> RegisterForm:
    return RegisterForm(
        data,
        None if data is None else request.FILES,
        organization=organization,
        api=api,
        backends=scope.backends_for(request, organization),
        chooses_only=scope.is_granted(request),
        **more,
    )


def _edited(do: str, data: QueryDict, reading: Reading) -> CannotBe | None:
    """Add or remove an operation in the text; returns why that cannot be."""
    verb, _, which = do.partition(":")
    if verb not in ("add", "remove") or reading.document is None:
        return None
    try:
        if verb == "add":
            made = with_operation(
                reading.document,
                data.get("method", ""),
                data.get("path", "").strip(),
                data.get("operation_summary", "").strip(),
            )
            data["path"] = data["operation_summary"] = ""
        else:
            method, _, path = which.partition(" ")
            made = without_operation(reading.document, method, path)
    except CannotBe as error:
        return error
    except KeyError:
        return None  # it is gone already: the page was sent twice
    data["text"] = written(made.data, JSON if JSON_BEGINS.match(reading.text) else YAML)
    return None


def _fill(data: QueryDict, reading: Reading, initial: dict[str, Any]) -> None:
    """Suggest what the document says, where nothing was typed; fields that are shown for the first time begin anew."""
    if "version" not in data:
        for name in ("version", "backend", "key_required", "plan_period"):
            data[name] = str(initial[name])
    said: Document | None = reading.document
    if said is None:
        return
    info = said.data.get("info")
    described = info.get("description") if isinstance(info, dict) else ""
    suggestions = {
        "name": said.title[:120],
        "summary": _first_line(described),
        "backend_url": reading.suggested[0] if reading.suggested else "",
    }
    for name, value in suggestions.items():
        if not data.get(name):
            data[name] = value


def _first_line(described: Any) -> str:
    """Return a description's first line as plain text of at most 200 characters."""
    plain = TAGS.sub(" ", described).strip() if isinstance(described, str) else ""
    return textwrap.shorten(plain.splitlines()[0], 200, placeholder=" …") if plain else ""


def _tried(form: RegisterForm) -> Probe | None:
    """Try the backend that the form names; a URL that cannot be one becomes an error at its field."""
    chosen = form.backends.get(form.cleaned_data.get("backend", ""))
    try:
        return probe(chosen.url if chosen else form.cleaned_data.get("backend_url", ""))
    except Refused as refused:
        form.add_error("backend_url" if "backend_url" in form.fields else "backend", refused.message)
        return None


def _wanted(form: RegisterForm, document: Document, api: Api | None) -> Wanted:
    data = form.cleaned_data
    return Wanted(
        document=document,
        api=api,
        name=data.get("name", ""),
        version=data["version"],
        summary=data.get("summary", ""),
        visibility=data.get("visibility") or "public",
        key_required=data["key_required"],
        backend=form.backends.get(data["backend"]),
        backend_url=data.get("backend_url", ""),
        plan=form.new_plan(),
    )


def _organization(request: HttpRequest, mine: list[Organization]) -> Organization:
    wanted = request.GET.get("organization", "")
    if wanted:
        found = next((each for each in mine if each.pk == wanted), None)
        if found is None:
            raise Http404("no such organization")
        return found
    current = guard.current_organization(request)
    return next((each for each in mine if current and each.pk == current.pk), mine[0])


def _initial(api: Api | None) -> dict[str, Any]:
    number = api.versions.count() + 1 if api else 1
    newest = api.versions.order_by("-created_at").first() if api else None
    return {
        "source": "url",
        "version": f"v{number}",
        "backend": newest.backend_id if newest and newest.backend_id else "",
        "key_required": "on",
        "plan_period": QuotaPeriod.MONTH,
    }


def _shown(
    request: HttpRequest,
    form: RegisterForm,
    api: Api | None,
    reading: Reading | None = None,
    tried: Probe | None = None,
) -> HttpResponse:
    operations = reading.operations if reading else []
    context = scope.context(
        request,
        form.organization,
        form=form,
        api=api,
        candidates=[] if api else scope.candidates(request),
        reading=reading,
        tried=tried,
        operations=operations[:SHOWN_OPERATIONS],
        more=max(len(operations) - SHOWN_OPERATIONS, 0),
    )
    return render(request, "provider/register.html", context)
