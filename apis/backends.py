"""The provider's servers."""

from typing import Any

from accounts.models import Organization, User
from apis.models import MAX_TIMEOUT_MS, Backend


def create_backend(
    *,
    organization: Organization,
    name: str,
    url: str,
    connect_timeout_ms: int = 5_000,
    timeout_ms: int = MAX_TIMEOUT_MS,
    actor: User | None,
) -> Backend:
    """Add a backend; `url` is http(s)://host[:port][/path]."""
    raise NotImplementedError


def change_backend(*, backend: Backend, actor: User | None, **fields: Any) -> Backend:
    """Change name, url, connect_timeout_ms or timeout_ms; every stage that uses it follows at once."""
    raise NotImplementedError
