"""Hours are sealed once they are over; late counts, rebuilding and two at once."""

import threading
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from access.models import Subscription
from apis.models import Stage
from metering.chain.seal import seal_heads, seal_pending
from metering.chain.verify import verify
from metering.models import UsageChain, UsageHour, UsageMark, UsageSeal
from metering.rebuild import rebuild
from tests.factories import make_stage, make_subscription
from tests.metering.factories import NOON, make_row, use

HOUR = timedelta(hours=1)
LATER = NOON + 3 * HOUR
pytestmark = pytest.mark.django_db


def used(stage: Stage, subscription: Subscription, calls: int = 3, at: datetime = NOON) -> None:
    use(make_row(stage, subscription=subscription.pk, calls=calls, minute=at))


def seals() -> list[tuple[int, datetime, list[str]]]:
    return [
        (
            seal.number,
            seal.at,
            [row[seal.content["columns"].index("calls")] for row in seal.content["records"]],
        )
        for seal in UsageSeal.objects.order_by("organization_id", "number")
    ]


def test_an_hour_is_sealed_when_it_is_over_and_once() -> None:
    stage, subscription = make_stage(), make_subscription()
    used(stage, subscription)
    used(stage, subscription, at=NOON + HOUR)
    assert seal_pending(at=NOON + timedelta(minutes=59)) == 0
    assert seal_pending(at=NOON + timedelta(minutes=60)) == 1
    assert seal_pending(at=LATER) == 1
    assert seal_pending(at=LATER) == 0
    assert seals() == [(1, NOON, ["3"]), (2, NOON + HOUR, ["3"])]
    assert not UsageMark.objects.exists()
    assert verify(organization_id=subscription.organization_id).is_good


def test_late_counts_are_sealed_as_changes_and_each_developer_has_a_chain() -> None:
    stage, one, other = make_stage(), make_subscription(), make_subscription()
    used(stage, one)
    used(stage, other)
    seal_pending(at=LATER)
    used(stage, one, calls=4)
    use(make_row(stage, subscription=one.pk, verdict="THROTTLED", status_class=4))
    report = verify(organization_id=one.organization_id)
    assert (report.is_good, report.unsealed) == (True, 1)
    assert seal_pending(at=LATER) == 1
    numbers = dict(UsageChain.objects.values_list("pk", "number"))
    assert numbers == {one.organization_id: 2, other.organization_id: 1}
    last = UsageSeal.objects.get(organization_id=one.organization_id, number=2)
    assert len(last.content["records"]) == 2
    assert last.previous == UsageSeal.objects.get(organization_id=one.organization_id, number=1).hash
    assert verify(organization_id=one.organization_id) == verify(
        organization_id=one.organization_id, start=NOON - 5 * HOUR, end=LATER
    )


def test_calls_of_nobody_are_not_sealed() -> None:
    use(make_row(make_stage()))
    assert seal_pending(at=LATER) == 0


def test_hours_that_are_made_anew_are_sealed_again_where_they_differ(settings: Any) -> None:
    settings.USAGE_KEEP_MINUTES_DAYS = 0
    stage, subscription = make_stage(), make_subscription()
    used(stage, subscription)
    used(stage, subscription, at=NOON + HOUR)
    UsageHour.objects.filter(at=NOON).update(calls=5)
    UsageHour.objects.create(
        **UsageHour.objects.filter(at=NOON).values().get() | {"at": NOON + 2 * HOUR, "calls": 7}
    )
    UsageMark.objects.create(organization_id=subscription.organization_id, at=NOON + 2 * HOUR)
    assert seal_pending(at=LATER) == 3
    rebuild(start=NOON, end=LATER)
    assert seal_pending(at=LATER) == 2
    assert seals()[3:] == [(4, NOON, ["3"]), (5, NOON + 2 * HOUR, ["0"])]
    assert verify(organization_id=subscription.organization_id).is_good


def test_a_bill_seals_the_hours_it_is_made_from() -> None:
    stage, one, other = make_stage(), make_subscription(), make_subscription()
    for each in (one, other):
        used(stage, each)
    for _ in range(2):
        heads = seal_heads([one.organization_id, other.organization_id, "nobody"][::2], until=NOON + HOUR)
        assert heads == {one.organization_id: {"number": 1, "hash": UsageSeal.objects.get().hash}}
    assert UsageMark.objects.get().organization_id == other.organization_id


def test_what_a_run_that_died_had_claimed_is_sealed_by_the_next() -> None:
    stage, subscription = make_stage(), make_subscription()
    used(stage, subscription)
    UsageMark.objects.update(claimed=True)
    used(stage, subscription)
    assert UsageMark.objects.count() == 2
    assert seal_pending(at=LATER) == 1
    assert seals() == [(1, NOON, ["6"])]


def test_the_queries_do_not_grow_with_the_hours(django_assert_num_queries: Any) -> None:
    stage = make_stage()
    for number in range(1, 3):
        for _ in range(number):
            subscription = make_subscription()
            for hours in range(number):
                used(stage, subscription, at=NOON + hours * HOUR)
        with django_assert_num_queries(18):
            seal_pending(at=LATER)


@pytest.mark.parametrize(
    "change", ["UPDATE metering_usageseal SET hash = ''", "DELETE FROM metering_usageseal"]
)
def test_the_database_keeps_seals_from_change(change: str) -> None:
    used(make_stage(), make_subscription())
    seal_pending(at=LATER)
    with (
        pytest.raises(IntegrityError, match="never changes"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(change)


@pytest.mark.django_db(transaction=True)
def test_two_at_once_seal_each_hour_once() -> None:
    stage, subscription = make_stage(), make_subscription()
    for hours in range(4):
        used(stage, subscription, at=NOON + hours * HOUR)
    start, written = threading.Barrier(2), []

    def run() -> None:
        start.wait()
        written.append(seal_pending(at=NOON + 4 * HOUR))
        connection.close()

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(written) == 4
    assert [number for number, _, _ in seals()] == [1, 2, 3, 4]
    assert verify(organization_id=subscription.organization_id).is_good
