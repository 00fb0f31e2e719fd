from dataclasses import replace
from datetime import UTC, timedelta
from typing import Any, get_args
from zoneinfo import ZoneInfo

import pytest
from django.utils.timezone import now

from accounts.errors import Refused
from apis.models import Stage
from metering import queries
from metering.models import UsageBatch
from metering.queries import Quantity, Scope, Span, Summary
from tests.factories import (
    make_api,
    make_application,
    make_key,
    make_operation,
    make_organization,
    make_plan,
    make_stage,
    make_subscription,
    make_version,
)
from tests.metering.factories import NOON, in_bucket, make_batch, make_row, send, use

pytestmark = pytest.mark.django_db

HOUR = Span(NOON, NOON + timedelta(hours=1))
NOTHING = Summary(0, 0, 0, 0, 0, 0, None, None, None, None)


def provider_of(stage: Stage) -> Scope:
    return Scope(provider=stage.organization_id)


def test_a_summary_tells_accepted_refused_and_failed_calls_apart() -> None:
    stage = make_stage()
    slow = {"latency_counts": in_bucket(300, 10), "latency_ms": 3_000}
    use(
        make_row(stage, calls=80),
        make_row(stage, calls=10, status_class=4, verdict="THROTTLED", bytes_out=0, bytes_in=0),
        make_row(stage, calls=10, status_class=5, verdict="INTEGRATION_TIMEOUT", **slow),
    )
    found = queries.summary(scope=provider_of(stage), span=HOUR)
    assert (found.calls, found.accepted, found.errors_4xx, found.errors_5xx) == (100, 90, 10, 10)
    assert (found.bytes_out, found.bytes_in) == (90_000, 9_000)
    assert found.average == (80 * 12 + 10 * 12 + 3_000) / 100
    assert found.integration_average == 10
    assert found.p50 is not None
    assert 10 < found.p50 < 15
    assert found.p90 == 15
    assert found.p99 == 200 + 100 * 9 / 10


def test_canary_and_base_are_told_apart_and_the_bill_counts_both() -> None:
    stage = make_stage()
    subscription = make_subscription()
    mine = {"subscription": subscription.pk}
    use(
        make_row(stage, calls=90, **mine),
        make_row(stage, calls=8, canary=True, **mine),
        make_row(stage, calls=2, canary=True, status_class=5, verdict="INTEGRATION_FAILURE", **mine),
    )
    parts = queries.breakdown(scope=provider_of(stage), span=HOUR, by="canary")
    found = [(part.key, part.name, part.totals.calls, part.totals.errors_5xx) for part in parts]
    assert found == [("base", "Base", 90, 0), ("canary", "Canary", 10, 2)]
    billed = queries.quantities(subscription_ids=[subscription.pk], start=HOUR.start, end=HOUR.end)
    assert billed[subscription.pk].calls == 100


def test_the_rate_of_hits_is_of_the_calls_that_looked_into_the_cache() -> None:
    stage = make_stage()
    use(make_row(stage, calls=10, cache_hits=6, cache_misses=2))
    found = queries.summary(scope=provider_of(stage), span=HOUR)
    assert (found.cache_hits, found.cache_looks, found.cache_hit_rate) == (6, 8, 0.75)
    assert queries.summary(scope=Scope(provider="nobody0001"), span=HOUR).cache_hit_rate is None


def test_without_calls_everything_is_zero() -> None:
    assert queries.summary(scope=Scope(provider="nobody0001"), span=HOUR) == NOTHING
    assert queries.breakdown(scope=Scope(provider="nobody0001"), span=HOUR, by="api") == []


def test_a_span_begins_with_its_first_minute_and_ends_before_its_last() -> None:
    stage = make_stage()
    for minute, calls in ((-1, 1), (0, 2), (59, 4), (60, 8)):
        use(make_row(stage, calls=calls, minute=NOON + timedelta(minutes=minute)))
    assert queries.summary(scope=provider_of(stage), span=HOUR).calls == 6


def test_a_long_span_counts_the_same_calls_as_its_minutes() -> None:
    stage = make_stage()
    start = NOON - timedelta(days=3, minutes=7)
    use(*(make_row(stage, minute=start + timedelta(minutes=n * 97)) for n in range(50)))
    whole = queries.summary(scope=provider_of(stage), span=Span(start, start + timedelta(minutes=50 * 97)))
    assert whole.calls == 50
    part = Span(start + timedelta(minutes=97 * 10), start + timedelta(minutes=97 * 40))
    assert queries.summary(scope=provider_of(stage), span=part).calls == 30


def test_a_series_fills_its_gaps_with_zeros() -> None:
    stage = make_stage()
    use(make_row(stage, calls=2), make_row(stage, calls=3, minute=NOON + timedelta(minutes=3)))
    found = queries.series(scope=provider_of(stage), span=Span(NOON, NOON + timedelta(minutes=5)))
    assert [bucket.calls for bucket in found] == [2, 0, 0, 3, 0]
    assert [bucket.at for bucket in found] == [NOON + timedelta(minutes=n) for n in range(5)]
    assert found[0].p50 is not None
    assert found[1].p50 is None


