"""A person's own way in, on one page: password, passkeys, second factors, other accounts, sessions, tokens."""

from typing import Any

from allauth.mfa.models import Authenticator
from allauth.socialaccount.adapter import get_adapter as social_adapter
from allauth.socialaccount.models import SocialAccount
from allauth.socialaccount.views import connections as allauth_connections
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse

from accounts.models import ApiToken, User
from accounts.second_factors import is_demanded_of
from accounts.security_trail import security_trail
from accounts.sessions import end_session, sessions_of, sign_out_others
from accounts.tokens import revoke_token
from portal import guard
from portal.user_agents import named
from portal.views.questions import ask

PAGE = {"section": "console", "page": "security"}
TRAIL = 8


@login_required
def page(request: HttpRequest) -> HttpResponse:
    person = guard.person(request)
    context = PAGE | _factors(person) | _others(request, person)
    context["trail"] = list(security_trail(person)[:TRAIL])
    context["tokens"] = list(
        person.api_tokens.filter(revoked_at=None).select_related("organization").order_by("-created_at")
    )
    return render(request, "console/security.html", context)


@login_required
def end(request: HttpRequest, pk: int) -> HttpResponse:
    """Sign out one of her sessions."""
    person = guard.person(request)
    session = get_object_or_404(sessions_of(person), pk=pk)
    return ask(
        request,
        question=f"Sign out {named(session.user_agent)}?",
        consequence=f"Whoever uses it, last seen from {session.ip}, must sign in again.",
        action="Sign out",
        back=reverse("security"),
        act=lambda: end_session(session=session, actor=person),
        done="That session is signed out.",
        page="security",
    )


@login_required
def end_others(request: HttpRequest) -> HttpResponse:
    """Sign out everywhere but here."""
    person = guard.person(request)

    def act() -> HttpResponse:
        count = sign_out_others(request=request, user=person)
        messages.success(request, f"{count} other session{'s are' if count != 1 else ' is'} signed out.")
        return redirect("security")

    return ask(
        request,
        question="Sign out everywhere else?",
        consequence="All browsers but this one must sign in again. API tokens go on working.",
        action="Sign out the others",
        back=reverse("security"),
        act=act,
        done="",
        page="security",
    )


@login_required
def revoke(request: HttpRequest, pk: str) -> HttpResponse:
    """Revoke one of her own tokens, whichever organization it belongs to."""
    person = guard.person(request)
    token = get_object_or_404(ApiToken.objects.select_related("organization"), user=person, pk=pk)
    return ask(
        request,
        question=f"Revoke {token.name}?",
        consequence=f"Programs that use {token.prefix}… for {token.organization} are refused from the next call on.",
        action="Revoke the token",
        back=reverse("security"),
        act=lambda: revoke_token(token=token, actor=person),
        done=f"{token.name} is revoked.",
        page="security",
    )


@login_required
def disconnect(request: HttpRequest) -> HttpResponseBase:
    """allauth's page of connected accounts: ours shows them, its form takes one away."""
    return allauth_connections(request) if request.method == "POST" else redirect("security")


def _factors(person: User) -> dict[str, Any]:
    rows = list(Authenticator.objects.filter(user=person).order_by("created_at", "pk"))
    by_kind = {kind: [row for row in rows if row.type == kind] for kind in Authenticator.Type}
    codes = next(iter(by_kind[Authenticator.Type.RECOVERY_CODES]), None)
    return {
        "passkeys": by_kind[Authenticator.Type.WEBAUTHN],
        "app": next(iter(by_kind[Authenticator.Type.TOTP]), None),
        "has_codes": codes is not None,
        "codes_left": len(codes.wrap().get_unused_codes()) if codes else 0,
        "demanded": is_demanded_of(person, provides=True),
    }


def _others(request: HttpRequest, person: User) -> dict[str, Any]:
    accounts = list(SocialAccount.objects.filter(user=person).order_by("date_joined"))
    names = {provider.sub_id: provider.name for provider in social_adapter().list_providers(request)}
    connected = [
        {"row": row, "name": names.get(row.provider, row.provider), "who": _address(row)} for row in accounts
    ]
    taken = {row.provider for row in accounts}
    here = request.session.session_key
    return {
        "connected": connected,
        "connectable": [(key, name) for key, name in names.items() if key not in taken],
        "sessions": [
            {"row": row, "name": named(row.user_agent), "here": row.session_key == here}
            for row in sessions_of(person)
        ],
    }


def _address(account: SocialAccount) -> str:
    """Whose account it is there, as its provider told."""
    data = account.extra_data
    told = data.get("userinfo") or data.get("id_token") or data
    return str(told.get("email") or told.get("login") or told.get("name") or account.uid)
