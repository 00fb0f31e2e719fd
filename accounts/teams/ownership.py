"""Handing an organization over: an owner offers it to a member, who becomes its owner once she accepts.

Bills come with ownership, so nobody is made an owner in this way without her word. The one who offered stays as admin.
"""

from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.urls import reverse
from django.utils.timezone import now

from accounts.audit import record
from accounts.errors import Refused
from accounts.mail import mail_address
from accounts.models import Member, Organization, Role, User
from accounts.organizations import change_role
from accounts.rows import locked
from accounts.teams.models import OwnershipOffer

LIVES_FOR = timedelta(days=7)


@transaction.atomic
def offer_ownership(*, organization: Organization, member: Member, owner: Member) -> OwnershipOffer:
    """Offer the organization to a member, in place of an offer that has ended. Refused: field `member`."""
    organization = locked(organization)
    if member.organization_id != organization.pk or owner.organization_id != organization.pk:
        raise Refused("Choose one of the organization's members.", field="member")
    if owner.role != Role.OWNER:
        raise Refused("Only an owner can hand the organization over.", field="member")
    if member.role == Role.OWNER:
        raise Refused(
            f"{member.user} is an owner already. You can leave, or change your role.", field="member"
        )
    if not member.user.is_active:
        raise Refused(f"The account of {member.user} is closed; choose somebody else.", field="member")
    standing = OwnershipOffer.objects.filter(organization=organization).first()
    if standing is not None and standing.expires_at > now():
        raise Refused(
            f"It is offered to {standing.offered_to.user} already. Withdraw that first.", code="wrong_state"
        )
    if standing is not None:
        standing.delete()
    offer = OwnershipOffer.objects.create(
        organization=organization, offered_by=owner, offered_to=member, expires_at=now() + LIVES_FOR
    )
    _record(offer, owner.user, "offered", f"{owner.user} offers {organization} to {member.user}.")
    link = f"{settings.PORTAL_URL}{reverse('organization')}"
    _mail(
        member.user,
        f"{owner.user} wants to hand {organization.name} over to you",
        f"If you accept, you own {organization.name}: its APIs, its members and its bills. {owner.user} stays as "
        f"admin.\n\nSign in, choose {organization.name} in the menu at the top, and answer:\n{link}\n\n"
        "Nothing changes until you accept. The offer ends after a week.\n",
    )
    return offer


@transaction.atomic
def accept_ownership(*, offer: OwnershipOffer, user: User) -> Organization:
    """Make her the owner, and who offered it an admin. Refused when the offer is another's, or over."""
    organization = locked(offer.organization)
    offer = _standing(offer)
    if offer.offered_to.user_id != user.pk:
        raise Refused("This offer is for somebody else.", code="not_yours")
    giver = offer.offered_by
    if offer.expires_at <= now() or giver.role != Role.OWNER:
        raise Refused(f"The offer has ended. Ask {giver.user} to make it again.", code="wrong_state")
    change_role(member=offer.offered_to, role=Role.OWNER, actor=user)
    change_role(member=giver, role=Role.ADMIN, actor=user)
    _record(offer, user, "handed_over", f"{giver.user} handed {organization} over to {user}.")
    offer.delete()
    _mail(
        giver.user,
        f"{user} owns {organization.name} now",
        f"{user} accepted. You are an admin of {organization.name} from now on.\n",
    )
    return organization


@transaction.atomic
def end_offer(*, offer: OwnershipOffer, actor: User) -> None:
    """Decline (whom it was offered to) or withdraw it (the owners)."""
    locked(offer.organization)
    offer = _standing(offer)
    declined = offer.offered_to.user_id == actor.pk
    what = "declined" if declined else "withdrew"
    _record(
        offer, actor, what, f"{actor} {what} the offer of {offer.organization} to {offer.offered_to.user}."
    )
    offer.delete()
    if declined:
        _mail(
            offer.offered_by.user,
            f"{actor} declined {offer.organization.name}",
            "You are its owner as before.\n",
        )


def offer_of(organization: Organization) -> OwnershipOffer | None:
    """Return the offer that waits for an answer, with its people."""
    people = ("offered_by__user", "offered_to__user")
    rows = OwnershipOffer.objects.select_related("organization", *people)
    return rows.filter(organization=organization, expires_at__gt=now()).first()


def _standing(offer: OwnershipOffer) -> OwnershipOffer:
    people = ("organization", "offered_by__user", "offered_to__user")
    found = OwnershipOffer.objects.select_related(*people).filter(pk=offer.pk).first()
    if found is None:
        raise Refused("The offer was withdrawn or answered.", code="wrong_state")
    return found


def _mail(user: User, subject: str, text: str) -> None:
    mail_address(user.email, subject=subject, text=text)


def _record(offer: OwnershipOffer, actor: User, what: str, summary: str) -> None:
    record(
        organization=offer.organization,
        actor=actor,
        action=f"ownership.{what}",
        target=offer.organization,
        summary=summary,
    )
