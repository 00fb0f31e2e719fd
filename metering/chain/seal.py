"""Seals hours that changed: their new records go into the developer's chain.

First marks are claimed, under the lock that workers hold while they add up: so what a claimed mark speaks of is
there to be read, and what comes later makes a new mark. Then seals are written, some hours in one transaction. A
run that dies leaves its claims to the next one. Cost grows with changed hours, memory with one piece of work.
"""

from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from django.db import connection, transaction
from django.utils.timezone import now

from accounts.any_of import any_of
from metering import locks, partitions
from metering.chain.content import (
    CALLS,
    METERS,
    Kind,
    Records,
    apply,
    as_records,
    changes,
    kind_of,
    seal_hash,
)
from metering.models import MeterRecord, UsageChain, UsageHour, UsageMark, UsageSeal
from metering.packed import unpack
from metering.pieces import floor

# hours in one transaction
CHUNK = 500

# a developer's id and the start of an hour
Hour = tuple[str, datetime]


def seal_pending(*, at: datetime | None = None) -> int:
    """Seal all changed hours that are over; returns how many seals were written. Two at once are safe."""
    until = floor(at or now(), 3_600)
    with transaction.atomic():
        _claim(until)
    written = 0
    while True:
        with transaction.atomic():
            hours = _claimed(CHUNK)
            written += _seal(hours)
        if not hours:
            return written


def seal_heads(organization_ids: Collection[str], *, until: datetime) -> dict[str, dict[str, Any]]:
    """Seal what changed in hours that begin before `until`, also one that is not over; return the chains' heads.

    Developer's id -> {"number", "hash"}. Runs in the caller's transaction: bills are made after it, and keep the
    heads, so what they are made from can be told. 2 queries where nothing is to be sealed.
    """
    ids = sorted(organization_ids)
    if UsageMark.objects.filter(any_of("organization_id", ids), at__lt=until).exists():
        _claim(until, ids)
        _seal(_claimed(None, ids, until))
    heads = UsageChain.objects.filter(any_of("pk", ids)).values_list("pk", "number", "hash")
    return {pk: {"number": number, "hash": head} for pk, number, head in heads}


def _claim(until: datetime, ids: list[str] | None = None) -> None:
    locks.hold_alone()
    whose = "" if ids is None else "AND organization_id = ANY(%s)"
    with connection.cursor() as cursor:
        cursor.execute(
            f"WITH moved AS (DELETE FROM metering_usagemark WHERE NOT claimed AND at < %s {whose} "  # noqa: S608
            "RETURNING organization_id, at) INSERT INTO metering_usagemark (claimed, organization_id, at) "
            "SELECT true, organization_id, at FROM moved ORDER BY 2, 3 ON CONFLICT DO NOTHING",
            [until] if ids is None else [until, ids],
        )


def _claimed(
    limit: int | None, ids: Sequence[str] | None = None, until: datetime | None = None
) -> list[Hour]:
    """Lock claimed marks and return their hours; those that another run holds are left to it, unless asked for."""
    marks = UsageMark.objects.filter(claimed=True).order_by("organization_id", "at")
    if ids is not None:
        marks = marks.filter(organization_id__in=ids, at__lt=until)
    locked = marks.select_for_update(skip_locked=ids is None)
    return list(locked.values_list("organization_id", "at")[:limit])


