"""Inviting people and organizations to an API or a product that not everybody sees."""

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.urls import reverse

from accounts.audit import record
from accounts.errors import Refused
from accounts.mail import mail_address, mail_organization
from accounts.models import Organization, User
from accounts.portal_address import portal_url
from accounts.rows import taken_is_refused
from apis.models import Api, ApiInvitation, Product, ProductInvitation

Invitation = ApiInvitation | ProductInvitation


@transaction.atomic
def invite(
    *, api: Api, email: str = "", invited: Organization | None = None, actor: User | None
) -> ApiInvitation:
    """Let a person (by her address, also before she signs up) or an organization see the API, and tell them.

    Refused: fields `email`, `invited`.
    """
    invitation = ApiInvitation(organization_id=api.organization_id, api=api)
    _invite(invitation, email, invited, actor)
    return invitation


@transaction.atomic
def invite_to_product(
    *, product: Product, email: str = "", invited: Organization | None = None, actor: User | None
) -> ProductInvitation:
    """The same for a product. It opens the product's own pages, not the APIs that it takes operations from."""
    invitation = ProductInvitation(organization_id=product.organization_id, product=product)
    _invite(invitation, email, invited, actor)
    return invitation


@transaction.atomic
def withdraw_invitation(*, invitation: Invitation, actor: User | None) -> None:
    """Take an invitation back. Subscriptions that came of it stay until they are cancelled or suspended."""
    _audit(invitation, actor, "uninvited", f"Withdrew the invitation of {invitation}")
    invitation.delete()


def _check_address(address: str) -> None:
    try:
        validate_email(address)
    except ValidationError as error:
        raise Refused("This is no e-mail address.", field="email") from error


def _invite(invitation: Invitation, email: str, invited: Organization | None, actor: User | None) -> None:
    address = email.strip().lower()
    if bool(address) == (invited is not None):
        raise Refused("Give an e-mail address or an organization: one of them.", field="email")
    if address:
        _check_address(address)
    elif invited is not None and invited.pk == invitation.organization_id:
        raise Refused("This organization is the provider, so it sees it anyway.", field="invited")
    invitation.email, invitation.invited, invitation.created_by = address, invited, actor
    field = "email" if address else "invited"
    with taken_is_refused(f"{address or invited} is invited to {invitation.opens} already.", field=field):
        invitation.save(force_insert=True)
    _audit(invitation, actor, "invited", f"Invited {invitation}")
    _tell(invitation)


def _tell(invitation: Invitation) -> None:
    opens = invitation.opens
    address = f"{portal_url()}{reverse(_kind(invitation), args=[opens.slug])}"
    subject = f"{opens.organization.name} invites you to {opens}"
    text = f"{subject}.\n\nSign in to see it and to get a key:\n{address}\n"
    if invitation.invited is not None:
        mail_organization(invitation.invited, subject=subject, text=text)
    else:
        mail_address(invitation.email, subject=subject, text=text)


def _kind(invitation: Invitation) -> str:
    return "api" if isinstance(invitation, ApiInvitation) else "product"


def _audit(invitation: Invitation, actor: User | None, done: str, summary: str) -> None:
    record(
        organization=invitation.opens.organization,
        actor=actor,
        action=f"{_kind(invitation)}.{done}",
        target=invitation.opens,
        summary=summary,
    )
