"""Celery: what was planned for subscriptions."""

from celery import shared_task

from access.due import apply_due


@shared_task
def apply_planned_changes() -> None:
    """Change and end the subscriptions whose time has come (beat, every few seconds)."""
    apply_due()
