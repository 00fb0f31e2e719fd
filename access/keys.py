"""API keys: made, shown once, rotated with overlap, revoked. See docs/keys.md."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from access.models import ApiKey, Application, KeyEnvironment
from accounts.models import User

DEFAULT_GRACE = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class ParsedKey:
    """A text that has the shape of a key: what may be kept of it."""

    environment: str
    prefix: str
    hash: str


def parse_key(text: str) -> ParsedKey | None:
    """Return what we store of a key, or None if the shape or the checksum is wrong (no look-up needed)."""
    raise NotImplementedError


def create_key(
    *,
    application: Application,
    name: str,
    actor: User | None,
    environment: str = KeyEnvironment.LIVE,
    not_before: datetime | None = None,
    expires_at: datetime | None = None,
) -> tuple[ApiKey, str]:
    """Make a key; the text is returned once and never stored."""
    raise NotImplementedError


def change_key(*, key: ApiKey, actor: User | None, **fields: Any) -> ApiKey:
    """Change `name`, `not_before` or `expires_at`."""
    raise NotImplementedError


def revoke_key(*, key: ApiKey, actor: User | None) -> ApiKey:
    """active or disabled -> revoked, for good"""
    raise NotImplementedError


def disable_key(*, key: ApiKey, actor: User | None) -> ApiKey:
    """active -> disabled"""
    raise NotImplementedError


def enable_key(*, key: ApiKey, actor: User | None) -> ApiKey:
    """disabled -> active"""
    raise NotImplementedError


def rotate_key(*, key: ApiKey, actor: User | None, grace: timedelta = DEFAULT_GRACE) -> tuple[ApiKey, str]:
    """Make a successor; the old key works on until min(its expiry, now + grace)."""
    raise NotImplementedError
