"""Staff see the site as somebody else sees it: her pages, without her secrets. They change nothing, but where her
organization lets them and they said that they will: then what is in ACTS, and the audit trail names them.

The staff's own session stays as it is; only `request.user` is the other person while a look lasts. `request.helping` is
the look (`HelpSession`), or None.
"""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.contrib.auth.signals import user_logged_out
from django.dispatch import receiver
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render

from accounts.audit import acting_for
from accounts.helping.models import HelpSession
from accounts.helping.sessions import end_help, running
from accounts.models import User
from portal.guard import SAFE

SESSION_KEY = "helping"
# ending it, and signing out, are the staff's own acts
OWN = ("/help/", "/accounts/logout/")
# passwords, sign-in methods, sessions and mail are the person's own
CLOSED = ("/accounts/", "/console/security/", "/admin/", "/outbox/")
# what staff may do for her: nothing that makes a secret, pays, or changes who belongs to the organization
ACTS = {
    "application-new",
    "application-edit",
    "key-edit",
    "key-disable",
    "key-enable",
    "key-revoke",
    "subscription-plan",
    "subscription-undo",
    "budget-new",
    "budget",
    "budget-delete",
    "billing-profile",
    "webhook-test",
    "webhook-resend",
}
# pages that show a secret once
SECRETS = {"key-shown", "token-shown", "webhook-shown"}


class Helping:
    """Middleware, after authentication and messages."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        request.helping = None  # type: ignore[attr-defined]
        pk = request.session.get(SESSION_KEY)
        if pk is None or not isinstance(request.user, User):
            return self.get_response(request)
        found = running(pk, request.user)
        if found is None:
            del request.session[SESSION_KEY]
            messages.warning(request, "Your look at the site as somebody else is over.")
            return redirect("home")
        request.helping = found  # type: ignore[attr-defined]
        if request.path.startswith(OWN):
            return self.get_response(request)
        request.user = found.person
        if request.method not in SAFE and not found.acts:
            return refuse(request, "You see the site as somebody else: reading only. Nothing was changed.")
        if request.path.startswith(CLOSED):
            return refuse(request, "This page is her own: nobody else sees it.")
        with acting_for(staff=found.staff, person=found.person):
            return self.get_response(request)

    def process_view(self, request: HttpRequest, *_: Any) -> HttpResponse | None:
        """Keep what is shown once for whom it is meant, and to her what she alone may do."""
        match = request.resolver_match
        if not (request.helping and match):  # type: ignore[attr-defined]
            return None
        if match.url_name in SECRETS:
            return refuse(request, "What is shown once is shown to nobody else.")
        if request.method not in SAFE and match.url_name not in ACTS and not request.path.startswith(OWN):
            return refuse(request, "This only she may do herself. Nothing was changed.")
        return None


def refuse(request: HttpRequest, words: str) -> HttpResponse:
    """403, with the way out."""
    return render(request, "helping/refused.html", {"words": words}, status=403)


def begin(request: HttpRequest, session: HelpSession) -> None:
    """From the next request on, she sees what the other person sees."""
    request.session[SESSION_KEY] = session.pk


def end(request: HttpRequest) -> HelpSession | None:
    """See the site as herself again; return what ended."""
    pk = request.session.pop(SESSION_KEY, None)
    rows = HelpSession.objects.select_related("staff")
    found = rows.filter(pk=pk, staff=request.user.pk).first() if pk else None
    return end_help(session=found, actor=found.staff) if found else None


@receiver(user_logged_out)
def _signed_out(request: HttpRequest | None = None, **_: Any) -> None:
    if request is not None and hasattr(request, "session"):
        end(request)
