"""An announcement as a mail."""

from django.conf import settings
from django.core import signing
from django.core.mail import EmailMessage

from access.announcements.models import Announcement, AnnouncementKind
from accounts.models import Organization, User
from accounts.sentences import ended

_SALT = "access.news"


def body_of(announcement: Announcement, person: User | None) -> str:
    """The text with its foot: why she gets it, and how to get no more. `person` None = a preview's."""
    provider = announcement.organization
    foot = f"You get this because you use APIs of {ended(provider)}"
    if announcement.kind == AnnouncementKind.SERVICE:
        foot += " It is about the service itself, so it cannot be unsubscribed."
    else:
        address = unsubscribe_address(person, provider) if person else f"{settings.PORTAL_URL}/unsubscribe/…"
        foot += f"\nNo more news from {provider}: {address}"
    return f"{announcement.text.strip()}\n\n-- \n{foot}\n"


def letter(announcement: Announcement, person: User | None, address: str) -> EmailMessage:
    """The mail to one person. News can be unsubscribed with one click (RFC 8058)."""
    headers = {}
    if announcement.kind == AnnouncementKind.NEWS and person is not None:
        link = unsubscribe_address(person, announcement.organization)
        headers = {"List-Unsubscribe": f"<{link}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}
    subject = " ".join(announcement.subject.split())
    return EmailMessage(subject, body_of(announcement, person), None, [address], headers=headers)


def unsubscribe_address(person: User, provider: Organization) -> str:
    """Where she says that she wants no news: signed, so that nobody can say it for her."""
    signed = signing.dumps([person.pk, provider.pk], salt=_SALT)
    return f"{settings.PORTAL_URL}/unsubscribe/{signed}/"


def read_unsubscribe(signed: str) -> tuple[User, Organization] | None:
    """Return who wants no news from whom; None for what we did not sign, or somebody who is gone."""
    try:
        person_id, provider_id = signing.loads(signed, salt=_SALT)
    except (signing.BadSignature, ValueError, TypeError):
        return None
    person = User.objects.filter(pk=person_id).first()
    provider = Organization.objects.filter(pk=provider_id).first()
    return (person, provider) if person and provider else None
