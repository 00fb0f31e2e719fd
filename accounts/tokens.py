"""Bearer tokens for the management API: `gat_{random}_{checksum}`, stored as SHA-256, shown once."""

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q
from django.utils.timezone import now

from accounts.audit import record
from accounts.errors import Refused
from accounts.models import ApiToken, Member, Organization, User
from accounts.rows import check_fields, locked
from accounts.secret_text import hash_of, is_well_formed, new_secret, prefix_of
from accounts.signals import tokens_changed

HEAD = "gat"
# `last_used_at` is written at most this often for each token
USE_NOTED_EVERY = timedelta(minutes=1)


@transaction.atomic
def create_token(
    *,
    organization: Organization,
    user: User,
    name: str,
    actor: User | None,
    read_only: bool = False,
    expires_at: datetime | None = None,
) -> tuple[ApiToken, str]:
    """Make a token that acts for a member; the text is returned once and never stored."""
    if not _may_act_for(user, organization):
        raise Refused(f"{user} is not a member of {organization}; add her first.", field="user")
    if expires_at is not None and expires_at <= now():
        raise Refused("The expiry lies in the past; choose a later moment or none.", field="expires_at")
    text = new_secret(HEAD)
    token = ApiToken(
        organization=organization,
        user=user,
        name=name.strip(),
        prefix=prefix_of(text),
        hash=hash_of(text),
        read_only=read_only,
        expires_at=expires_at,
    )
    check_fields(token)
    token.save(force_insert=True)
    kind = "a read-only token" if read_only else "a token"
    record(
        organization=organization,
        actor=actor,
        action="token.created",
        target=token,
        summary=f"Made {kind} for {user}: {token}.",
    )
    tokens_changed.send(ApiToken, token_ids=[token.pk])
    return token, text


@transaction.atomic
def revoke_token(*, token: ApiToken, actor: User | None) -> ApiToken:
    """End a token at once and for good; Refused if it was revoked before."""
    token = locked(token)
    if token.revoked_at is not None:
        raise Refused("The token is already revoked.", code="wrong_state")
    token.revoked_at = now()
    token.save(update_fields=["revoked_at"])
    record(
        organization=token.organization,
        actor=actor,
        action="token.revoked",
        target=token,
        summary=f"Revoked the token {token}.",
    )
    tokens_changed.send(ApiToken, token_ids=[token.pk])
    return token


def find_token(text: str) -> ApiToken | None:
    """Return the living token (with user and organization) or None; notes its use once a minute at most.

    A token dies by revocation and expiry, and when its person may not sign in or has left the organization.
    """
    if not is_well_formed(text, HEAD):
        return None
    moment = now()
    token = (
        ApiToken.objects.select_related("user", "organization")
        .filter(Q(expires_at=None) | Q(expires_at__gt=moment), revoked_at=None, user__is_active=True)
        .filter(hash=hash_of(text))
        .first()
    )
    if token is None or not _may_act_for(token.user, token.organization):
        return None
    _note_use(token, moment)
    return token


def _may_act_for(user: User, organization: Organization) -> bool:
    return user.is_superuser or Member.objects.filter(user=user, organization=organization).exists()


def _note_use(token: ApiToken, moment: datetime) -> None:
    if token.last_used_at is not None and token.last_used_at > moment - USE_NOTED_EVERY:
        return
    ApiToken.objects.filter(pk=token.pk).update(last_used_at=moment)
    token.last_used_at = moment
