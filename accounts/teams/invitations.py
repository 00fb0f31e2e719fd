"""Inviting people into an organization by mail, whether they have an account or not.

The link in the mail ends after a week or its first use. It alone lets nobody in: who accepts must have verified
the address that was invited.
"""

from datetime import timedelta

from allauth.account.models import EmailAddress
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.urls import reverse
from django.utils.timezone import now

from accounts.audit import record
from accounts.errors import Refused
from accounts.mail import mail_address
from accounts.models import Member, Organization, Role, User
from accounts.organizations import add_member
from accounts.permissions import can_give_role
from accounts.rows import locked, taken_is_refused
from accounts.secret_text import hash_of, is_well_formed, new_secret
from accounts.teams.models import InvitationState, MemberInvitation
from accounts.webhooks.emit import emit

HEAD = "ghi"
LIVES_FOR = timedelta(days=7)
# so that nobody floods mailboxes in our name
MOST_OPEN = 50
RESENT_AFTER = timedelta(minutes=1)


@transaction.atomic
def invite_member(
    *, organization: Organization, email: str, role: str, actor: User | None
) -> MemberInvitation:
    """Send somebody a link by which she becomes a member. Refused: fields `email`, `role`."""
    organization, email = locked(organization), _address(email)
    if role not in Role.values:
        raise Refused(f"{role} is not a role; use one of {', '.join(Role.values)}.", field="role")
    if organization.members.filter(
        user__emailaddress__email=email, user__emailaddress__verified=True
    ).exists():
        raise Refused(f"{email} is a member already; change her role instead.", field="email", code="taken")
    _end_expired(organization)
    if organization.member_invitations.filter(accepted_at=None, withdrawn_at=None).count() >= MOST_OPEN:
        raise Refused(
            f"{MOST_OPEN} invitations are waiting. Withdraw some that nobody will answer, then invite again.",
            field="email",
            code="too_many",
        )
    invitation = MemberInvitation(organization=organization, email=email, role=role, invited_by=actor)
    text = _renew(invitation)
    message = f"{email} is invited already. Send that invitation again, or withdraw it first."
    with taken_is_refused(message, field="email"):
        invitation.save(force_insert=True)
    _record(invitation, actor, "member.invited", f"Invited {email} as {role}.")
    emit(organization, "member.invited", {"invitation": invitation.pk, "email": email, "role": role})
    _tell(invitation, text)
    return invitation


@transaction.atomic
def resend_invitation(*, invitation: MemberInvitation, actor: User | None) -> MemberInvitation:
    """Send a fresh link that lives for a week again; the one before ends. Also revives an expired invitation."""
    invitation = locked(invitation)
    _waiting(invitation)
    if invitation.sent_at > now() - RESENT_AFTER:
        raise Refused("It was sent a moment ago. Wait a minute before you send it again.", code="too_soon")
    text = _renew(invitation)
    invitation.save(update_fields=["hash", "sent_at", "expires_at"])
    _record(invitation, actor, "member.invited_again", f"Sent {invitation.email} the invitation again.")
    _tell(invitation, text)
    return invitation


@transaction.atomic
def withdraw_member_invitation(*, invitation: MemberInvitation, actor: User | None) -> None:
    """Take an invitation back: its link ends."""
    invitation = locked(invitation)
    _waiting(invitation)
    invitation.withdrawn_at = now()
    invitation.save(update_fields=["withdrawn_at"])
    _record(invitation, actor, "member.uninvited", f"Withdrew the invitation of {invitation.email}.")


@transaction.atomic
def accept_invitation(*, invitation: MemberInvitation, user: User) -> Member:
    """Make her a member. Refused: another's invitation, one that is over, or whose sender lost the right to it."""
    invitation = locked(invitation)
    organization, sender = invitation.organization, invitation.invited_by
    if invitation.state != InvitationState.OPEN:
        raise Refused(f"This invitation is {invitation.state.label.lower()}.", code="wrong_state")
    if not is_for(invitation, user):
        raise Refused(
            f"This invitation is for {invitation.email}, and you are signed in as {user.email}. Sign in with that "
            "address, or ask for an invitation to yours.",
            code="not_yours",
        )
    if organization.suspended_at or (sender and not can_give_role(sender, organization, invitation.role)):
        raise Refused(
            f"Whoever invited you may no longer do so. Ask {organization} for a new invitation.",
            code="wrong_state",
        )
    member = add_member(organization=organization, user=user, role=invitation.role, actor=user)
    invitation.accepted_at = now()
    invitation.save(update_fields=["accepted_at"])
    return member


def find_invitation(text: str) -> MemberInvitation | None:
    """Return the invitation, in whatever state, to which the secret of a link belongs."""
    if not is_well_formed(text, HEAD):
        return None
    rows = MemberInvitation.objects.select_related("organization", "invited_by")
    return rows.filter(hash=hash_of(text)).first()


def is_for(invitation: MemberInvitation, user: User) -> bool:
    """Say whether she has shown that the invited address is hers."""
    return EmailAddress.objects.filter(user=user, email__iexact=invitation.email, verified=True).exists()


def waiting_invitations(organization: Organization) -> list[MemberInvitation]:
    """Those that nobody has accepted or withdrawn, with who sent them; the newest first. Expired ones, too."""
    rows = organization.member_invitations.filter(accepted_at=None, withdrawn_at=None)
    return list(rows.select_related("invited_by"))


def _address(email: str) -> str:
    email = email.strip().lower()
    try:
        validate_email(email)
    except ValidationError as error:
        raise Refused("This is no e-mail address.", field="email") from error
    return email


def _end_expired(organization: Organization) -> None:
    waiting = organization.member_invitations.filter(accepted_at=None, withdrawn_at=None)
    waiting.filter(expires_at__lte=now()).update(withdrawn_at=now())


def _renew(invitation: MemberInvitation) -> str:
    text = new_secret(HEAD)
    invitation.hash = hash_of(text)
    invitation.sent_at = now()
    invitation.expires_at = invitation.sent_at + LIVES_FOR
    return text


def _waiting(invitation: MemberInvitation) -> None:
    if invitation.state in (InvitationState.ACCEPTED, InvitationState.WITHDRAWN):
        raise Refused(f"This invitation is {invitation.state.label.lower()} already.", code="wrong_state")


def _tell(invitation: MemberInvitation, text: str) -> None:
    link = f"{settings.PORTAL_URL}{reverse('invitation', args=[text])}"
    sender = invitation.invited_by or "Somebody"
    subject = f"You are invited to {invitation.organization.name}"
    body = (
        f"{sender} invites you to join {invitation.organization.name} as {Role(invitation.role).label.lower()}.\n\n"
        f"See the invitation, and accept it:\n{link}\n\n"
        f"The link works once, until {invitation.expires_at:%d %B %Y, %H:%M} UTC. "
        "If you do not know them, ignore this message: nothing happens.\n"
    )
    mail_address(invitation.email, subject=subject, text=body)


def _record(invitation: MemberInvitation, actor: User | None, action: str, summary: str) -> None:
    record(
        organization=invitation.organization, actor=actor, action=action, target=invitation, summary=summary
    )
