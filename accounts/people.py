"""People: how they come in, and the organization each of them starts with."""

from allauth.account.models import EmailAddress
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction

from accounts.audit import record
from accounts.errors import Refused
from accounts.models import Organization, User
from accounts.organizations import create_organization


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
    record(organization=None, actor=actor, action="person.created", target=user, summary=f"Made {user}.")
    return user


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
