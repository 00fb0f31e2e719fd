"""Gateway responses of a version: how refusals look to callers. They are part of its document."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from accounts.errors import Refused
from apis.document_forms import response_initial
from apis.document_settings import change_document_settings, document_settings
from apis.policy import TYPES
from portal import guard
from portal.forms.versions import ResponseForm
from portal.publishing import scope


@login_required
def page(request: HttpRequest, pk: str) -> HttpResponse:
    """All types, or the one that `?type=` names."""
    version = scope.version(request, pk, change=request.method == "POST")
    known = document_settings(version).responses
    kind = request.GET.get("type", "")
    context = scope.context(request, version.organization, version=version, kind=kind)
    if not kind:
        rows = [(each, known.get(each, {})) for each in TYPES]
        return render(request, "provider/responses.html", context | {"rows": rows})
    if kind not in TYPES:
        raise Http404("no such type")
    before: dict[str, Any] = known.get(kind, {})
    form = ResponseForm(request.POST or None, initial=response_initial(before))
    if request.method == "POST" and form.is_valid():
        made = {} if request.POST.get("do") == "reset" else form.response(before)
        responses = {name: each for name, each in known.items() if name != kind} | (
            {kind: made} if made else {}
        )
        try:
            change_document_settings(version=version, responses=responses, actor=guard.person(request))
        except Refused as refused:
            field = form.field_at(refused.field)
            form.add_error(field if field in form.fields else None, refused.message)
        else:
            messages.success(request, f"Changed {kind} of {version}. Deploy it to make that live.")
            return redirect("version-responses", pk=pk)
    return render(request, "provider/responses.html", context | {"form": form, "before": before})
