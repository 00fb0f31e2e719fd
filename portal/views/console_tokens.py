"""Bearer tokens for the management API."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache

from accounts.models import ApiToken, Organization
from accounts.permissions import can_administer
from accounts.tokens import create_token, revoke_token
from portal import guard, shown_once
from portal.forms.organization import TokenForm
from portal.refusals import refusals_to
from portal.views.questions import ask

PAGE = {"section": "console", "page": "tokens"}


@guard.in_organization()
def page(request: HttpRequest, organization: Organization) -> HttpResponse:
    """Her own tokens (all of them for those who administer), and the form for a new one."""
    form = TokenForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        with refusals_to(form):
            person = guard.person(request)
            token, text = create_token(
                organization=organization,
                user=person,
                name=form.cleaned_data["name"],
                read_only=form.cleaned_data["read_only"],
                expires_at=form.expires_at(),
                actor=person,
            )
            shown_once.keep(request, "token", organization.pk, text, name=token.name)
            return redirect("token-shown")
    tokens = organization.api_tokens.select_related("user").filter(revoked_at=None)
    if not can_administer(request.user, organization):
        tokens = tokens.filter(user=guard.person(request))
    return render(request, "console/tokens.html", PAGE | {"form": form, "tokens": list(tokens)})


@never_cache
@guard.in_organization()
def show(request: HttpRequest, organization: Organization) -> HttpResponse:
    kept = shown_once.take(request, "token", organization.pk)
    return render(request, "console/token_shown.html", PAGE | {"kept": kept})


@guard.in_organization()
def revoke(request: HttpRequest, organization: Organization, pk: str) -> HttpResponse:
    token = guard.own(ApiToken.objects.select_related("user"), organization, pk)
    if token.user_id != request.user.pk:
        guard.demand(can_administer, request, organization)
    return ask(
        request,
        question=f"Revoke {token.name}?",
        consequence=f"Programs that use {token.prefix}… are refused from the next call on.",
        action="Revoke the token",
        back=reverse("tokens"),
        act=lambda: revoke_token(token=token, actor=guard.person(request)),
        done=f"{token.name} is revoked.",
        page="tokens",
    )
