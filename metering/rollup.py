"""From batches to records: minutes, hours and days, each batch exactly once.

One transaction claims batches (others skip them), adds their rows to the three tables and marks them done: a
worker that dies in between leaves them as they were. Every worker writes the tables in the same order and the
rows of each in the order of their key, so two never wait for each other in a circle.

Hours and days are UTC. Bills of other time zones are made from hours (and minutes at their ends), not days.
"""

import logging

from django.db import DataError, transaction
from django.utils.timezone import now

from metering import last_used, locks, records
from metering.dimensions import Directory
from metering.models import UsageBatch

logger = logging.getLogger(__name__)

# batches in one transaction
CHUNK = 20


def process_pending(*, limit: int = CHUNK) -> int:
    """Add all waiting batches to the records, `limit` in one transaction; returns how many were added up."""
    done = 0
    while True:
        try:
            count = _process_chunk(limit)
        except DataError:
            # one batch among them cannot be stored; find it by going one by one
            count = _process_one()
        done += count
        if not count:
            return done


def _process_chunk(limit: int) -> int:
    with transaction.atomic():
        locks.hold_together()
        batches = _claim(limit)
        if not batches:
            return 0
        rows = _sort_out(batches)
        records.add(rows)
        _mark(batches)
    last_used.note(map(records.key_and_moment, rows))
    return len(batches)


def _process_one() -> int:
    try:
        return _process_chunk(1)
    except DataError as error:
        with transaction.atomic():
            batches = _claim(1)
            for batch in batches:
                logger.exception("batch %s cannot be added up", batch)
                batch.rejected = [{"row": row, "reason": f"cannot be stored: {error}"} for row in batch.rows]
                batch.aggregated = 0
            _mark(batches)
        return len(batches)


def _claim(limit: int) -> list[UsageBatch]:
    waiting = UsageBatch.objects.filter(processed_at__isnull=True).order_by("received_at", "pk")
    return list(waiting.select_for_update(skip_locked=True)[:limit])


def _mark(batches: list[UsageBatch]) -> None:
    moment = now()
    for batch in batches:
        batch.processed_at = moment
    UsageBatch.objects.bulk_update(batches, ["processed_at", "aggregated", "rejected"])


def _sort_out(batches: list[UsageBatch]) -> list[records.Row]:
    """Return the usable rows with all their dimensions, and note on each batch what became of its rows."""
    directory = Directory.of(row for batch in batches for row in batch.rows)
    usable = []
    for batch in batches:
        batch.rejected = []
        batch.aggregated = 0
        received_at = batch.received_at.timestamp()
        for row in batch.rows:
            reason = directory.objection(row, received_at)
            if reason:
                batch.rejected.append({"row": row, "reason": reason})
            else:
                batch.aggregated += row["calls"]
                usable.append(directory.complete(row))
        if batch.rejected:
            logger.warning("batch %s: %d rows rejected", batch, len(batch.rejected))
    return usable
