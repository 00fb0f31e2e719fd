from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.db.models import Sum

from metering import partitions
from metering.models import UsageDay, UsageHour, UsageMinute
from metering.queries import quantities
from tests.factories import make_stage, make_subscription
from tests.metering.factories import NOON, make_row, use

pytestmark = pytest.mark.django_db
RECORDS = MINUTES, HOURS, DAYS = partitions.KINDS[:3]


def calls_in(table: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT coalesce(sum(calls), 0)::bigint FROM {table}")  # noqa: S608
        return int(cursor.fetchone()[0])


def test_partitions_are_made_ahead_once() -> None:
    made, dropped = partitions.maintain(at=NOON)
    assert (len(partitions.partitions(MINUTES)), dropped) == (8, [])
    assert next(iter(partitions.partitions(MINUTES))) == "metering_usageminute_20261118"
    assert list(partitions.partitions(HOURS)) == [
        "metering_usagehour_202611",
        "metering_usagehour_202612",
        "metering_usagehour_202701",
    ]
    assert list(partitions.partitions(DAYS)) == ["metering_usageday_2026", "metering_usageday_2027"]
    assert len(made) == 16
    assert partitions.maintain(at=NOON) == ([], [])
    next_day, _ = partitions.maintain(at=NOON + timedelta(days=1))
    assert next_day == ["metering_usageminute_20261126", "metering_requestline_20261121"]


def test_counts_of_a_time_without_a_partition_are_kept_and_moved_where_they_belong() -> None:
    stage = make_stage()
    late = NOON - timedelta(days=30)
    use(make_row(stage, calls=2, minute=late), make_row(stage, calls=3))
    assert [calls_in(kind.rest) for kind in RECORDS] == [5, 5, 5]
    made, _ = partitions.maintain(at=NOON)
    assert {"metering_usageminute_20261019", "metering_usagehour_202610"} <= set(made)
    assert [calls_in(kind.rest) for kind in RECORDS] == [0, 0, 0]
    assert calls_in("metering_usageminute_20261019") == 2
    use(make_row(stage, calls=4, minute=late))
    assert calls_in("metering_usageminute_20261019") == 6
    for table in (UsageMinute, UsageHour, UsageDay):
        assert table.objects.aggregate(calls=Sum("calls"))["calls"] == 9


def test_old_partitions_are_dropped_by_the_settings(settings) -> None:
    settings.USAGE_KEEP_MINUTES_DAYS, settings.USAGE_KEEP_HOURS_DAYS = 45, 396
    use(make_row(make_stage(), calls=2))
    partitions.maintain(at=NOON)
    # November's minutes stay for 45 days after its end
    _, dropped = partitions.maintain(at=datetime(2027, 1, 14, 23, tzinfo=UTC))
    assert [name for name in dropped if "requestline" not in name] == []
    _, dropped = partitions.maintain(at=datetime(2027, 1, 15, tzinfo=UTC))
    assert "metering_usageminute_20261118" in dropped
    assert (calls_in("metering_usageminute"), calls_in("metering_usagehour")) == (0, 2)
    _, dropped = partitions.maintain(at=datetime(2028, 3, 1, tzinfo=UTC))
    assert "metering_usagehour_202611" in dropped
    assert (calls_in("metering_usagehour"), calls_in("metering_usageday")) == (0, 2)


def test_a_month_can_be_billed_anew_while_late_counts_of_it_are_taken(settings) -> None:
    settings.USAGE_KEEP_MINUTES_DAYS = 45
    # November in India begins at 18:30 UTC of the last day of October
    start, end = datetime(2026, 10, 31, 18, 30, tzinfo=UTC), datetime(2026, 11, 30, 18, 30, tzinfo=UTC)
    subscription, stage = make_subscription(), make_stage()
    minutes = [start - timedelta(minutes=1), start, end - timedelta(minutes=1), end]
    use(*(make_row(stage, subscription=subscription.pk, minute=at) for at in minutes))
    last_late = end + timedelta(days=35, hours=12)
    partitions.maintain(at=last_late)
    assert quantities(subscription_ids=[subscription.pk], start=start, end=end)[subscription.pk].calls == 2


def test_old_counts_in_the_rest_are_dropped_too(settings) -> None:
    settings.USAGE_KEEP_MINUTES_DAYS = 45
    use(make_row(make_stage(), calls=2))
    partitions.maintain(at=NOON + timedelta(days=200))
    assert (calls_in("metering_usageminute"), calls_in("metering_usageday")) == (0, 2)
