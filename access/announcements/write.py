"""Writing announcements, trying them on oneself, and queuing them."""

from functools import partial
from typing import Any

from django.db import transaction
from django.utils.timezone import now

from access.announcements.audience import audience_of
from access.announcements.letter import body_of
from access.announcements.models import (
    Announcement,
    AnnouncementRecipient,
    AnnouncementState,
    Audience,
    RecipientState,
)
from access.announcements.queue import enqueue
from accounts.audit import record
from accounts.errors import Refused
from accounts.mail import mail_address
from accounts.models import Organization, User
from accounts.rows import assign, check_fields, locked

CHANGEABLE = ("subject", "text", "kind", "audience", "api", "plan")


@transaction.atomic
def create_announcement(*, organization: Organization, actor: User | None, **fields: Any) -> Announcement:
    """Make a draft: `subject`, `text`, `kind`, `audience`, and `api` or `plan` where the audience needs one."""
    made = Announcement(organization=organization, created_by=actor)
    assign(made, fields, allowed=CHANGEABLE)
    _check(made)
    made.save(force_insert=True)
    _record(made, actor, "created", f"Wrote the announcement {made}.")
    return made


@transaction.atomic
def change_announcement(*, announcement: Announcement, actor: User | None, **fields: Any) -> Announcement:
    """Change a draft."""
    announcement = _draft(announcement)
    if assign(announcement, fields, allowed=CHANGEABLE):
        _check(announcement)
        announcement.save()
        _record(announcement, actor, "changed", f"Changed the announcement {announcement}.")
    return announcement


@transaction.atomic
def delete_announcement(*, announcement: Announcement, actor: User | None) -> None:
    """Throw a draft away."""
    announcement = _draft(announcement)
    _record(announcement, actor, "deleted", f"Deleted the draft {announcement}.")
    announcement.delete()


def send_test(*, announcement: Announcement, actor: User) -> None:
    """Send it to the one who asks, as others will get it."""
    mail_address(actor.email, subject=f"Test: {announcement.subject}", text=body_of(announcement, actor))


@transaction.atomic
def queue_announcement(*, announcement: Announcement, actor: User | None) -> Announcement:
    """Fix who gets it, and begin to send. Refused if that is nobody, or it was queued before."""
    announcement = _draft(announcement)
    people = audience_of(announcement).values_list("pk", "email")
    rows = [
        AnnouncementRecipient(
            organization_id=announcement.organization_id,
            announcement=announcement,
            user_id=pk,
            address=email,
        )
        for pk, email in people
    ]
    if not rows:
        raise Refused("Nobody would get it: choose another audience.", field="audience")
    AnnouncementRecipient.objects.bulk_create(rows, batch_size=1_000)
    announcement.state, announcement.queued_at = AnnouncementState.SENDING, now()
    announcement.save(update_fields=["state", "queued_at"])
    words = (
        f"Sends the announcement {announcement} to {len(rows):,} {'person' if len(rows) == 1 else 'people'}."
    )
    _record(announcement, actor, "queued", words)
    transaction.on_commit(partial(enqueue, announcement.pk))
    return announcement


@transaction.atomic
def retry_failed(*, announcement: Announcement, actor: User | None) -> int:
    """Try those again whom it did not reach; return how many."""
    announcement = locked(announcement)
    failed = announcement.recipients.filter(state=RecipientState.FAILED)
    count = failed.update(state=RecipientState.WAITING, tries=0, error="", done_at=None)
    if not count:
        raise Refused("It failed for nobody.", code="wrong_state")
    announcement.state, announcement.sent_at = AnnouncementState.SENDING, None
    announcement.save(update_fields=["state", "sent_at"])
    _record(announcement, actor, "retried", f"Tries the announcement {announcement} again for {count:,}.")
    transaction.on_commit(partial(enqueue, announcement.pk))
    return count


def _draft(announcement: Announcement) -> Announcement:
    announcement = locked(announcement)
    if announcement.state != AnnouncementState.DRAFT:
        raise Refused(f"{announcement} is on its way already; write another one.", code="wrong_state")
    return announcement


def _check(announcement: Announcement) -> None:
    check_fields(announcement)
    for audience, field in ((Audience.API, "api"), (Audience.PLAN, "plan")):
        about = getattr(announcement, field)
        if announcement.audience != audience:
            setattr(announcement, field, None)
        elif about is None or about.organization_id != announcement.organization_id:
            raise Refused(
                f"Choose the {audience.label.rsplit(' ', 1)[1]} whose developers get it.", field=field
            )


def _record(announcement: Announcement, actor: User | None, what: str, summary: str) -> None:
    record(
        organization=announcement.organization,
        actor=actor,
        action=f"announcement.{what}",
        target=announcement,
        summary=summary,
    )
