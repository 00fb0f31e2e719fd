"""Audit lines of what people change about their own way in; allauth announces it by signals.

Connected in `accounts.apps`. The lines belong to no organization: staff read them, and each person her own.
"""

from typing import Any

from allauth.account import signals as account
from allauth.mfa import signals as mfa
from allauth.mfa.models import Authenticator
from allauth.socialaccount import signals as social
from django.db.models import QuerySet
from django.dispatch import receiver
from django.http import HttpRequest

from accounts.audit import record
from accounts.models import AuditEvent, User
from accounts.sessions import end_other_sessions

_FACTORS = {"totp": "an authenticator app", "webauthn": "the passkey {}", "recovery_codes": "recovery codes"}


def security_trail(user: User) -> QuerySet[AuditEvent]:
    """What changed about a person's way in, newest first."""
    return AuditEvent.objects.filter(target_kind="user", target_id=str(user.pk), organization=None)


@receiver(mfa.authenticator_added)
def _factor_added(user: User, authenticator: Authenticator, **_: Any) -> None:
    _record(user, "factor_added", f"Added {_name(authenticator)}.")


@receiver(mfa.authenticator_removed)
def _factor_removed(user: User, authenticator: Authenticator, **_: Any) -> None:
    _record(user, "factor_removed", f"Removed {_name(authenticator)}.")


@receiver(mfa.authenticator_reset)
def _factor_reset(user: User, authenticator: Authenticator, **_: Any) -> None:
    _record(user, "factor_reset", f"Made new {_name(authenticator)}; the old ones ended.")


@receiver(social.social_account_added)
def _connected(sociallogin: Any, **_: Any) -> None:
    _record(sociallogin.user, "connected", f"Connected {sociallogin.provider.name}.")


@receiver(social.social_account_removed)
def _disconnected(socialaccount: Any, **_: Any) -> None:
    _record(socialaccount.user, "disconnected", f"Disconnected {socialaccount.provider}.")


@receiver(account.user_signed_up)
def _signed_up(user: User, sociallogin: Any = None, **_: Any) -> None:
    way = f" with {sociallogin.provider.name}" if sociallogin else ""
    _record(user, "signed_up", f"Signed up{way}.")


@receiver(account.password_set)
@receiver(account.password_changed)
def _password_changed(request: HttpRequest, user: User, **_: Any) -> None:
    """Django ends the other sessions by itself; the list must not show them as living."""
    end_other_sessions(request=request, user=user)
    _record(user, "password_set", "Set a new password; other sessions ended.")


@receiver(account.password_reset)
def _password_reset(request: HttpRequest, user: User, **_: Any) -> None:
    end_other_sessions(request=request, user=user)
    _record(user, "password_reset", "Reset the password by mail; all sessions ended.")


@receiver(account.email_changed)
def _address_changed(user: User, from_email_address: Any, to_email_address: Any, **_: Any) -> None:
    old = from_email_address.email if from_email_address else ""
    _record(
        user,
        "address_changed",
        f"Changed the e-mail address to {to_email_address.email}.",
        {"email": [old, to_email_address.email]},
    )


def _name(authenticator: Authenticator) -> str:
    text = _FACTORS[authenticator.type]
    return text.format(authenticator.wrap().name) if authenticator.type == "webauthn" else text


def _record(user: User, action: str, summary: str, changes: dict[str, Any] | None = None) -> None:
    record(
        organization=None,
        actor=user,
        action=f"person.{action}",
        target=user,
        summary=summary,
        changes=changes,
    )