@pytest.mark.parametrize(
    ("length", "asked", "step"),
    [
        (timedelta(hours=1), None, timedelta(minutes=1)),
        (timedelta(days=1), None, timedelta(hours=1)),
        (timedelta(days=30), None, timedelta(days=1)),
        (timedelta(days=1), "minute", timedelta(minutes=1)),
        (timedelta(days=30), "minute", timedelta(hours=1)),
        (timedelta(days=365), "minute", timedelta(days=1)),
    ],
)
def test_the_step_fits_the_span(length: timedelta, asked: Any, step: timedelta) -> None:
    span = Span(NOON - length, NOON)
    found = queries.series(scope=Scope(provider="nobody0001"), span=span, step=asked)
    assert found[1].at - found[0].at == step
    assert found[0].at <= span.start
    assert found[-1].at < span.end <= found[-1].at + step


def test_a_series_that_is_too_long_is_refused() -> None:
    with pytest.raises(Refused, match="at most 1500 days"):
        queries.series(scope=Scope(provider="x"), span=Span(NOON - timedelta(days=4_000), NOON))


def test_a_breakdown_names_its_parts_and_puts_the_largest_first() -> None:
    api = make_api(name="Weather")
    version = make_version(api, name="v1")
    stage = make_stage(version)
    operation = make_operation(version, method="GET", path="/today")
    subscription = make_subscription(make_application(make_organization(name="Ice Cream Ltd"), name="Cone"))
    key, _ = make_key(subscription.application, name="Main key")
    ids = {"subscription": subscription.pk, "key": key.pk, "operation": operation.pk}
    use(
        make_row(stage, calls=5, **ids),
        make_row(stage, calls=2, status_class=4, verdict="MISSING_AUTHENTICATION_TOKEN"),
    )
    scope = provider_of(stage)

    def named(by: Any) -> list[tuple[str, int]]:
        return [(part.name, part.totals.calls) for part in queries.breakdown(scope=scope, span=HOUR, by=by)]

    assert named("api") == [("Weather", 7)]
    assert named("version") == [("Weather v1", 7)]
    assert named("stage") == [("Weather v1 · live", 7)]
    assert named("operation") == [("GET /today", 5), ("No operation matched", 2)]
    assert named("key") == [(str(key), 5), ("No known key", 2)]
    assert named("application") == [("Cone", 5), ("No known application", 2)]
    assert named("developer") == [("Ice Cream Ltd", 5), ("No known developer", 2)]
    assert named("status") == [("2xx", 5), ("4xx", 2)]
    assert named("verdict") == [("Accepted", 5), ("MISSING_AUTHENTICATION_TOKEN", 2)]


def test_a_breakdown_is_bounded_and_what_was_deleted_keeps_its_id() -> None:
    stage = make_stage()
    use(*(make_row(stage, operation=f"gone{n}", calls=n) for n in range(1, 6)))
    found = queries.breakdown(scope=provider_of(stage), span=HOUR, by="operation", limit=2)
    assert [(part.key, part.name) for part in found] == [("gone5", "gone5"), ("gone4", "gone4")]


@pytest.mark.parametrize("by", get_args(queries.Dimension))
@pytest.mark.parametrize("count", [1, 3])
def test_a_breakdown_asks_two_queries_at_most(
    by: Any, count: int, django_assert_max_num_queries: Any
) -> None:
    provider = make_organization()
    for _ in range(count):
        stage = make_stage(make_version(make_api(provider)))
        subscription = make_subscription()
        key, _ = make_key(subscription.application)
        operation = make_operation(stage.version)
        use(make_row(stage, subscription=subscription.pk, key=key.pk, operation=operation.pk))
    with django_assert_max_num_queries(2):
        assert queries.breakdown(scope=Scope(provider=provider.pk), span=HOUR, by=by)


def test_summary_series_and_quantities_ask_one_query(django_assert_num_queries: Any) -> None:
    span = Span(NOON - timedelta(days=40, minutes=5), NOON + timedelta(minutes=5))
    scope = Scope(developer="nobody0001")
    for ask in (
        lambda: queries.summary(scope=scope, span=span),
        lambda: queries.series(scope=scope, span=span),
        lambda: queries.quantities(subscription_ids=["a", "b"], start=span.start, end=span.end),
        queries.seconds_behind,
    ):
        with django_assert_num_queries(1):
            ask()