def _seal(hours: Sequence[Hour]) -> int:
    """Add the hours to their chains and drop their marks. A constant number of queries."""
    if not hours:
        return 0
    heads = _lock_heads({organization for organization, _ in hours})
    found, before = {CALLS: _calls(hours), METERS: _meters(hours)}, _sealed(hours)
    kept = partitions.kept_from(UsageHour, at=now())
    made = []
    for organization_id, at in hours:
        for kind, records in found.items():
            if kind is CALLS and kept and at < kept:
                # dropped with their partition: they are not gone, their time is over
                continue
            changed = changes(before[organization_id, at, kind], records[organization_id, at], kind)
            if changed:
                made.append(_next(heads[organization_id], at, kind, changed))
    UsageSeal.objects.bulk_create(made)
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE metering_usagechain AS chain SET number = head.number, hash = head.hash "
            "FROM unnest(%s::text[], %s::bigint[], %s::text[]) AS head (organization_id, number, hash) "
            "WHERE chain.organization_id = head.organization_id",
            [
                list(column)
                for column in zip(*((h.pk, h.number, h.hash) for h in heads.values()), strict=True)
            ],
        )
        cursor.execute(
            f"DELETE FROM metering_usagemark AS one USING {_HOURS} WHERE claimed "  # noqa: S608
            "AND one.organization_id = hour.organization_id AND one.at = hour.at",
            _columns(hours),
        )
    return len(made)


def _lock_heads(ids: Collection[str]) -> dict[str, UsageChain]:
    new = [UsageChain(organization_id=pk) for pk in sorted(ids)]
    UsageChain.objects.bulk_create(new, ignore_conflicts=True)
    heads = UsageChain.objects.filter(pk__in=ids).order_by("pk").select_for_update()
    return {head.pk: head for head in heads}


def _next(head: UsageChain, at: datetime, kind: Kind, changed: list[list[str]]) -> UsageSeal:
    seal = UsageSeal(
        organization_id=head.pk,
        number=head.number + 1,
        at=at,
        content={"columns": list(kind.columns), "records": changed},
        previous=head.hash,
    )
    head.number, head.hash = seal.number, hash_of(seal)
    seal.hash = head.hash
    return seal


def hash_of(seal: UsageSeal) -> str:
    """Return the hash that a seal must have."""
    return seal_hash(
        previous=seal.previous,
        organization_id=seal.organization_id,
        number=seal.number,
        at=seal.at,
        sealed_at=seal.sealed_at,
        content=seal.content,
    )


_HOURS = "unnest(%s::text[], %s::timestamptz[]) AS hour (organization_id, at)"


def _columns(hours: Sequence[Hour]) -> list[list[Any]]:
    return [[organization for organization, _ in hours], [at for _, at in hours]]


def _calls(hours: Sequence[Hour]) -> dict[Hour, Records]:
    return _read(hours, CALLS, UsageHour._meta.db_table, "record.at = hour.at")


def _meters(hours: Sequence[Hour]) -> dict[Hour, Records]:
    within = "record.at >= hour.at AND record.at < hour.at + interval '1 hour'"
    return _read(hours, METERS, MeterRecord._meta.db_table, within)


def _read(hours: Sequence[Hour], kind: Kind, table: str, within: str) -> dict[Hour, Records]:
    columns = ", ".join(f"record.{name}" for name in kind.columns)
    found: dict[Hour, list[tuple[Any, ...]]] = defaultdict(list)
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT hour.organization_id, hour.at, {columns} FROM {_HOURS} JOIN {table} AS record "  # noqa: S608
            f"ON record.developer_id = hour.organization_id AND {within}",
            _columns(hours),
        )
        for organization_id, at, *row in cursor:
            found[organization_id, at].append(tuple(row))
    return defaultdict(dict, {hour: as_records(rows, kind) for hour, rows in found.items()})


def _sealed(hours: Sequence[Hour]) -> dict[tuple[str, datetime, Kind], Records]:
    """What earlier seals say of the hours."""
    found: dict[tuple[str, datetime, Kind], Records] = defaultdict(dict)
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT hour.organization_id, hour.at, content FROM {_HOURS} JOIN metering_usageseal AS seal "  # noqa: S608
            "ON seal.organization_id = hour.organization_id AND seal.at = hour.at ORDER BY seal.number",
            _columns(hours),
        )
        for organization_id, at, packed in cursor:
            content = unpack(packed)
            apply(found[organization_id, at, kind_of(content)], content)
    return found
