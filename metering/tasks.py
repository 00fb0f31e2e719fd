"""Metering's background work."""

from celery import shared_task

from metering import rollup


@shared_task(name="metering.tasks.process_batches")
def process_batches() -> None:
    """Add up all batches that wait. Sent after each intake; beat sends it too."""
    rollup.process_pending()
