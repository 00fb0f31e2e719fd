"""Signing up and in with an account at another provider (allauth.socialaccount).

Such an account never gets into an existing one by its address alone: a provider may be wrong about whose address it
is. Its owner signs in as she always did, shows anew that it is her, and connects the two.
"""

from typing import Any

from allauth.account.models import EmailAddress
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter, _build_apps_from_settings
from allauth.socialaccount.models import SocialAccount, SocialApp, SocialLogin
from django.conf import settings
from django.contrib import messages
from django.db import transaction
from django.forms import BaseForm
from django.http import HttpRequest
from django.shortcuts import redirect
from django.urls import reverse

from accounts.adapter import invited_address
from accounts.models import User
from accounts.people import create_personal_organization


class SocialAdapter(DefaultSocialAccountAdapter):
    """Gatehouse's hooks into allauth.socialaccount."""

    def list_apps(
        self, request: HttpRequest, provider: str | None = None, client_id: str | None = None
    ) -> list[SocialApp]:
        """Those of the settings only: none is kept in the database, so no page asks it."""
        found = _build_apps_from_settings(provider=provider, client_id=client_id)
        return [app for apps in found.values() for app in apps]

    def pre_social_login(self, request: HttpRequest, sociallogin: SocialLogin) -> None:
        """Before anything happens: take only a real `true` for verified, and tell whose address has an account."""
        for address in sociallogin.email_addresses:
            # some providers say "false", which Python holds for true
            address.verified = address.verified is True or address.verified == "true"
        if sociallogin.is_existing or sociallogin.state.get("process") == "connect":
            return
        # an address that the provider has not verified tells nobody whether it has an account: allauth mails its owner
        mine = [each.email for each in sociallogin.email_addresses if each.verified]
        if EmailAddress.objects.filter(email__in=[each.lower() for each in mine], verified=True).exists():
            name = sociallogin.provider.name
            messages.error(
                request,
                f"{mine[0]} has an account here already, which is not connected with {name}. Sign in as you did "
                f"before, then connect {name} on the page Security.",
            )
            raise ImmediateHttpResponse(redirect("account_login"))

    def is_open_for_signup(self, request: HttpRequest, sociallogin: SocialLogin) -> bool:
        """Where sign-up is closed: for the address that a team invited."""
        if not super().is_open_for_signup(request, sociallogin):
            return False
        invited = invited_address(request)
        addresses = {each.email.lower() for each in sociallogin.email_addresses}
        return settings.GATEHOUSE_SIGNUP_OPEN or invited in addresses

    def populate_user(self, request: HttpRequest, sociallogin: SocialLogin, data: dict[str, Any]) -> User:
        user = super().populate_user(request, sociallogin, data)
        parts = (data.get("first_name"), data.get("last_name"))
        user.name = str(data.get("name") or " ".join(filter(None, parts)))[:150]
        return user

    def save_user(self, request: HttpRequest, sociallogin: SocialLogin, form: BaseForm | None = None) -> User:
        """Save the new person together with the organization she owns."""
        with transaction.atomic():
            user = super().save_user(request, sociallogin, form)
            # with a form, our account adapter has made it
            if not user.memberships.exists():
                create_personal_organization(user=user)
        return user

    def get_connect_redirect_url(self, request: HttpRequest, socialaccount: SocialAccount) -> str:
        return reverse("security")
