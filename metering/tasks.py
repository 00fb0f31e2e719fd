"""Metering's background work."""

from celery import shared_task

from metering import alert_check, cache_hours, events, partitions, reconcile, rollup
from metering.chain.seal import seal_pending


@shared_task(name="metering.tasks.process_batches")
def process_batches() -> None:
    """Add up all batches that wait. Sent after each intake; beat sends it too."""
    rollup.process_pending()


@shared_task(name="metering.tasks.maintain")
def maintain() -> None:
    """Make partitions ahead and drop old ones; delete batches and events that cannot come again."""
    partitions.maintain()
    reconcile.forget_batches()
    events.forget_events()


@shared_task(name="metering.tasks.reconcile_usage")
def reconcile_usage() -> None:
    """Write the accounts of the last days and tell the staff what does not come out even."""
    reconcile.reconcile()


@shared_task(name="metering.tasks.count_cache_hours")
def count_cache_hours() -> None:
    """Note the running hour for subscriptions to stages with a cache."""
    cache_hours.count_cache_hours()


@shared_task(name="metering.tasks.seal_usage")
def seal_usage() -> None:
    """Write hours that are over, and late counts, into their developers' chains."""
    seal_pending()


@shared_task(name="metering.tasks.check_alerts")
def check_alerts() -> None:
    """Tell providers of thresholds that their traffic crossed."""
    alert_check.check_alerts()
