"""Nodes' background work."""

from celery import shared_task

from nodes import quota_alerts


@shared_task
def alert_quotas() -> None:
    """Tell developers whose quotas are nearly used up (beat, every minute)."""
    quota_alerts.alert_quotas()
