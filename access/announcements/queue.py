"""Handing announcements to the worker, and finding those that lost theirs."""

import logging
from datetime import datetime, timedelta

from django.db.models import Max, Q
from django.utils.timezone import now

from access.announcements.models import Announcement, AnnouncementState

logger = logging.getLogger(__name__)

STUCK_AFTER = timedelta(minutes=1)


def enqueue(announcement_id: str) -> None:
    """Ask a worker to send the next chunk. A broker that is away is no harm: beat looks every minute."""
    from access.tasks import send_announcement  # noqa: PLC0415 -- tasks import this room

    try:
        send_announcement.delay(announcement_id)
    except Exception as error:  # noqa: BLE001 -- whatever the broker's library raises
        logger.warning("The broker cannot be reached (%s); an announcement waits for a minute.", error)


def stuck(at: datetime | None = None) -> list[str]:
    """Return the ids of those of which nothing was sent for a minute: their worker or the mail server was away."""
    since = (at or now()) - STUCK_AFTER
    found = Announcement.objects.filter(state=AnnouncementState.SENDING, queued_at__lt=since).annotate(
        last=Max("recipients__done_at")
    )
    return list(found.filter(Q(last=None) | Q(last__lt=since)).values_list("pk", flat=True))
