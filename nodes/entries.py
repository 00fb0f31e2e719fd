"""Entries: what nodes must know, written in generations, read as snapshots and changes.

Writers take one advisory lock until their transaction ends, so generations become visible in order and a
reader of "everything after N" never skips one. A NOTIFY, sent with the commit, wakes the waiting nodes.
"""

import logging
from collections.abc import Iterable
from dataclasses import dataclass

from django.db import connection
from django.db.models import Max, Q
from django.utils.timezone import now

from accounts.models import Organization
from gateway.entries import KINDS, compact
from nodes.change import Change
from nodes.models import Entry

logger = logging.getLogger(__name__)

CHANNEL = "nodes_entries"
PAGE = 5_000
# any number that no other advisory lock of this database uses
_LOCK = 7_241_001
_WRITE_CHUNK = 1_000


@dataclass(frozen=True, slots=True)
class Changes:
    """What a node gets: entries by generation; ask again after `generation`, at once if `more`.

    `full` = these entries (with the pages that follow) are everything; what the node has besides is wrong.
    """

    generation: int
    entries: list[Entry]
    more: bool
    full: bool


def lock() -> None:
    """Make this transaction the only writer of entries until it ends.

    Take it before reading what is to be written: what another writer changed meanwhile is then seen.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])


def write(*, kind: str, key: str, organization: Organization | None, data: object | None) -> bool:
    """Write one entry inside the caller's transaction; False = it was like that already."""
    owner = organization.pk if organization else None
    return write_many(changes=[Change(kind, key, owner, data)]) > 0


def write_many(*, changes: Iterable[Change]) -> int:
    """Write several entries inside the caller's transaction, set-based; returns how many differed.

    What comes new is written in the order in which nodes need it (a stage before the mapping that leads to
    it); what goes, the other way round.
    """
    wanted = {change.name: change for change in changes}
    ordered = sorted(wanted.values(), key=_order)
    if not ordered:
        return 0
    lock()
    written = sum(
        _write_chunk(ordered[start : start + _WRITE_CHUNK]) for start in range(0, len(ordered), _WRITE_CHUNK)
    )
    if written:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_notify(%s, %s)", [CHANNEL, str(newest_generation())])
    return written


# what an entry names comes before it
_BEFORE = (
    "installation",
    "certificate",
    "backend",
    "stage",
    "mapping",
    "plan",
    "subscription",
    "key",
    "caller",
    "api",
)
_ORDER = {kind: place for place, kind in enumerate(_BEFORE)}


def _order(change: Change) -> tuple[bool, int]:
    place = _ORDER[change.kind]
    return (True, -place) if change.data is None else (False, place)


def _write_chunk(changes: list[Change]) -> int:
    held = _held(changes)
    rows = []
    for change in changes:
        row, former = _row(change), held.get(change.name)
        if change.problem:
            logger.error("%s %s: %s", change.kind, change.key, change.problem)
        if former is None:
            # what no node ever heard of need not be announced as gone
            if row.data is not None or row.problem:
                rows.append(row)
        elif former.data == row.data or (row.data is None and row.problem):
            if former.problem != row.problem:
                Entry.objects.filter(pk=former.pk).update(problem=row.problem)
        else:
            rows.append(row)
    _upsert(rows)
    return len(rows)


def _row(change: Change) -> Entry:
    data = change.data
    return Entry(
        kind=change.kind,
        key=change.key,
        organization_id=change.organization_id,
        data=compact(data),
        problem=change.problem[:500],
    )


def _held(changes: list[Change]) -> dict[tuple[str, str], Entry]:
    by_kind: dict[str, list[str]] = {kind: [] for kind in KINDS}
    for change in changes:
        by_kind[change.kind].append(change.key)
    wanted = Q()
    for kind, keys in by_kind.items():
        if keys:
            wanted |= Q(kind=kind, key__in=keys)
    return {(entry.kind, entry.key): entry for entry in Entry.objects.filter(wanted)}


def _upsert(rows: list[Entry]) -> None:
    if not rows:
        return
    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval('nodes_generation') FROM generate_series(1, %s)", [len(rows)])
        generations = sorted(row[0] for row in cursor.fetchall())
    for row, generation in zip(rows, generations, strict=True):
        row.generation = generation
        row.written_at = now()
    Entry.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["kind", "key"],
        update_fields=["organization", "generation", "data", "problem", "written_at"],
    )


def newest_generation() -> int:
    """Return the generation of the newest entry; 0 = there is none."""
    return Entry.objects.aggregate(newest=Max("generation"))["newest"] or 0


@dataclass(frozen=True, slots=True)
class Digest:
    """All entries in one number: `gateway.agent.drift.digest` computes the same. `digest` is in decimal."""

    generation: int
    count: int
    digest: str


def digest() -> Digest:
    """Sum up what nodes should hold at the newest generation."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT coalesce(max(generation), 0), count(*) FILTER (WHERE data IS NOT NULL),
                coalesce(sum(('x' || left(md5(kind || ':' || key || ':' || generation), 15))::bit(60)::bigint)
                    FILTER (WHERE data IS NOT NULL), 0)
            FROM nodes_entry
            """
        )
        generation, count, total = cursor.fetchone()
    return Digest(generation, count, str(total))


def snapshot(*, after: int, limit: int = PAGE) -> Changes:
    """Return the entries after a generation, oldest first.

    `after=0` gives everything there is and leaves out what is gone. So does an `after` that is newer than all
    of ours: the node has seen a future that the database lost (it was restored from a copy).
    """
    newest = newest_generation()
    full = after <= 0 or after > newest
    rows = Entry.objects.order_by("generation").defer("written_at", "problem")
    rows = rows.filter(data__isnull=False) if full else rows.filter(generation__gt=after)
    page = list(rows[: limit + 1])
    more = len(page) > limit
    page = page[:limit]
    last = page[-1].generation if page else 0
    # `newest` was read first, so nothing up to it can be missing from the last page
    return Changes(last if more else max(last, newest), page, more, full)
