"""Inviting people and organizations to an API that not everybody sees."""

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.urls import reverse

from accounts.audit import record
from accounts.errors import Refused
from accounts.mail import mail_address, mail_organization
from accounts.models import Organization, User
from accounts.rows import taken_is_refused
from apis.models import Api, ApiInvitation


@transaction.atomic
def invite(
    *, api: Api, email: str = "", invited: Organization | None = None, actor: User | None
) -> ApiInvitation:
    """Let a person (by her address, also before she signs up) or an organization see the API, and tell them.

    Refused: fields `email`, `invited`.
    """
    address = email.strip().lower()
    if bool(address) == (invited is not None):
        raise Refused("Give an e-mail address or an organization: one of them.", field="email")
    if address:
        _check_address(address)
    elif invited is not None and invited.pk == api.organization_id:
        raise Refused("This organization provides the API, so it sees it anyway.", field="invited")
    invitation = ApiInvitation(
        organization_id=api.organization_id, api=api, email=address, invited=invited, created_by=actor
    )
    field = "email" if address else "invited"
    with taken_is_refused(f"{address or invited} is invited to {api} already.", field=field):
        invitation.save(force_insert=True)
    _audit(invitation, actor, "api.invited", f"Invited {invitation}")
    _tell(invitation)
    return invitation


@transaction.atomic
def withdraw_invitation(*, invitation: ApiInvitation, actor: User | None) -> None:
    """Take an invitation back. Subscriptions that came of it stay until they are cancelled or suspended."""
    _audit(invitation, actor, "api.uninvited", f"Withdrew the invitation of {invitation}")
    invitation.delete()


def _check_address(address: str) -> None:
    try:
        validate_email(address)
    except ValidationError as error:
        raise Refused("This is no e-mail address.", field="email") from error


def _tell(invitation: ApiInvitation) -> None:
    api = invitation.api
    address = f"{settings.PORTAL_URL.rstrip('/')}{reverse('api', args=[api.slug])}"
    subject = f"{api.organization.name} invites you to {api.name}"
    text = f"{subject}.\n\nSign in to see the API and to get a key:\n{address}\n"
    if invitation.invited is not None:
        mail_organization(invitation.invited, subject=subject, text=text)
    else:
        mail_address(invitation.email, subject=subject, text=text)


def _audit(invitation: ApiInvitation, actor: User | None, action: str, summary: str) -> None:
    record(
        organization=invitation.api.organization,
        actor=actor,
        action=action,
        target=invitation.api,
        summary=summary,
    )
