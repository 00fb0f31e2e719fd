"""Locks by payer: a payer's month is billed by one transaction at a time, and others' at the same time."""

from collections.abc import Collection, Iterable, Mapping
from itertools import groupby
from zlib import crc32

from django.db import connection

# Payers share so many locks for each provider. PostgreSQL has room for about 6,000 of all transactions.
BUCKETS = 1_024


def lock_payers(provider_id: str, payers: Collection[str]) -> None:
    """Wait until no other transaction bills one of them, and keep others waiting until this one ends. 1 query."""
    buckets = sorted({bucket_of(pk) for pk in payers})  # in one order, so that nobody waits in a ring
    space = crc32(f"billing of {provider_id}".encode()) - 2**31
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_advisory_xact_lock(%s::int, bucket) FROM unnest(string_to_array(%s, ',')::int[]) AS bucket",
            [space, ",".join(map(str, buckets))],
        )


def bucket_of(payer_id: str) -> int:
    """Return which lock is a payer's."""
    return crc32(payer_id.encode()) % BUCKETS


def in_chunks(payers: Iterable[str], size: int, weights: Mapping[str, int], most: int) -> list[list[str]]:
    """Divide payers into chunks of at most `size`, which weigh at most `most` together (or are one).

    They share no lock, as far as one lock's payers are not more than a chunk.
    """
    chunks: list[list[str]] = []
    room = free = 0
    for _, found in groupby(sorted(payers, key=lambda pk: (bucket_of(pk), pk)), bucket_of):
        own = list(found)
        weight = sum(weights.get(pk, 0) for pk in own)
        if len(own) <= room and weight <= free:
            chunks[-1] += own
            room, free = room - len(own), free - weight
            continue
        room = 0
        for pk in own:
            weight = weights.get(pk, 0)
            if not room or weight > free:
                chunks.append([])
                room, free = size, most
            chunks[-1].append(pk)
            room, free = room - 1, free - weight
    return chunks
