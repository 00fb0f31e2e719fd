"""Own pages in Markdown, written under /provider/: of an API, a product or the website. One set of views for all."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.decorators import method_decorator

from accounts.drafts.keep import fields_of, with_draft
from accounts.models import User
from portal import guard
from portal.forms.products import PageForm
from portal.refusals import refusals_to
from portal.saving import save_or_keep
from portal.views.questions import ask


@dataclass(frozen=True)
class Subject:
    """What pages and invitations are about.

    `prefix` begins the names of its addresses. `own(request, pk, act)` returns it for who may `act` on what hangs on
    it (view, add, change, delete), else 404 or 403. `shown(request, about, tab)` is what its layout needs, with `head`,
    the template of its head. `single` = there is only one, so that no address names it.
    """

    prefix: str
    own: Callable[[HttpRequest, str, str], Any]
    shown: Callable[[HttpRequest, Any, str], dict[str, Any]]
    single: bool = False

    def place(self, name: str, about: Any, *ids: Any) -> str:
        """The address of one of its pages."""
        return reverse(f"{self.prefix}-{name}", args=ids if self.single else [about.pk, *ids])


@dataclass(frozen=True)
class WrittenPages:
    """The views. `write(about, actor, **fields)`, `change(page, actor, **fields)` and `remove` call the verbs."""

    subject: Subject
    rows: Callable[[Any], QuerySet[Any]]
    write: Callable[..., Any]
    change: Callable[..., object]
    remove: Callable[..., object]
    form: type[forms.Form] = PageForm

    @method_decorator(login_required)
    def listing(self, request: HttpRequest, pk: str = "") -> HttpResponse:
        """The pages in their order, published or not."""
        about = self.subject.own(request, pk, "view")
        place = self.subject.place
        rows = [
            (each, place("page", about, each.pk), place("page-delete", about, each.pk))
            for each in self.rows(about)
        ]
        context = self._shown(request, about) | {"rows": rows, "new": place("page-new", about)}
        return render(request, "provider/written_pages.html", context)

    @method_decorator(login_required)
    def create(self, request: HttpRequest, pk: str = "") -> HttpResponse:
        """Write a page."""
        about = self.subject.own(request, pk, "add")
        form = self.form(request.POST or None)
        if request.method == "POST" and form.is_valid():
            with refusals_to(form):
                page = self.write(about, actor=guard.person(request), **form.cleaned_data)
                messages.success(request, f"The page {page.title} is made.")
                return redirect(self.subject.place("pages", about))
        context = self._shown(request, about) | {"form": form, "title": "New page"}
        return render(request, "provider/written_page_form.html", context)

    @method_decorator(login_required)
    def edit(self, request: HttpRequest, page: str, pk: str = "") -> HttpResponse:
        """Change a page, at once or as a draft."""
        about = self.subject.own(request, pk, "change")
        found = get_object_or_404(self.rows(about), pk=page)
        title, draft = found.title, with_draft(found)
        known = {name: getattr(draft, name) for name in self.form.base_fields}
        form = self.form(request.POST or None, initial=known)
        if request.method == "POST" and form.is_valid():
            with refusals_to(form):
                messages.success(request, save_or_keep(request, found, form, self.change))
                return redirect(self.subject.place("pages", about))
        context = self._shown(request, about) | {"form": form, "found": found, "title": title}
        context["draft"] = bool(fields_of(found))
        return render(request, "provider/written_page_form.html", context)

    @method_decorator(login_required)
    def delete(self, request: HttpRequest, page: str, pk: str = "") -> HttpResponse:
        """Ask, then delete."""
        about = self.subject.own(request, pk, "delete")
        found = get_object_or_404(self.rows(about), pk=page)
        return ask(
            request,
            question=f"Delete the page {found.title}?",
            consequence="Its address is not found from then on.",
            action="Delete the page",
            back=self.subject.place("pages", about),
            act=lambda: self.remove(found, actor=guard.person(request)),
            done=f"{found.title} is deleted.",
            page="",
            template="provider/ask.html",
            context=self._shown(request, about),
        )

    def _shown(self, request: HttpRequest, about: Any) -> dict[str, Any]:
        context = self.subject.shown(request, about, "pages")
        return context | {"about": about, "back": self.subject.place("pages", about)}


def by_page(verb: Callable[..., object]) -> Callable[..., object]:
    """A verb that takes `page` by name, for the views."""

    def call(page: Any, *, actor: User, **fields: Any) -> object:
        return verb(page=page, actor=actor, **fields)

    return call
