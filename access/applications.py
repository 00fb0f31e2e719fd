"""Developers' applications."""

from typing import Any

from access.models import Application
from accounts.models import Organization, User


def create_application(
    *, organization: Organization, name: str, actor: User | None, description: str = ""
) -> Application:
    raise NotImplementedError


def change_application(*, application: Application, actor: User | None, **fields: Any) -> Application:
    """Change `name` or `description`."""
    raise NotImplementedError


def suspend_application(*, application: Application, actor: User | None) -> Application:
    """Refuse every call of its keys until it is resumed."""
    raise NotImplementedError


def resume_application(*, application: Application, actor: User | None) -> Application:
    raise NotImplementedError
