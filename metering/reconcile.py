"""The daily account: what nodes reported = what is in the records + what was rejected; and no batch is missing."""

import logging
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.mail import EmailMessage
from django.db import connection, transaction
from django.utils.timezone import now

from metering.models import UsageBatch, UsageGap, UsageReconciliation

logger = logging.getLogger(__name__)

# A day is gone over again for so long: batches that waited for a worker, and counts that came late.
AGAIN = timedelta(days=3)

_ACCOUNT = """
    INSERT INTO {table} (
        day, node_id, spool, first_sequence, last_sequence, batches, calls, aggregated, rejected, waiting,
        refused_unknown, checked_at
    )
    SELECT (received_at AT TIME ZONE 'UTC')::date AS day, node_id, spool, min(sequence), max(sequence), count(*),
        sum(calls), sum(aggregated),
        sum((SELECT coalesce(sum((each -> 'row' ->> 'calls')::bigint), 0)
             FROM jsonb_array_elements(rejected) AS each)),
        coalesce(sum(calls) FILTER (WHERE processed_at IS NULL), 0), sum(refused_unknown), now()
    FROM {batches} WHERE received_at >= %s AND received_at < %s GROUP BY 1, 2, 3
    ON CONFLICT (day, node_id, spool) DO UPDATE SET
        first_sequence = excluded.first_sequence, last_sequence = excluded.last_sequence,
        batches = excluded.batches, calls = excluded.calls, aggregated = excluded.aggregated,
        rejected = excluded.rejected, waiting = excluded.waiting,
        refused_unknown = excluded.refused_unknown, checked_at = excluded.checked_at
"""

# What is missing between two numbers of a spool, from the newest that was forgotten on.
_GAPS = """
    WITH forgotten AS (
        SELECT node_id, spool, max(last_sequence) AS last FROM {table} WHERE day < %s GROUP BY 1, 2
    ), found AS (
        SELECT batch.node_id, batch.spool, sequence, coalesce(
            lag(sequence) OVER (PARTITION BY batch.node_id, batch.spool ORDER BY sequence), last, 0) AS before
        FROM {batches} AS batch LEFT JOIN forgotten USING (node_id, spool)
        WHERE sequence > coalesce(last, 0)
    )
    SELECT node_id, spool, before + 1, sequence - 1 FROM found WHERE sequence > before + 1
"""


@dataclass(frozen=True, slots=True)
class Report:
    """What a run found: gaps that are new, gaps that have closed, and accounts that do not come out even."""

    gaps: list[UsageGap]
    closed: list[UsageGap]
    uneven: list[UsageReconciliation]

    @property
    def is_bad(self) -> bool:
        return bool(self.gaps or self.uneven)


def reconcile(*, at: datetime | None = None) -> Report:
    """Write the accounts of the last days (UTC, today too), look for gaps, and tell the staff what is wrong.

    May run at any time and as often as one likes; a gap is told once, an uneven account at each run.
    """
    at = at or now()
    first = at.astimezone(UTC).date() - AGAIN
    with transaction.atomic():
        _lock()
        _write_accounts(_start(first), _start(at.astimezone(UTC).date() + timedelta(days=1)))
        gaps, closed = _note_gaps(at)
        uneven = [one for one in UsageReconciliation.objects.filter(day__gte=first) if one.difference]
    report = Report(gaps, closed, uneven)
    if report.is_bad:
        _tell(report)
    return report


def forget_batches(*, at: datetime | None = None) -> int:
    """Delete whole days of batches that are added up and older than GATEHOUSE_KEEP_BATCHES; returns how many.

    Their accounts stay. A batch that old cannot count twice: were it sent again, its minutes would be further past
    than counts are taken (`metering.dimensions.LATE`), and it would be rejected.
    """
    if not settings.USAGE_KEEP_BATCHES_DAYS:
        return 0
    end = (at or now()).astimezone(UTC).date() - timedelta(days=settings.USAGE_KEEP_BATCHES_DAYS)
    day, waiting = _oldest(), _oldest(processed_at__isnull=True)
    end = min(end, waiting) if waiting else end
    count = 0
    while day is not None and day < end:
        start, until = _start(day), _start(day + timedelta(days=1))
        with transaction.atomic():
            _lock()
            _write_accounts(start, until)
            count += UsageBatch.objects.filter(received_at__gte=start, received_at__lt=until).delete()[0]
        day = _oldest()
    return count


def _oldest(**conditions: Any) -> date | None:
    """Return the day (UTC) of the oldest batch."""
    found = (
        UsageBatch.objects.filter(**conditions).order_by("received_at").values_list("received_at", flat=True)
    )
    first = found.first()
    return first.astimezone(UTC).date() if first else None


def _lock() -> None:
    """One run at a time."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('metering.reconcile'))")


def _write_accounts(start: datetime, end: datetime) -> None:
    sql = _ACCOUNT.format(table=UsageReconciliation._meta.db_table, batches=UsageBatch._meta.db_table)
    with connection.cursor() as cursor:
        cursor.execute(sql, [start, end])


def _note_gaps(at: datetime) -> tuple[list[UsageGap], list[UsageGap]]:
    """Keep what is missing now; returns the new gaps, and those that have closed, in full or in part."""
    sql = _GAPS.format(table=UsageReconciliation._meta.db_table, batches=UsageBatch._meta.db_table)
    with connection.cursor() as cursor:
        cursor.execute(sql, [_oldest() or at.astimezone(UTC).date()])
        missing = set(cursor.fetchall())
    new, closed = [], []
    for gap in UsageGap.objects.filter(closed_at__isnull=True):
        name = (gap.node_id, gap.spool, gap.first_sequence, gap.last_sequence)
        if name in missing:
            missing.remove(name)
        else:
            gap.closed_at = at
            gap.save(update_fields=["closed_at"])
            logger.warning("usage of node %s: the gap %s has closed, in full or in part", gap.node_id, gap)
            closed.append(gap)
    for node, spool, first, last in sorted(missing):
        new.append(_open(node, spool, first, last, at))
    return new, closed


def _open(node: str, spool: str, first: int, last: int, at: datetime) -> UsageGap:
    gap, _ = UsageGap.objects.update_or_create(
        node_id=node,
        spool=spool,
        first_sequence=first,
        last_sequence=last,
        defaults={"found_at": at, "closed_at": None},
    )
    return gap


def _tell(report: Report) -> None:
    """Log it, and write to the staff of the installation."""
    lines = [
        f"Node {gap.node_id}: batches {gap.first_sequence} to {gap.last_sequence} of its spool {gap.spool} never "
        "came. If they lie in spool/rejected of the node's folder, its agent's log says why."
        for gap in report.gaps
    ]
    lines += [
        f"Node {one.node_id}, {one.day}: {one.calls} calls came in, {one.aggregated} were counted, "
        f"{one.rejected} rejected and {one.waiting} wait: {one.difference} are missing."
        for one in report.uneven
    ]
    for line in lines:
        logger.error("usage does not come out even: %s", line)
    staff = get_user_model().objects.filter(is_staff=True, is_active=True).exclude(email="")
    addresses = list(staff.values_list("email", flat=True))
    if addresses:
        text = "\n\n".join([*lines, "The admin console lists this under Metering."])
        mail = EmailMessage("Gatehouse: usage does not come out even", text, bcc=addresses)
        mail.send(fail_silently=True)


def _start(day: date) -> datetime:
    return datetime.combine(day, time(), tzinfo=UTC)
