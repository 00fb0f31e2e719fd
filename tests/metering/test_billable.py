from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from metering.billable import UsageSpan, billable, billable_in, gib
from metering.models import UsageDay, UsageHour
from tests.factories import make_stage, make_subscription
from tests.metering.factories import NOON, make_row, use

pytestmark = pytest.mark.django_db

GIB = 2**30
HOUR = timedelta(hours=1)


def calls(stage: Any, number: int) -> dict[tuple[str, str], Decimal]:
    """So many small calls, as each of the meters counts them."""
    meters = ("requests", "http_requests", "stream_requests")
    return {(stage.version.api_id, meter): Decimal(number) for meter in meters}


def test_units_are_told_apart_by_subscription_api_and_meter() -> None:
    first, second = make_stage(), make_stage()
    one, other, idle = make_subscription(), make_subscription(), make_subscription()
    use(
        make_row(first, subscription=one.pk, calls=3, bytes_out=3 * GIB, bytes_in=GIB // 2),
        make_row(second, subscription=one.pk, calls=5, bytes_out=0, bytes_in=1),
        make_row(first, subscription=other.pk, calls=7, bytes_out=0, bytes_in=0),
        make_row(first, calls=100),
    )
    pks = [one.pk, other.pk, idle.pk]
    assert billable(subscription_ids=pks, start=NOON, end=NOON + HOUR) == {
        one.pk: {
            **calls(first, 3),
            (first.version.api_id, "bytes_out"): Decimal(3),
            (first.version.api_id, "bytes_in"): Decimal("0.5"),
            **calls(second, 5),
            (second.version.api_id, "bytes_in"): Decimal("0.000000000931"),
        },
        other.pk: calls(first, 7),
        idle.pk: {},
    }


def test_refused_calls_are_not_billed_and_failed_ones_are() -> None:
    stage, subscription = make_stage(), make_subscription()
    mine = {"subscription": subscription.pk, "bytes_out": 0, "bytes_in": 0}
    use(
        make_row(stage, calls=80, **mine),
        make_row(stage, calls=10, status_class=4, verdict="THROTTLED", **mine),
        make_row(stage, calls=1, status_class=5, verdict="INTEGRATION_TIMEOUT", **mine),
        make_row(stage, calls=9, canary=True, **mine),
    )
    found = billable(subscription_ids=[subscription.pk], start=NOON, end=NOON + HOUR)
    assert found == {subscription.pk: calls(stage, 90)}


def test_each_span_of_a_subscription_has_the_minutes_that_begin_in_it() -> None:
    stage, subscription = make_stage(), make_subscription()
    mine = {"subscription": subscription.pk, "bytes_out": 0, "bytes_in": 0}
    cut = NOON + timedelta(minutes=30)
    use(
        make_row(stage, minute=NOON, calls=1, **mine),
        make_row(stage, minute=cut - timedelta(minutes=1), calls=2, **mine),
        make_row(stage, minute=cut, calls=4, **mine),
        make_row(stage, minute=NOON + 40 * HOUR, calls=8, **mine),
    )
    spans = [
        UsageSpan(subscription.pk, NOON, cut),
        UsageSpan(subscription.pk, cut, NOON + 90 * HOUR),
        UsageSpan(subscription.pk, NOON + 90 * HOUR, NOON + 91 * HOUR),
    ]
    assert billable_in(spans) == [calls(stage, 3), calls(stage, 12), {}]


def test_a_month_of_another_zone_is_exact_at_both_ends() -> None:
    stage, subscription = make_stage(), make_subscription()
    start, end = datetime(2026, 9, 30, 18, 30, tzinfo=UTC), datetime(2026, 10, 31, 18, 30, tzinfo=UTC)
    minute = timedelta(minutes=1)
    moments = (start - minute, start, start + 200 * HOUR, end - minute, end)
    mine = {"subscription": subscription.pk, "bytes_out": 0, "bytes_in": 0}
    for number, at in enumerate(moments):
        use(make_row(stage, minute=at, calls=10**number, **mine))
    found = billable(subscription_ids=[subscription.pk], start=start, end=end)
    assert found == {subscription.pk: calls(stage, 1110)}


def test_many_spans_ask_few_queries_and_whole_days_are_read_from_days(django_assert_num_queries: Any) -> None:
    stage = make_stage()
    subscriptions = [make_subscription() for _ in range(3)]
    for each in subscriptions:
        use(make_row(stage, subscription=each.pk, calls=2, bytes_out=0, bytes_in=0))
    UsageHour.objects.all().delete()
    day = UsageDay.objects.first().at
    spans = [
        UsageSpan(each.pk, day, day + timedelta(days=1 + n, hours=n)) for n, each in enumerate(subscriptions)
    ]
    with django_assert_num_queries(3):
        found = billable_in(spans)
    assert found == [calls(stage, 2)] * 3
    with django_assert_num_queries(0):
        assert billable_in([]) == []


def test_large_calls_are_several_units() -> None:
    stage, subscription = make_stage(), make_subscription()
    use(make_row(stage, subscription=subscription.pk, calls=3, http_requests=27, stream_requests=4))
    found = billable(subscription_ids=[subscription.pk], start=NOON, end=NOON + HOUR)[subscription.pk]
    meters = ("requests", "http_requests", "stream_requests")
    assert [found[stage.version.api_id, meter] for meter in meters] == [3, 27, 4]


def test_a_gib_tells_every_byte_apart() -> None:
    assert gib(GIB) == 1
    assert gib(128_849_018_880) == 120
    assert gib(10**15) < gib(10**15 + 1)
