"""People: how they come in, and the organization each of them starts with."""

from typing import Any

from allauth.account.models import EmailAddress
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction

from accounts.audit import record
from accounts.errors import Refused
from accounts.models import ApiToken, Organization, User
from accounts.organizations import create_organization
from accounts.rows import Changes, assign, check_fields, locked
from accounts.signals import tokens_changed


@transaction.atomic
def create_person(
    *,
    email: str,
    password: str | None,
    actor: User | None,
    name: str = "",
    is_staff: bool = False,
    is_superuser: bool = False,
) -> User:
    """Make a person whose address needs no verification, with her personal organization.

    For staff and for the demo; the website's sign-up goes through `accounts.adapter`.
    """
    email = _free_address(email)
    user = User.objects.create_user(
        email, password, name=name.strip(), is_staff=is_staff, is_superuser=is_superuser
    )
    EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
    create_personal_organization(user=user)
    _record(user, actor, "person.created", f"Made {user}.")
    return user


@transaction.atomic
def change_person(*, user: User, actor: User | None, **fields: Any) -> User:
    """Change `name`, `is_active`, `is_staff`, `is_superuser`; `groups` and `user_permissions` by lists."""
    user = locked(user)
    relations = {name: fields.pop(name) for name in ("groups", "user_permissions") if name in fields}
    changes = assign(user, fields, allowed=("name", "is_active", "is_staff", "is_superuser"))
    if user == actor and not user.is_active:
        raise Refused("You cannot lock yourself out.", field="is_active")
    check_fields(user)
    user.save(update_fields=changes)
    for name, rows in relations.items():
        getattr(user, name).set(rows)
        changes[name] = [None, sorted(map(str, rows))]
    _record(user, actor, "person.changed", f"Changed {', '.join(changes)} of {user}.", changes)
    if changes.keys() & {"is_active", "is_superuser"}:
        tokens_changed.send(ApiToken, token_ids=list(user.api_tokens.values_list("pk", flat=True)))
    return user


@transaction.atomic
def verify_address(*, user: User, actor: User | None) -> None:
    """Take a person's address as verified, as if she had opened the link; Refused if it is already."""
    address, _ = EmailAddress.objects.get_or_create(
        user=user, email=user.email.lower(), defaults={"primary": True}
    )
    if address.verified:
        raise Refused(f"{user} is verified already.", code="wrong_state")
    if not address.set_verified():
        raise Refused(f"Somebody else has verified {address.email}.", code="taken")
    _record(user, actor, "person.verified", f"Took the address of {user} as verified.")


def note_new_password(*, user: User, actor: User | None) -> None:
    """Write into the trail that somebody set a person's password."""
    _record(user, actor, "person.password_set", f"Set a new password for {user}.")


def create_personal_organization(*, user: User) -> Organization:
    """Make the organization that a new person owns, named after her or her address."""
    return create_organization(name=_personal_name(user), owner=user, actor=user)


def _personal_name(user: User) -> str:
    """`Alice`, or `Alice Smith` from alice.smith+news@example.com."""
    if user.name.strip():
        return user.name.strip()[:120]
    local = user.email.split("@")[0].split("+")[0]
    words = local.replace(".", " ").replace("_", " ").replace("-", " ").split()
    return " ".join(word.capitalize() for word in words) or "My organization"


def _free_address(email: str) -> str:
    # allauth looks addresses up in lower case
    email = email.strip().lower()
    try:
        validate_email(email)
    except ValidationError as error:
        raise Refused(f"{email} is not an e-mail address.", field="email") from error
    if User.objects.filter(email__iexact=email).exists():
        raise Refused(f"{email} has an account already.", field="email", code="taken")
    return email


def _record(
    user: User, actor: User | None, action: str, summary: str, changes: Changes | None = None
) -> None:
    record(organization=None, actor=actor, action=action, target=user, summary=summary, changes=changes)
