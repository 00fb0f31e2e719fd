"""What readers find about an API beside its document: its details, own pages, and who is invited."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from accounts.drafts.keep import fields_of, with_draft
from apis.invitations import invite
from apis.models import Api
from apis.pages import change_page, create_page, delete_page
from apis.versions import change_api
from portal import provider_scope
from portal.forms.api_details import ApiForm, details_of
from portal.publishing import scope
from portal.refusals import refusals_to
from portal.saving import save_or_keep
from portal.views.guests import Guests
from portal.views.written_pages import Subject, WrittenPages, by_page


@login_required
def details(request: HttpRequest, pk: str) -> HttpResponse:
    """Name, texts, category and tags, who sees it; texts can wait as a draft."""
    api = scope.api(request, pk, change=True)
    form = ApiForm(request.POST or None, initial=details_of(with_draft(api)))
    if request.method == "POST" and form.is_valid():
        with refusals_to(form):
            messages.success(request, save_or_keep(request, api, form, _change))
            return redirect("provider-api-details", pk)
    # what was typed and refused must not name the page
    shown = scope.api(request, pk)
    context = _shown(request, shown, "details") | {"form": form, "draft": bool(fields_of(api))}
    return render(request, "provider/api_details.html", context)


def _change(api: Api, **fields: Any) -> None:
    change_api(api=api, **fields)


def _own(request: HttpRequest, pk: str, _act: str) -> Api:
    return scope.api(request, pk, change=True)


def _own_whole(request: HttpRequest, pk: str, _act: str) -> Api:
    """Invitations are the organization's: a limited member opens her APIs to nobody in its name."""
    found = scope.api(request, pk, change=True)
    provider_scope.demand(not scope.is_granted(request))
    return found


def _shown(request: HttpRequest, api: Api, tab: str) -> dict[str, Any]:
    return scope.context(
        request,
        api.organization,
        api=api,
        tab=tab,
        head="provider/api_head.html",
        previewed=("api", api.pk),
        empty="Write a guide: how to begin, what an error means, what changed. They stand beside the API's overview.",
    )


pages = WrittenPages(
    Subject("provider-api", _own, _shown),
    rows=lambda api: api.pages.all(),
    write=lambda api, **fields: create_page(api=api, **fields),
    change=by_page(change_page),
    remove=by_page(delete_page),
)
guests = Guests(
    Subject("provider-api", _own_whole, _shown), "API", lambda api, **given: invite(api=api, **given)
)
