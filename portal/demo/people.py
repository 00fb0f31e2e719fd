"""The people of the demo, their organizations, and the secrets that we may show again."""

import json
import secrets
from pathlib import Path
from typing import Any

from allauth.account.models import EmailAddress

from accounts.models import Organization, User
from accounts.organizations import create_organization
from accounts.tokens import create_token, find_token
from portal.supervisor.layout import write_secret

ADMIN = "admin@gatehouse.example"
DEVELOPER = "dev@gatehouse.example"
SHOP = "shop@gatehouse.example"


class Secrets:
    """Passwords, token and key of the demo, kept in one file that only its owner reads.

    Real secrets are shown once and stored as hashes. These belong to a demo on one's own machine.
    """

    def __init__(self, file: Path) -> None:
        self.file = file
        self.facts: dict[str, Any] = json.loads(file.read_text()) if file.exists() else {}

    def password(self, role: str, email: str) -> str:
        """Return the person's password, made at random the first time."""
        kept = self.facts.get(role)
        if not kept or kept["email"] != email:
            self.facts[role] = {"email": email, "password": secrets.token_urlsafe(12)}
        return str(self.facts[role]["password"])

    def save(self) -> None:
        write_secret(self.file, json.dumps(self.facts, indent=2))


def make_person(*, email: str, name: str, password: str, staff: bool = False) -> User:
    """Make a person with a verified address, or give her this password."""
    user = User.objects.filter(email=email).first()
    if user is None:
        make = User.objects.create_superuser if staff else User.objects.create_user
        user = make(email=email, password=password, name=name)
    elif not user.check_password(password):
        user.set_password(password)
        user.save(update_fields=["password"])
    EmailAddress.objects.update_or_create(
        user=user, email=email, defaults={"verified": True, "primary": True}
    )
    return user


def make_home(*, owner: User, name: str) -> Organization:
    """Return the organization that a person of the demo owns."""
    membership = owner.memberships.select_related("organization").first()
    if membership is not None:
        return membership.organization
    return create_organization(name=name, owner=owner, billing_email=owner.email, actor=None)


def make_admin(kept: Secrets) -> tuple[User, Organization]:
    """Make the first administrator, her organization, and a token with full rights."""
    admin = make_person(email=ADMIN, name="Ada Admin", password=kept.password("admin", ADMIN), staff=True)
    home = make_home(owner=admin, name="Gatehouse")
    if find_token(kept.facts.get("api_token", "")) is None:
        _, kept.facts["api_token"] = create_token(
            organization=home, user=admin, name="First token", actor=admin
        )
    return admin, home
