"""Bearer tokens for the management API: `gat_{random}_{checksum}`, stored as SHA-256, shown once."""

from datetime import datetime

from accounts.models import ApiToken, Organization, User


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
    raise NotImplementedError


def revoke_token(*, token: ApiToken, actor: User | None) -> ApiToken:
    raise NotImplementedError


def find_token(text: str) -> ApiToken | None:
    """Return the living token (with user and organization) or None; notes its use once a minute at most."""
    raise NotImplementedError
