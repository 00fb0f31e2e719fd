"""Celery: what was planned for subscriptions, and announcements."""

from celery import shared_task

from access.announcements.queue import enqueue, stuck
from access.announcements.send import send_chunk
from access.due import apply_due


@shared_task
def apply_planned_changes() -> None:
    """Change and end the subscriptions whose time has come (beat, every few seconds)."""
    apply_due()


@shared_task
def send_announcement(announcement_id: str) -> None:
    """Send a chunk of an announcement, and line up behind others for the next."""
    if send_chunk(announcement_id):
        enqueue(announcement_id)


@shared_task
def go_on_with_announcements() -> None:
    """Look after those that lost their worker, or waited for the mail server (beat)."""
    for announcement_id in stuck():
        enqueue(announcement_id)
