"""API keys: made, shown once, rotated with overlap, revoked. See docs/keys.md."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.timezone import now

from access import origins
from access.models import ApiKey, Application, KeyEnvironment, KeyState
from access.signals import keys_changed
from accounts.audit import record
from accounts.errors import Refused
from accounts.models import User
from accounts.rows import Changes, assign, check_fields, locked
from accounts.secret_text import hash_of, is_well_formed, new_secret, prefix_of

HEADS = {environment.value: f"gh_{environment.value}" for environment in KeyEnvironment}
# how long the old key works beside the new one, unless the caller says otherwise
DEFAULT_GRACE = timedelta(hours=24)
MAX_GRACE = timedelta(days=90)
CHANGEABLE = ("name", "not_before", "expires_at", "ips", "referrers")
# living keys of one application; enough to give each server its own and to rotate
MAX_KEYS = 10


@dataclass(frozen=True, slots=True)
class ParsedKey:
    """A text that has the shape of a key: what may be kept of it."""

    environment: str
    prefix: str
    hash: str


def parse_key(text: str) -> ParsedKey | None:
    """Return what we store of a key, or None if the shape or the checksum is wrong (no look-up needed)."""
    for environment, head in HEADS.items():
        if is_well_formed(text, head):
            return ParsedKey(environment, prefix_of(text), hash_of(text))
    return None


def living(keys: QuerySet[ApiKey], at: datetime | None = None) -> QuerySet[ApiKey]:
    """Return those that may work at the moment or later: not revoked, expired or rotated out."""
    at = at or now()
    return keys.exclude(state=KeyState.REVOKED).filter(
        Q(expires_at=None) | Q(expires_at__gt=at), Q(grace_until=None) | Q(grace_until__gt=at)
    )


@transaction.atomic
def create_key(
    *,
    application: Application,
    name: str,
    actor: User | None,
    environment: str = KeyEnvironment.LIVE,
    not_before: datetime | None = None,
    expires_at: datetime | None = None,
    ips: Iterable[str] = (),
    referrers: Iterable[str] = (),
) -> tuple[ApiKey, str]:
    """Make a key; the text is returned once and never stored.

    `ips` are the networks (CIDR) and `referrers` the hosts of pages (`*.example.com`) it may be used from.
    """
    application = locked(application)
    if living(application.keys.all()).count() >= MAX_KEYS:
        raise Refused(
            f"{application} has {MAX_KEYS} keys; revoke one that is no longer needed first.",
            code="too_many",
        )
    _check_deadlines(not_before, expires_at)
    key = ApiKey(
        organization=application.organization,
        application=application,
        name=name.strip(),
        environment=environment,
        not_before=not_before,
        expires_at=expires_at,
        ips=origins.networks(ips),
        referrers=origins.referrers(referrers),
        created_by=actor,
    )
    text = _save_with_secret(key)
    _announce(key, actor, "key.created", f"Made the {key.get_environment_display().lower()} key {key}.")
    return key, text


@transaction.atomic
def change_key(*, key: ApiKey, actor: User | None, **fields: Any) -> ApiKey:
    """Change `name`, `not_before`, `expires_at`, `ips` or `referrers` (the whole list)."""
    key = locked(key)
    if key.state == KeyState.REVOKED:
        raise Refused(f"{key} is revoked; make a new key.", code="wrong_state")
    for name, clean in (("ips", origins.networks), ("referrers", origins.referrers)):
        if name in fields:
            fields[name] = clean(fields[name])
    changes = assign(key, fields, allowed=CHANGEABLE)
    if not changes:
        return key
    check_fields(key)
    if "not_before" in changes or "expires_at" in changes:
        _check_deadlines(key.not_before, key.expires_at)
    key.save(update_fields=changes)
    _announce(key, actor, "key.changed", f"Changed {', '.join(changes)} of the key {key}.", changes)
    return key


def revoke_key(*, key: ApiKey, actor: User | None) -> ApiKey:
    """active or disabled -> revoked, for good"""
    return _move(key, actor, {KeyState.ACTIVE, KeyState.DISABLED}, KeyState.REVOKED, "revoked")


def disable_key(*, key: ApiKey, actor: User | None) -> ApiKey:
    """active -> disabled"""
    return _move(key, actor, {KeyState.ACTIVE}, KeyState.DISABLED, "disabled")


def enable_key(*, key: ApiKey, actor: User | None) -> ApiKey:
    """disabled -> active"""
    return _move(key, actor, {KeyState.DISABLED}, KeyState.ACTIVE, "enabled")


@transaction.atomic
def rotate_key(*, key: ApiKey, actor: User | None, grace: timedelta = DEFAULT_GRACE) -> tuple[ApiKey, str]:
    """Make a successor; the old key works on until min(its expiry, now + grace).

    The new key inherits name, environment, not-before, expiry, networks and referrers, so rotation never lengthens
    a right; where each key has a quota of its own, both count as one.
    """
    key = locked(key)
    moment = now()
    _check_rotation(key, grace, moment)
    new = ApiKey(
        organization=key.organization,
        application=key.application,
        name=key.name,
        environment=key.environment,
        not_before=key.not_before,
        expires_at=key.expires_at,
        ips=key.ips,
        referrers=key.referrers,
        origin_id=key.origin_id or key.pk,
        created_by=actor,
    )
    text = _save_with_secret(new)
    ends_at = moment + grace
    key.grace_until = min(key.expires_at, ends_at) if key.expires_at else ends_at
    key.replaced_by = new
    key.save(update_fields=["grace_until", "replaced_by"])
    summary = f"Replaced the key {key} by {new}; the old one ends at {key.grace_until:%Y-%m-%d %H:%M} UTC."
    changes = {"replaced_by": [None, new.pk], "grace_until": [None, key.grace_until.isoformat()]}
    _announce(key, actor, "key.rotated", summary, changes, also=new)
    return new, text


def _check_rotation(key: ApiKey, grace: timedelta, moment: datetime) -> None:
    if key.replaced_by_id is not None:
        raise Refused(f"{key} was replaced already; rotate the new key.", code="wrong_state")
    if key.state != KeyState.ACTIVE:
        label = key.get_state_display().lower()
        raise Refused(f"{key} is {label}; only an active key can be rotated.", code="wrong_state")
    if key.expires_at is not None and key.expires_at <= moment:
        raise Refused(f"{key} has expired; make a new key.", code="wrong_state")
    if not timedelta(0) <= grace <= MAX_GRACE:
        raise Refused(f"Give a time of grace from 0 to {MAX_GRACE.days} days.", field="grace")


def _check_deadlines(not_before: datetime | None, expires_at: datetime | None) -> None:
    if expires_at is not None and expires_at <= now():
        raise Refused(
            "The expiry lies in the past; choose a later moment, or revoke the key.", field="expires_at"
        )
    if not_before is not None and expires_at is not None and not_before >= expires_at:
        raise Refused("The key would expire before it starts to be valid.", field="not_before")


def _save_with_secret(key: ApiKey) -> str:
    """Give a new key its secret, save it, and return the text that is nowhere kept."""
    if key.environment not in HEADS:
        raise Refused(f"{key.environment} is not an environment; use live or test.", field="environment")
    text = new_secret(HEADS[key.environment])
    key.prefix, key.hash = prefix_of(text), hash_of(text)
    check_fields(key)
    key.save(force_insert=True)
    return text


@transaction.atomic
def _move(key: ApiKey, actor: User | None, allowed: Collection[KeyState], to: KeyState, verb: str) -> ApiKey:
    key = locked(key)
    if key.state not in allowed:
        label = key.get_state_display().lower()
        raise Refused(f"{key} is {label}; it cannot be {verb}.", code="wrong_state")
    changes: Changes = {"state": [key.state, to.value]}
    key.state = to
    if to == KeyState.REVOKED:
        key.revoked_at = now()
    key.save(update_fields=["state", "revoked_at"])
    _announce(key, actor, f"key.{verb}", f"{verb.capitalize()} the key {key}.", changes)
    return key


def _announce(
    key: ApiKey,
    actor: User | None,
    action: str,
    summary: str,
    changes: Changes | None = None,
    *,
    also: ApiKey | None = None,
) -> None:
    """Write the audit line and send the signal, once for all keys that the verb wrote."""
    record(
        organization=key.organization,
        actor=actor,
        action=action,
        target=key,
        summary=summary,
        changes=changes,
    )
    keys_changed.send(ApiKey, key_ids=[key.pk] + ([also.pk] if also else []))
