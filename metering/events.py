"""Events of providers' own meters: each counts once, in the quarter of an hour in which it happened."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.utils.timezone import now

from access.models import Subscription
from accounts.errors import Refused
from accounts.models import Organization
from metering import locks
from metering.chain.marks import mark_hours
from metering.dimensions import AHEAD, LATE
from metering.models import Aggregation, CustomMeter, MeterEvent, MeterRecord
from metering.pieces import floor

QUARTER = 900
MOST_EVENTS = 1_000
_LARGEST = Decimal(10) ** 18
_TABLE = MeterRecord._meta.db_table
_EVENTS = MeterEvent._meta.db_table


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened: `value` is a number as text (for `unique_count` any text); `at` None = now."""

    id: str
    source: str
    meter: str
    subscription_id: str
    value: str
    at: datetime | None = None


@transaction.atomic
def take_events(
    *, organization: Organization, events: Sequence[Event], at: datetime | None = None
) -> list[bool]:
    """Count the events of a provider; for each True = counted now, False = it was counted before.

    All are counted or none: Refused names the first that cannot be, as field `events[3].subject`. They count in
    their own time, up to 35 days late.
    """
    if len(events) > MOST_EVENTS:
        raise Refused(f"Send at most {MOST_EVENTS:,} events at once.", field="events")
    at = at or now()
    meters = {meter.code: meter for meter in CustomMeter.objects.filter(organization=organization)}
    wanted = {event.subscription_id for event in events}
    callers = Subscription.objects.filter(provider=organization, pk__in=wanted).in_bulk()
    for number, event in enumerate(events):
        _check(event, f"events[{number}]", meters, callers, at)
    # what is counted and its mark are there together before a seal looks (metering/chain/seal.py)
    locks.hold_together()
    fresh = _keep(organization, events, at)
    answers = []
    for event in events:
        answers.append((event.source, event.id) in fresh)
        fresh.discard((event.source, event.id))
    counted = [event for event, new in zip(events, answers, strict=True) if new]
    _count(organization, counted, meters, callers, at)
    return answers


def forget_events(*, at: datetime | None = None) -> int:
    """Delete events older than GATEHOUSE_KEEP_BATCHES; returns how many.

    By then a repeat is further past than events are taken; only one that does not say when it happened counts again.
    """
    days = settings.USAGE_KEEP_BATCHES_DAYS
    if not days:
        return 0
    return MeterEvent.objects.filter(received_at__lt=(at or now()) - timedelta(days=days)).delete()[0]


def _check(
    event: Event,
    place: str,
    meters: dict[str, CustomMeter],
    callers: dict[str, Subscription],
    at: datetime,
) -> None:
    meter = meters.get(event.meter)
    if meter is None or meter.archived_at is not None:
        known = ", ".join(code for code, each in meters.items() if each.archived_at is None) or "none yet"
        raise Refused(f"There is no meter {event.meter!r}; there are: {known}.", field=f"{place}.type")
    if event.subscription_id not in callers:
        raise Refused(
            f"{event.subscription_id!r} is no subscription to one of your plans.", field=f"{place}.subject"
        )
    if event.at and event.at > at + AHEAD:
        raise Refused("It lies in the future; check the clock.", field=f"{place}.time")
    if event.at and event.at < at - LATE:
        raise Refused(f"It is more than {LATE.days} days past.", field=f"{place}.time")
    if meter.aggregation != Aggregation.UNIQUE_COUNT:
        _number(event.value, f"{place}.data.value")


def _number(text: str, place: str) -> Decimal:
    try:
        value = Decimal(text)
        fits = value.is_finite() and abs(value) < _LARGEST and value == round(value, 12)
    except InvalidOperation:
        fits = False
    if not fits:
        raise Refused(
            "Give a number of at most 18 digits before and 12 after the point, best as text.", field=place
        )
    return value


def _keep(organization: Organization, events: Sequence[Event], at: datetime) -> set[tuple[str, str]]:
    """Keep events; returns (source, id) of those that were not there before."""
    once: dict[tuple[str, str], Event] = {}
    for each in events:
        once.setdefault((each.source, each.id), each)
    rows = [
        (*name, each.meter, each.subscription_id, each.at or at, each.value) for name, each in once.items()
    ]
    # everybody in one order, so that two senders of the same events never wait for each other in a circle
    columns = [list(column) for column in zip(*sorted(rows), strict=True)] if rows else [[]] * 6
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {_EVENTS} (organization_id, source, event_id, meter, subscription_id, at, value, "  # noqa: S608
            "received_at) SELECT %s, *, %s FROM unnest(%s::text[], %s::text[], %s::text[], %s::text[], "
            "%s::timestamptz[], %s::text[]) "
            "ON CONFLICT (organization_id, source, event_id) DO NOTHING RETURNING source, event_id",
            [organization.pk, at, *columns],
        )
        return set(cursor.fetchall())


def _count(
    organization: Organization,
    events: Sequence[Event],
    meters: dict[str, CustomMeter],
    callers: dict[str, Subscription],
    at: datetime,
) -> None:
    """Add events to the records, in one order."""
    rows = []
    for event in events:
        moment = (event.at or at).astimezone(UTC)
        caller, how = callers[event.subscription_id], meters[event.meter].aggregation
        unique = how == Aggregation.UNIQUE_COUNT
        part = hashlib.sha256(event.value.encode()).hexdigest() if unique else ""
        value = Decimal(1) if unique else Decimal(event.value)
        names = (organization.pk, caller.organization_id, caller.application_id, caller.pk)
        rows.append((floor(moment, QUARTER), event.meter, part, how, *names, value, moment))
    with connection.cursor() as cursor:
        for row in sorted(rows, key=lambda row: (row[7], *row[:3], row[9])):
            moment, meter, part, how, provider, developer, application, pk, value, happened = row
            values: list[Any] = [provider, developer, application, pk, meter, part, moment, value, happened]
            cursor.execute(_UPSERT.format(value=_MERGE[how]), values)
    mark_hours({(row[5], row[0]) for row in rows})


_MERGE: dict[str, str] = {
    Aggregation.SUM: "held.value + excluded.value",
    Aggregation.MAX: "greatest(held.value, excluded.value)",
    Aggregation.LAST: "CASE WHEN excluded.last_at >= held.last_at THEN excluded.value ELSE held.value END",
    Aggregation.UNIQUE_COUNT: "held.value",
}
_UPSERT = f"""
    INSERT INTO {_TABLE} AS held (organization_id, developer_id, application_id, subscription_id, api_id, meter,
        part, at, value, events, last_at)
    VALUES (%s, %s, %s, %s, '', %s, %s, %s, %s, 1, %s)
    ON CONFLICT (subscription_id, at, meter, api_id, part) DO UPDATE SET value = {{value}},
        events = held.events + 1, last_at = greatest(held.last_at, excluded.last_at)
"""  # noqa: S608 -- names come from the models
