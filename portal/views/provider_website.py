"""The website's look and own pages, for staff of the installation; to others they are not there."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from accounts.branding.change import change_branding, cleaned_look
from accounts.branding.forms import settings_of
from accounts.branding.models import Branding, SitePage
from accounts.branding.pages import change_site_page, create_site_page, delete_site_page
from accounts.drafts.keep import fields_of, with_draft
from portal import guard, provider_scope
from portal.forms.website import LookForm, SitePageForm
from portal.publishing.register import at_fields
from portal.refusals import refusals_to
from portal.saving import save_or_keep
from portal.views.written_pages import Subject, WrittenPages, by_page


@login_required
def look(request: HttpRequest) -> HttpResponse:
    """Name, logo, accents, links of the footer, domain. What one reads of it can wait as a draft."""
    provider_scope.demand_staff(request, "accounts.change_branding")
    row = Branding.objects.first() or Branding(pk=1)
    form = LookForm(request.POST or None, request.FILES or None, instance=with_draft(row))
    if request.method == "POST" and form.is_valid():
        with refusals_to(form), at_fields(footer_links="links", logo="logo_file"):
            if row.updated_at is None:  # a draft needs something to be a draft of
                row = change_branding(actor=guard.person(request))
            messages.success(request, save_or_keep(request, row, form, _change, read=_fields))
            return redirect("website")
    context = _shown(request, row, "look") | {"form": form, "draft": bool(fields_of(row))}
    context["has_logo"] = bool(row.logo)
    return render(request, "provider/website_look.html", context)


def _fields(data: dict[str, Any]) -> dict[str, Any]:
    """The verb's fields; colours and links are checked also where they wait as a draft, which a preview shows."""
    return cleaned_look(settings_of(data))


def _change(_row: Branding, **fields: Any) -> None:
    change_branding(**fields)


def _own(request: HttpRequest, _pk: str, act: str) -> Branding:
    provider_scope.demand_staff(request, f"accounts.{act}_sitepage")
    return Branding.objects.defer("logo").first() or Branding(pk=1)


def _shown(request: HttpRequest, _row: Branding, tab: str) -> dict[str, Any]:
    return provider_scope.context(request, None, "website") | {
        "tab": tab,
        "head": "provider/website_head.html",
        "previewed": ("website", "1"),
        "empty": "Write your terms, an imprint, a page about support. The footer leads to them.",
    }


pages = WrittenPages(
    Subject("website", _own, _shown, single=True),
    rows=lambda _site: SitePage.objects.all(),
    write=lambda _site, **fields: create_site_page(**fields),
    change=by_page(change_site_page),
    remove=by_page(delete_site_page),
    form=SitePageForm,
)
