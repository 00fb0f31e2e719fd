"""Announcements by mail: written, previewed, tried on oneself, sent, and watched while they are."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from access.announcements.audience import audience_of
from access.announcements.letter import body_of
from access.announcements.models import Announcement, AnnouncementState, RecipientState
from access.announcements.write import (
    change_announcement,
    create_announcement,
    delete_announcement,
    queue_announcement,
    retry_failed,
    send_test,
)
from accounts.errors import Refused
from accounts.models import Organization
from portal import guard, provider_scope
from portal.forms.announcements import AnnouncementForm
from portal.refusals import refusals_to
from portal.views.questions import ask

PER_PAGE = 50
MOST_FAILURES = 200


@login_required
def listing(request: HttpRequest) -> HttpResponse:
    organization = provider_scope.chosen(request)
    page = Paginator(_rows(organization).order_by("-created_at", "pk"), PER_PAGE).get_page(
        request.GET.get("page")
    )
    context = _context(request, organization) | {"rows": page}
    return render(request, "provider/announcements.html", context)


@never_cache
@login_required
def detail(request: HttpRequest, pk: str) -> HttpResponse:
    """A draft with its preview and how many it would reach; or how far it is. `?fragment=1` is the progress."""
    organization = provider_scope.chosen(request)
    found = get_object_or_404(_rows(organization).select_related("organization", "api", "plan"), pk=pk)
    draft = found.state == AnnouncementState.DRAFT
    context = _context(request, organization) | {"announcement": found}
    failed = found.recipients.filter(state=RecipientState.FAILED)
    context["failures"] = [] if draft else list(failed.order_by("address")[:MOST_FAILURES])
    if request.GET.get("fragment") == "1":
        return render(request, "provider/announcement_progress.html", context)
    context |= {
        "mail_text": body_of(found, None),
        "reach": audience_of(found).count() if draft else found.count,
    }
    return render(request, "provider/announcement.html", context)


@login_required
def create(request: HttpRequest) -> HttpResponse:
    organization = _writing(request)
    form = AnnouncementForm(request.POST or None, organization=organization)
    if request.method == "POST" and form.is_valid():
        with refusals_to(form):
            made = create_announcement(
                organization=organization, actor=guard.person(request), **form.values()
            )
            return redirect(provider_scope.address("announcement", organization, made.pk))
    context = _context(request, organization) | {"form": form}
    return render(request, "provider/announcement_form.html", context)


@login_required
def edit(request: HttpRequest, pk: str) -> HttpResponse:
    organization = _writing(request)
    found = _own(organization, pk)
    form = AnnouncementForm(request.POST or None, organization=organization, announcement=found)
    if request.method == "POST" and form.is_valid():
        with refusals_to(form):
            change_announcement(announcement=found, actor=guard.person(request), **form.values())
            return redirect(provider_scope.address("announcement", organization, pk))
    context = _context(request, organization) | {"form": form, "announcement": found}
    return render(request, "provider/announcement_form.html", context)


@require_POST
@login_required
def test(request: HttpRequest, pk: str) -> HttpResponse:
    organization = _writing(request)
    send_test(announcement=_own(organization, pk), actor=guard.person(request))
    messages.success(request, f"Sent to {guard.person(request).email}.")
    return redirect(provider_scope.address("announcement", organization, pk))


@login_required
def send(request: HttpRequest, pk: str) -> HttpResponse:
    organization = _writing(request)
    found = _own(organization, pk)
    count = audience_of(found).count()
    return ask(
        request,
        question=f"Send “{found.subject}” to {count:,} {'person' if count == 1 else 'people'}?",
        consequence="It cannot be changed or taken back once it is on its way.",
        action="Send it",
        back=provider_scope.address("announcement", organization, pk),
        act=lambda: queue_announcement(announcement=found, actor=guard.person(request)),
        done="It is on its way.",
        page="announcements",
        button_class="button--primary",
        template="provider/ask.html",
        context=_context(request, organization),
    )


@login_required
def delete(request: HttpRequest, pk: str) -> HttpResponse:
    organization = _writing(request)
    found = _own(organization, pk)
    return ask(
        request,
        question=f"Delete the draft “{found.subject}”?",
        consequence="Nobody gets it.",
        action="Delete the draft",
        back=provider_scope.address("announcements", organization),
        act=lambda: delete_announcement(announcement=found, actor=guard.person(request)),
        done="The draft is deleted.",
        page="announcements",
        template="provider/ask.html",
        context=_context(request, organization),
    )


@require_POST
@login_required
def retry(request: HttpRequest, pk: str) -> HttpResponse:
    organization = _writing(request)
    try:
        count = retry_failed(announcement=_own(organization, pk), actor=guard.person(request))
        messages.success(request, f"Tries again for {count:,}.")
    except Refused as refused:
        messages.error(request, refused.message)
    return redirect(provider_scope.address("announcement", organization, pk))


def _writing(request: HttpRequest) -> Organization:
    """The provider in whose name she may write; else 403."""
    organization = provider_scope.chosen(request)
    provider_scope.demand(provider_scope.administers(request, organization))
    return organization


def _own(organization: Organization, pk: str) -> Announcement:
    return get_object_or_404(
        Announcement.objects.select_related("organization"), pk=pk, organization=organization
    )


def _rows(organization: Organization) -> Any:
    """Announcements with `count`, `sent`, `failed` and `waiting` copies."""
    counts = {state.value: Count("recipients", filter=Q(recipients__state=state)) for state in RecipientState}
    return Announcement.objects.filter(organization=organization).annotate(
        count=Count("recipients"), **counts
    )


def _context(request: HttpRequest, organization: Organization) -> dict[str, Any]:
    return provider_scope.context(request, organization, "announcements") | {
        "may_write": provider_scope.administers(request, organization)
    }
