"""Usage of the demo at scale: compact counts by COPY, and the records made of them inside PostgreSQL.

A **group** is a subscription with one of its operations and one kind of answer. What a group's calls look like (bytes,
latency) is worked out by SQL from the group, so only (group, moment, calls) crosses: a year of a thousand subscriptions
takes seconds. The last days are made by the minute, and their hours from the minutes, as metering does.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice, pairwise
from random import Random
from typing import Any

from django.db import connection, transaction

from metering.latency import BOUNDS_MS, BUCKETS
from metering.locks import hold_alone
from metering.models import UsageDay, UsageHour, UsageMinute, UsageRecord
from metering.partitions import cover
from metering.rebuild import roll_up
from metering.records import DERIVED, SUMS
from portal.demo.scale.customers import Customers
from portal.demo.scale.provider import Offer
from portal.demo.scale.rhythm import Caller, hours, minutes

# status class, verdict, share of a day's calls
_FAILURES = ((4, "", 0.02), (5, "", 0.004), (4, "THROTTLED", 0.01), (5, "INTEGRATION_TIMEOUT", 0.001))
# lines in one piece of a COPY
_PIECE = 5_000
# how fast an operation answers: its median in ms
_SPEEDS = (8, 20, 45, 120, 400)
# shares of the calls around the median, in steps of the latency buckets
_SPREAD = (0.05, 0.15, 0.3, 0.25, 0.12, 0.07, 0.03, 0.02, 0.01)
_GROUPS = """
    CREATE TEMPORARY TABLE demo_group (
        number int PRIMARY KEY, subscription_id text, key_id text, stage_id text, operation_id text,
        status_class smallint, verdict text, organization_id text, developer_id text, application_id text,
        api_id text, version_id text, size int, mean_ms int, reached float8[]
    ) ON COMMIT DROP
"""
_CALLS = (
    "CREATE TEMPORARY TABLE demo_calls (number int, at timestamptz, calls int, finest bool) ON COMMIT DROP"
)


@dataclass(frozen=True, slots=True)
class Group:
    """A subscription's calls of one operation that end in one way."""

    subscription: int
    stage: int
    operation: int
    status_class: int
    verdict: str
    size: int
    speed: int

    def reached(self) -> list[float]:
        """Return the share of calls that are not slower than each latency bucket; the last is 1."""
        median = sum(bound < self.speed for bound in BOUNDS_MS)
        shares = [0.0] * BUCKETS
        for step, share in enumerate(_SPREAD, -2):
            shares[min(max(median + step, 0), BUCKETS - 1)] += share
        return [min(1.0, sum(shares[: n + 1])) for n in range(BUCKETS - 1)] + [1.0]


def groups_of(offer: Offer, callers: Sequence[Caller], draw: Random) -> list[list[Group]]:
    """Return for each caller its groups: what succeeds first (two of the steady ones'), then its failures."""
    found = []
    for number, caller in enumerate(callers):
        stage = draw.randrange(len(offer.stages))
        operations = len(offer.operations[offer.stages[stage].pk])
        first = draw.randrange(operations)
        size, speed = draw.randrange(200, 8_000), draw.choice(_SPEEDS)
        ways = [(2, "")] * (2 if caller.kind == "steady" else 1)
        ways += [each[:2] for each in _FAILURES]
        found.append(
            [
                Group(number, stage, (first + place) % operations, status, verdict, size, speed)
                for place, (status, verdict) in enumerate(ways)
            ]
        )
    return found


def counts(
    caller: Caller, groups: Sequence[Group], draw: Random, until: datetime
) -> Iterator[tuple[int, datetime, int]]:
    """Yield (place among the caller's groups, hour, calls)."""
    fine = len(groups) - len(_FAILURES)
    for at, calls in hours(caller, draw, until):
        first = calls if fine == 1 else round(calls * 0.7)
        yield 0, at, first
        if calls > first:
            yield 1, at, calls - first
        # failures come together: in one hour of a few
        if draw.random() < 0.2:
            place = draw.randrange(len(_FAILURES))
            if failed := round(calls * _FAILURES[place][2] * draw.uniform(1, 6)):
                yield fine + place, at, failed


