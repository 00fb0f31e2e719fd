"""How django-allauth signs people up here."""

import logging
from smtplib import SMTPException
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.core import context as current
from django.conf import settings
from django.contrib import messages
from django.contrib.sites.shortcuts import get_current_site
from django.core.exceptions import ValidationError
from django.core.mail import EmailMessage
from django.db import transaction
from django.forms import BaseForm
from django.http import HttpRequest
from django.urls import reverse

from accounts.models import User
from accounts.people import create_personal_organization
from accounts.teams.invitations import find_invitation
from accounts.teams.models import InvitationState

logger = logging.getLogger(__name__)

MAIL_FAILED = (
    "Your account is fine, but the message to you could not be sent just now. "
    "Sign in again in a few minutes, and it is sent once more."
)
# in the session: the id of the plan that a visitor picked before she signed in
WANTED_PLAN = "wanted_plan"
# in the session: the secret of the invitation whose page a visitor opened
INVITATION = "invitation"
# what allauth says after a message was sent
SENT = "account/messages/email_confirmation_sent.txt"


class AccountAdapter(DefaultAccountAdapter):
    """Gatehouse's hooks into allauth."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Also where sign-up is closed: for whom a team invites."""
        return settings.GATEHOUSE_SIGNUP_OPEN or invited_address(request) is not None

    def clean_email(self, email: str) -> str:
        """Where sign-up is closed, take the invited address only."""
        email = super().clean_email(email)
        request = current.request
        if settings.GATEHOUSE_SIGNUP_OPEN or request.user.is_authenticated:
            return email
        invited = invited_address(request)
        if invited is not None and email.lower() != invited:
            raise ValidationError(f"Sign up with the address that was invited: {invited}.")
        return email

    def save_user(self, request: HttpRequest, user: User, form: BaseForm, commit: bool = True) -> User:
        """Save the new person together with the organization she owns."""
        with transaction.atomic():
            super().save_user(request, user, form, commit=commit)
            if commit:
                create_personal_organization(user=user)
        return user

    def get_login_redirect_url(self, request: HttpRequest) -> str:
        """Back to the plan she picked before she signed in, if there is one and `next` got lost."""
        return _wanted_page(request) or super().get_login_redirect_url(request)

    def get_signup_redirect_url(self, request: HttpRequest) -> str:
        """The same, when the sign-in is the end of a sign-up."""
        return _wanted_page(request) or super().get_signup_redirect_url(request)

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Render now; send when the transaction is through, so that no message tells of what was undone."""
        request = current.request
        site = get_current_site(request)
        shown = {"request": request, "email": email, "current_site": site} | context
        message = self.render_mail(template_prefix, email, shown)
        transaction.on_commit(lambda: self._deliver(message, request))

    def add_message(
        self, request: HttpRequest, level: int, message_template: str | None = None, *args: Any, **kwargs: Any
    ) -> None:
        """Say nothing of a message that was not sent."""
        if message_template == SENT and getattr(request, "mail_failed", False):
            return
        super().add_message(request, level, message_template, *args, **kwargs)

    def _deliver(self, message: EmailMessage, request: HttpRequest | None) -> None:
        """A mail server that is away must not lose a sign-up: log it and tell the person."""
        try:
            message.send()
        except (SMTPException, OSError):
            logger.exception("Could not send %r to %s", message.subject, ", ".join(message.to))
            if request is not None:
                request.mail_failed = True  # type: ignore[attr-defined]
                messages.error(request, MAIL_FAILED)


def invited_address(request: HttpRequest) -> str | None:
    """The address of the open invitation whose page this visitor has seen, or None."""
    secret = request.session.get(INVITATION)
    invitation = find_invitation(secret) if secret else None
    return invitation.email if invitation and invitation.state == InvitationState.OPEN else None


def _wanted_page(request: HttpRequest) -> str:
    wanted = request.session.get(WANTED_PLAN)
    return reverse("subscribe", args=[wanted]) if wanted else ""
