"""Metering's background work."""

from celery import shared_task

from metering import partitions, reconcile, rollup


@shared_task(name="metering.tasks.process_batches")
def process_batches() -> None:
    """Add up all batches that wait. Sent after each intake; beat sends it too."""
    rollup.process_pending()


@shared_task(name="metering.tasks.maintain")
def maintain() -> None:
    """Make partitions ahead and drop old ones; delete batches that cannot come again."""
    partitions.maintain()
    reconcile.forget_batches()


@shared_task(name="metering.tasks.reconcile_usage")
def reconcile_usage() -> None:
    """Write the accounts of the last days and tell the staff what does not come out even."""
    reconcile.reconcile()