def fill(
    *,
    offer: Offer,
    customers: Customers,
    callers: Sequence[Caller],
    draw: Random,
    since: datetime,
    finest: datetime,
    until: datetime,
) -> list[list[Group]]:
    """Write the records of all callers from `since` until `until`, by the minute from `finest` on.

    Returns each caller's groups.
    """
    groups = groups_of(offer, callers, draw)
    tables = (UsageMinute, finest), (UsageHour, since), (UsageDay, since)
    for table, start in tables:
        cover(table, start=start, end=until)
    with transaction.atomic(), connection.cursor() as cursor:
        hold_alone()
        _copy(cursor, groups, _lines(callers, groups, draw, finest, until), offer, customers)
        _write(cursor, UsageMinute, finest=True)
        _write(cursor, UsageHour, finest=False)
        ours = offer.organization.pk
        roll_up(UsageMinute, UsageHour, "hour", start=finest, end=until, provider_id=ours)
        roll_up(UsageHour, UsageDay, "day", start=since, end=until, provider_id=ours)
    with connection.cursor() as cursor:
        for table, _ in tables:
            cursor.execute(f"ANALYZE {table._meta.db_table}")
    return groups


def _copy(
    cursor: Any, groups: Sequence[Sequence[Group]], lines: Iterator[str], offer: Offer, customers: Customers
) -> None:
    cursor.execute(_GROUPS)
    cursor.execute(_CALLS)
    with cursor.copy("COPY demo_group FROM STDIN") as copy:
        for number, group in enumerate(each for mine in groups for each in mine):
            copy.write_row([number, *_described(group, offer, customers)])
    with cursor.copy("COPY demo_calls FROM STDIN") as copy:
        while piece := "".join(islice(lines, _PIECE)):
            copy.write(piece)
    cursor.execute("ANALYZE demo_group, demo_calls")


def _described(group: Group, offer: Offer, customers: Customers) -> list[Any]:
    subscription, stage = customers.subscriptions[group.subscription], offer.stages[group.stage]
    return [
        subscription.pk,
        customers.keys[group.subscription].pk,
        stage.pk,
        offer.operations[stage.pk][group.operation],
        group.status_class,
        group.verdict,
        offer.organization.pk,
        subscription.organization_id,
        subscription.application_id,
        stage.version.api_id,
        stage.version_id,
        group.size,
        group.speed,
        group.reached(),
    ]


def _lines(
    callers: Sequence[Caller],
    groups: Sequence[Sequence[Group]],
    draw: Random,
    finest: datetime,
    until: datetime,
) -> Iterator[str]:
    number = 0
    for caller, mine in zip(callers, groups, strict=True):
        for place, at, calls in counts(caller, mine, draw, until):
            if at < finest:
                yield f"{number + place}\t{at.isoformat()}\t{calls}\tf\n"
                continue
            for minute, some in minutes(at, calls, draw):
                yield f"{number + place}\t{minute.isoformat()}\t{some}\tt\n"
        number += len(mine)


def _write(cursor: Any, table: type[UsageRecord], *, finest: bool) -> None:
    """Make records of all counts that are of the table's period."""
    plain = ("subscription_id", "key_id", "stage_id", "operation_id", "status_class", "verdict", *DERIVED)
    amounts = {
        "calls": "calls",
        "http_requests": "calls",
        "stream_requests": "calls",
        "cache_hits": "0",
        "cache_misses": "0",
        "bytes_out": "calls::bigint * size",
        "bytes_in": "calls::bigint * 350",
        "latency_ms": "calls::bigint * mean_ms * 5 / 4",
        "integration_ms": "calls::bigint * mean_ms * 6 / 5",
    }
    steps = [f"round(calls * reached[{n}])" for n in range(1, BUCKETS + 1)]
    buckets = [steps[0], *(f"{step} - {before}" for before, step in pairwise(steps))]
    cursor.execute(
        f"INSERT INTO {table._meta.db_table} (at, canary, {', '.join([*plain, *SUMS])}, latency_counts) "  # noqa: S608
        f"SELECT at, false, {', '.join([*plain, *(amounts[name] for name in SUMS)])}, "
        f"ARRAY[{', '.join(buckets)}]::bigint[] FROM demo_calls JOIN demo_group USING (number) WHERE finest = %s",
        [finest],
    )
