"""Organizations and their members."""

from typing import Any

from accounts.models import Member, Organization, User


def create_organization(
    *, name: str, owner: User, actor: User | None, timezone: str = "UTC", billing_email: str = ""
) -> Organization:
    """Make an organization with its owner; the slug is made from the name."""
    raise NotImplementedError


def change_organization(*, organization: Organization, actor: User | None, **fields: Any) -> Organization:
    """Change `name`, `slug`, `billing_email` or `timezone`."""
    raise NotImplementedError


def add_member(*, organization: Organization, user: User, role: str, actor: User | None) -> Member:
    raise NotImplementedError


def change_role(*, member: Member, role: str, actor: User | None) -> Member:
    """Refused if it would leave the organization without an owner."""
    raise NotImplementedError


def remove_member(*, member: Member, actor: User | None) -> None:
    """Take a person out (or let her leave) and revoke her tokens here; the last owner stays."""
    raise NotImplementedError


def suspend(*, organization: Organization, actor: User | None) -> Organization:
    """Refuse every key of the organization, and every call to its own APIs, until it is resumed."""
    raise NotImplementedError


def resume(*, organization: Organization, actor: User | None) -> Organization:
    raise NotImplementedError
