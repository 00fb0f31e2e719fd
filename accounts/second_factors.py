"""Second factors and passkeys (allauth.mfa): how they are stored, who must have one, and taking them from somebody."""

from typing import Any

from allauth.account.adapter import get_adapter as get_account_adapter
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet

from accounts.audit import record
from accounts.branding.shown import shown_branding
from accounts.encryption import decrypt, encrypt, reencrypt
from accounts.errors import Refused
from accounts.models import User

KIND = Authenticator.Type
# those that let somebody in; recovery codes only help when one of them is lost
FACTORS = (KIND.TOTP, KIND.WEBAUTHN)
# the names of secrets in an authenticator's data
SEALED = ("secret", "seed")


class SecondFactorAdapter(DefaultMFAAdapter):
    """Gatehouse's hooks into allauth.mfa."""

    def encrypt(self, text: str) -> str:
        return encrypt(text)

    def decrypt(self, encrypted_text: str) -> str:
        return decrypt(encrypted_text)

    def get_totp_issuer(self) -> str:
        return shown_branding().name

    def generate_authenticator_name(self, user: User, type: str) -> str:  # noqa: A002 -- allauth's name
        number = factors_of(user).filter(type=type).count() + 1
        return "Passkey" if number == 1 else f"Passkey {number}"

    def get_public_key_credential_rp_entity(self) -> dict[str, str]:
        return super().get_public_key_credential_rp_entity() | {"name": shown_branding().name}


def factors_of(user: User) -> QuerySet[Any]:
    """Her passkeys and her authenticator app, oldest first."""
    return Authenticator.objects.filter(user=user, type__in=FACTORS).order_by("created_at", "pk")


@transaction.atomic
def reset_second_factors(*, user: User, actor: User | None) -> None:
    """Take all of them from somebody who lost them; her password alone lets her in then. She gets a mail."""
    if user.is_superuser and actor is not None and not actor.is_superuser:
        raise Refused("Only a superuser can take them from a superuser.", code="forbidden")
    rows = Authenticator.objects.select_for_update().filter(user=user)
    kinds = [str(KIND(row.type).label) for row in rows]
    if not kinds:
        raise Refused(f"{user} has no second factor.", code="wrong_state")
    rows.delete()
    record(
        organization=None,
        actor=actor,
        action="person.second_factors_reset",
        target=user,
        summary=f"Took all second factors and passkeys from {user}: {', '.join(kinds)}.",
    )
    get_account_adapter().send_mail("account/email/second_factors_reset", user.email, {"user": user})


def reencrypt_second_factors() -> int:
    """Encrypt their secrets with the newest key; returns how many rows. For `manage.py reencrypt`."""
    rows = list(Authenticator.objects.select_for_update().exclude(type=KIND.WEBAUTHN))
    for row in rows:
        row.data |= {name: reencrypt(row.data[name]) for name in SEALED if name in row.data}
    Authenticator.objects.bulk_update(rows, ["data"])
    return len(rows)


def is_demanded_of(user: User, *, provides: bool) -> bool:
    """Say whether GATEHOUSE_REQUIRE_MFA asks her for one. `provides`: a member of an organization with APIs."""
    groups = settings.GATEHOUSE_REQUIRE_MFA
    return (
        "everybody" in groups or ("staff" in groups and user.is_staff) or ("providers" in groups and provides)
    )
