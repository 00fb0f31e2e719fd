"""Sending announcements, a chunk at a time. Each mail is noted in a transaction of its own, so a worker that is killed
sends at most one of them twice."""

import logging
from smtplib import SMTPException, SMTPRecipientsRefused, SMTPResponseException

from django.core.mail import get_connection
from django.core.mail.backends.base import BaseEmailBackend
from django.db import transaction
from django.utils.timezone import now

from access.announcements.letter import letter
from access.announcements.models import (
    Announcement,
    AnnouncementKind,
    AnnouncementRecipient,
    AnnouncementState,
    NewsOptOut,
    RecipientState,
)

logger = logging.getLogger(__name__)

CHUNK = 50
# a server that breaks off is tried again this often for one address
MOST_TRIES = 5


def send_chunk(announcement_id: str) -> bool:
    """Send to the next who wait; return whether to go on at once. False = done, or the mail server is away."""
    announcement = (
        Announcement.objects.select_related("organization")
        .filter(pk=announcement_id, state=AnnouncementState.SENDING)
        .first()
    )
    if announcement is None:
        return False
    waiting = announcement.recipients.filter(state=RecipientState.WAITING).order_by("id")
    ids = list(waiting.values_list("pk", flat=True)[:CHUNK])
    if not ids:
        _finish(announcement)
        return False
    connection = get_connection()
    try:
        connection.open()
        return _send_to(announcement, ids, connection)
    except (SMTPException, OSError) as error:
        logger.warning("The mail server is away (%s); an announcement waits.", type(error).__name__)
        return False
    finally:
        connection.close()


def _send_to(announcement: Announcement, ids: list[int], connection: BaseEmailBackend) -> bool:
    """False also where other workers have all of them: they go on themselves."""
    handled = False
    for pk in ids:
        went = _send_one(announcement, pk, connection)
        if went is False:
            return False
        handled = handled or went is True
    return handled


@transaction.atomic
def _send_one(announcement: Announcement, pk: int, connection: BaseEmailBackend) -> bool | None:
    """Send one copy and note how it went; False = the server broke off, None = another worker has it."""
    rows = AnnouncementRecipient.objects.select_for_update(of=("self",), skip_locked=True)
    row = rows.select_related("user").filter(pk=pk, state=RecipientState.WAITING).first()
    if row is None:
        return None
    if reason := _why_not(announcement, row):
        return _note(row, RecipientState.FAILED, reason)
    row.tries += 1
    try:
        message = letter(announcement, row.user, row.address)
        message.connection = connection
        message.send()
    except (SMTPRecipientsRefused, SMTPResponseException) as error:
        return _note(row, RecipientState.FAILED, _words(error))
    except (SMTPException, OSError) as error:
        if row.tries < MOST_TRIES:
            row.save(update_fields=["tries"])
            return False
        return _note(row, RecipientState.FAILED, f"The mail server broke off: {type(error).__name__}.")
    return _note(row, RecipientState.SENT, "")


def _why_not(announcement: Announcement, row: AnnouncementRecipient) -> str:
    """Why she gets it no more, since it was queued."""
    if row.user is None or not row.user.is_active:
        return "The account is gone."
    outs = NewsOptOut.objects.filter(organization=announcement.organization_id, user=row.user)
    if announcement.kind == AnnouncementKind.NEWS and outs.exists():
        return "Unsubscribed meanwhile."
    return ""


def _note(row: AnnouncementRecipient, state: RecipientState, error: str) -> bool:
    row.state, row.error, row.done_at = state, error[:200], now()
    row.save(update_fields=["state", "error", "tries", "done_at"])
    return True


def _words(error: SMTPException) -> str:
    if isinstance(error, SMTPRecipientsRefused):
        code, said = next(iter(error.recipients.values()))
    else:
        code, said = getattr(error, "smtp_code", 0), getattr(error, "smtp_error", b"")
    text = said.decode(errors="replace") if isinstance(said, bytes) else str(said)
    return f"The mail server says {code}: {' '.join(text.split())}"


@transaction.atomic
def _finish(announcement: Announcement) -> None:
    Announcement.objects.filter(pk=announcement.pk, state=AnnouncementState.SENDING).update(
        state=AnnouncementState.SENT, sent_at=now()
    )