def test_one_organization_never_sees_anothers_usage() -> None:
    alices, charlies = make_organization(name="Alice's"), make_organization(name="Charlie's")
    sold = make_stage(make_version(make_api(alices)))
    bought = make_subscription(make_application(charlies), make_plan(sold))
    others = make_stage()
    use(
        make_row(sold, subscription=bought.pk, calls=3),
        make_row(others, subscription=make_subscription().pk, calls=100),
    )
    for owner, other_side in (
        (Scope(provider=alices.pk), Scope(developer=alices.pk)),
        (Scope(developer=charlies.pk), Scope(provider=charlies.pk)),
    ):
        assert queries.summary(scope=owner, span=HOUR).calls == 3
        assert sum(bucket.calls for bucket in queries.series(scope=owner, span=HOUR)) == 3
        assert queries.summary(scope=other_side, span=HOUR) == NOTHING
        for by in get_args(queries.Dimension):
            parts = queries.breakdown(scope=owner, span=HOUR, by=by)
            assert [part.totals.calls for part in parts] == [3]
            assert queries.breakdown(scope=other_side, span=HOUR, by=by) == []
    # an id of somebody else's, put into one's own scope, opens nothing
    for stolen in ({"api": others.version.api_id}, {"stage": others.pk}, {"version": others.version_id}):
        assert queries.summary(scope=replace(Scope(provider=alices.pk), **stolen), span=HOUR) == NOTHING


def test_a_scope_that_names_nobody_is_an_error() -> None:
    with pytest.raises(ValueError, match="needs a provider or a developer"):
        queries.summary(scope=Scope(api="someapi001"), span=HOUR)
    assert queries.summary(scope=Scope(everyone=True), span=HOUR) == NOTHING


@pytest.mark.parametrize(
    "field", ["api", "version", "stage", "operation", "application", "subscription", "key"]
)
def test_a_scope_narrows_by_each_of_its_ids(field: str) -> None:
    provider = make_organization()
    ids = []
    for calls in (3, 5):
        stage = make_stage(make_version(make_api(provider)))
        subscription = make_subscription()
        key, _ = make_key(subscription.application)
        operation = make_operation(stage.version)
        use(make_row(stage, subscription=subscription.pk, key=key.pk, operation=operation.pk, calls=calls))
        ids.append(
            {
                "api": stage.version.api_id,
                "version": stage.version_id,
                "stage": stage.pk,
                "operation": operation.pk,
                "application": subscription.application_id,
                "subscription": subscription.pk,
                "key": key.pk,
            }[field]
        )
    calls = [queries.summary(scope=Scope(provider=provider.pk, **{field: pk}), span=HOUR).calls for pk in ids]
    assert calls == [3, 5]


def test_quantities_are_the_billable_calls_of_each_subscription() -> None:
    stage = make_stage()
    one, other, idle = make_subscription(), make_subscription(), make_subscription()
    use(
        make_row(stage, subscription=one.pk, calls=7),
        make_row(stage, subscription=one.pk, calls=2, status_class=5, verdict="INTEGRATION_FAILURE"),
        make_row(stage, subscription=one.pk, calls=1, status_class=5, verdict="INTEGRATION_TIMEOUT"),
        make_row(stage, subscription=one.pk, calls=50, status_class=4, verdict="THROTTLED"),
        make_row(stage, subscription=one.pk, calls=60, status_class=4, verdict="QUOTA_EXCEEDED"),
        make_row(stage, subscription=other.pk, calls=4),
    )
    found = queries.quantities(subscription_ids=[one.pk, other.pk, idle.pk], start=HOUR.start, end=HOUR.end)
    assert found == {one.pk: Quantity(10, 10_000), other.pk: Quantity(4, 4_000), idle.pk: Quantity(0, 0)}


def test_billable_verdicts_are_those_that_the_gate_calls_accepted() -> None:
    import json
    from pathlib import Path

    import gateway

    verdicts = json.loads((Path(gateway.__file__).parent / "verdicts.json").read_text())
    accepted = {name for name, verdict in verdicts.items() if verdict["accepted"]}
    assert {"", *accepted} == set(queries.BILLABLE_VERDICTS)


@pytest.mark.parametrize("zone", ["Europe/Berlin", "Asia/Kolkata", "America/St_Johns", "Pacific/Auckland"])
def test_a_month_of_any_time_zone_is_billed_to_the_minute(zone: str) -> None:
    start = NOON.astimezone(ZoneInfo(zone)).replace(month=3, day=1, hour=0)
    end = start.replace(month=4)
    stage, subscription = make_stage(), make_subscription()
    minute = timedelta(minutes=1)
    moments = [start.astimezone(UTC) - minute, start, end.astimezone(UTC) - minute, end]
    for at, calls in zip(moments, (1, 2, 4, 8), strict=True):
        use(make_row(stage, subscription=subscription.pk, calls=calls, minute=at))
    found = queries.quantities(subscription_ids=[subscription.pk], start=start, end=end)
    assert found[subscription.pk].calls == 6


def test_seconds_behind_is_the_age_of_the_oldest_batch_that_waits() -> None:
    assert queries.seconds_behind() == 0
    send(make_batch(make_row(make_stage())))
    UsageBatch.objects.update(received_at=now() - timedelta(seconds=30))
    assert 30 <= queries.seconds_behind() < 60
