"""Who is invited to an API or a product. One set of views for both."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.decorators import method_decorator

from apis.invitations import withdraw_invitation
from portal import guard
from portal.forms.products import InvitationForm
from portal.refusals import refusals_to
from portal.views.questions import ask
from portal.views.written_pages import Subject


@dataclass(frozen=True)
class Guests:
    """The views. `invite(about, actor, email, invited)` calls the verb; `noun` is what they are invited to."""

    subject: Subject
    noun: str
    invite: Callable[..., Any]

    @method_decorator(login_required)
    def page(self, request: HttpRequest, pk: str) -> HttpResponse:
        """Who is invited, and a form for one more."""
        about = self.subject.own(request, pk, "add")
        form = InvitationForm(request.POST if request.method == "POST" else None)
        if request.method == "POST" and form.is_valid():
            with refusals_to(form):
                made = self.invite(about, actor=guard.person(request), **form.values())
                messages.success(request, f"Invited {made.email or made.invited}; a mail tells.")
                return redirect(self.subject.place("people", about))
        rows = about.invitations.select_related("invited", "created_by")
        context = self.subject.shown(request, about, "people") | {
            "about": about,
            "form": form,
            "rows": [(each, self.subject.place("withdraw", about, each.pk)) for each in rows],
        }
        return render(request, "provider/guests.html", context)

    @method_decorator(login_required)
    def withdraw(self, request: HttpRequest, pk: str, invitation: str) -> HttpResponse:
        """Ask, then take an invitation back."""
        about = self.subject.own(request, pk, "delete")
        found = get_object_or_404(about.invitations.select_related("invited"), pk=invitation)
        who = found.email or str(found.invited)
        return ask(
            request,
            question=f"Withdraw the invitation of {who}?",
            consequence=f"The {self.noun} is hidden from them, unless it is open to all. Subscriptions stay.",
            action="Withdraw the invitation",
            back=self.subject.place("people", about),
            act=lambda: withdraw_invitation(invitation=found, actor=guard.person(request)),
            done=f"{who} is not invited any more.",
            page="",
            template="provider/ask.html",
            context=self.subject.shown(request, about, "people"),
        )
