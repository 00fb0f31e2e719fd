import threading
from datetime import timedelta
from typing import Any

import pytest
from django.db import DataError, connection
from django.db.models import Sum

from accounts.ids import short_id
from metering import last_used, records, rollup
from metering.models import UsageBatch, UsageDay, UsageHour, UsageMinute
from metering.rollup import process_pending
from tests.factories import make_application, make_key, make_stage, make_subscription
from tests.metering.factories import NOON, in_bucket, make_batch, make_row, send, use

TABLES = (UsageMinute, UsageHour, UsageDay)


def calls_in_tables() -> list[int]:
    return [table.objects.aggregate(calls=Sum("calls"))["calls"] or 0 for table in TABLES]


@pytest.mark.django_db
def test_a_batch_becomes_minutes_hours_and_days() -> None:
    stage = make_stage()
    use(
        make_row(stage, calls=2),
        make_row(stage, calls=3, minute=NOON + timedelta(minutes=1)),
        make_row(stage, calls=5, minute=NOON + timedelta(hours=1)),
    )
    for table, expected in (
        (UsageMinute, [(NOON, 2), (NOON + timedelta(minutes=1), 3), (NOON + timedelta(hours=1), 5)]),
        (UsageHour, [(NOON, 5), (NOON + timedelta(hours=1), 5)]),
        (UsageDay, [(NOON.replace(hour=0), 10)]),
    ):
        assert list(table.objects.order_by("at").values_list("at", "calls")) == expected
    day = UsageDay.objects.get()
    assert (day.bytes_out, day.bytes_in, day.latency_ms, day.integration_ms) == (10_000, 1_000, 120, 100)
    assert day.latency_counts == in_bucket(12, 10)


@pytest.mark.django_db
def test_a_later_batch_adds_to_the_same_record() -> None:
    stage = make_stage()
    use(make_row(stage, calls=2, latency_counts=in_bucket(12, 2)))
    use(make_row(stage, calls=3, latency_counts=in_bucket(400, 3)))
    minute = UsageMinute.objects.get()
    assert minute.calls == 5
    both = zip(in_bucket(12, 2), in_bucket(400, 3), strict=True)
    assert minute.latency_counts == [one + other for one, other in both]


@pytest.mark.django_db
def test_a_canary_has_records_of_its_own_and_cache_counts_add_up() -> None:
    stage = make_stage()
    use(make_row(stage, calls=5, cache_hits=2, cache_misses=1), make_row(stage, calls=3, canary=True))
    use(make_row(stage, calls=4, cache_hits=1), make_row(stage, calls=1, canary=True, cache_misses=1))
    for table in TABLES:
        found = table.objects.order_by("canary").values_list("canary", "calls", "cache_hits", "cache_misses")
        assert list(found) == [(False, 9, 3, 1), (True, 4, 0, 1)]


@pytest.mark.django_db
def test_a_batch_kept_before_an_update_is_added_up_after_it() -> None:
    stage = make_stage()
    row = make_row(stage, calls=3)
    for name in ("canary", "cache_hits", "cache_misses", "http_requests", "stream_requests"):
        del row[name]
    send(make_batch())
    UsageBatch.objects.update(rows=[row], calls=3)
    process_pending()
    assert calls_in_tables() == [3, 3, 3]
    minute = UsageMinute.objects.get()
    assert (minute.canary, minute.http_requests, minute.stream_requests) == (False, 3, 3)


@pytest.mark.django_db
def test_a_record_knows_who_is_behind_its_ids() -> None:
    stage = make_stage()
    subscription = make_subscription()
    key, _ = make_key(subscription.application)
    use(make_row(stage, subscription=subscription.pk, key=key.pk))
    record = UsageMinute.objects.get()
    assert record.organization_id == stage.organization_id
    assert (record.api_id, record.version_id) == (stage.version.api_id, stage.version_id)
    assert record.developer_id == subscription.organization_id
    assert record.application_id == subscription.application_id


@pytest.mark.django_db
def test_a_refused_call_of_a_key_without_a_plan_belongs_to_its_developer() -> None:
    key, _ = make_key(make_application())
    use(make_row(make_stage(), key=key.pk, status_class=4, verdict="ACCESS_DENIED"))
    assert UsageMinute.objects.get().developer_id == key.organization_id


@pytest.mark.django_db
def test_rows_that_name_unknown_things_are_rejected_and_the_others_count() -> None:
    stage = make_stage()
    future = NOON.replace(year=2099)
    bad = [
        (make_row("nostage001"), "unknown stage 'nostage001'"),
        (make_row(stage, subscription="nobody0001"), "unknown subscription 'nobody0001'"),
        (make_row(stage, subscription='a","b'), """unknown subscription 'a","b'"""),
        (make_row(stage, key="{}"), "unknown key '{}'"),
        (make_row(stage, key="nokey00001"), "unknown key 'nokey00001'"),
        (make_row(stage, operation="x" * 11), "unknown operation 'xxxxxxxxxxx'"),
        (make_row(stage, verdict="so-so"), "'so-so' is not a verdict"),
        (make_row(stage, minute=future), "its minute lies in the future; the node's clock is wrong"),
        (
            make_row(stage, minute=NOON - timedelta(days=5, minutes=1)),
            "its minute is more than 35 days past; such late counts are not taken",
        ),
    ]
    rows = make_row(stage, calls=2), *(row for row, _ in bad), make_row(stage, calls=5)
    use(*rows, at=NOON + timedelta(days=30))
    batch = UsageBatch.objects.get()
    assert batch.rejected == [{"row": row, "reason": reason} for row, reason in bad]
    assert (batch.calls, batch.aggregated) == (16, 7)
    assert batch.calls == batch.aggregated + sum(each["row"]["calls"] for each in batch.rejected)
    assert calls_in_tables() == [7, 7, 7]


@pytest.mark.django_db
def test_a_batch_sent_twice_counts_once() -> None:
    batch = make_batch(make_row(make_stage(), calls=4))
    for _ in range(2):
        send(batch)
        process_pending()
    assert calls_in_tables() == [4, 4, 4]


@pytest.mark.django_db
def test_processing_again_adds_nothing() -> None:
    use(make_row(make_stage(), calls=4))
    assert process_pending() == 0
    assert calls_in_tables() == [4, 4, 4]


@pytest.mark.django_db
@pytest.mark.parametrize("place", ["hours", "marking"])
def test_a_worker_that_dies_in_between_leaves_nothing_half_done(
    place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    send(make_batch(make_row(make_stage(), calls=4)))

    def die(*_: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        if place == "hours":
            statement = records._statement
            patched.setattr(
                records,
                "_statement",
                lambda table, seconds: die() if table is UsageHour else statement(table, seconds),
            )
        else:
            patched.setattr(rollup, "_mark", die)
        with pytest.raises(KeyboardInterrupt):
            process_pending()
    assert calls_in_tables() == [0, 0, 0]
    assert process_pending() == 1
    assert calls_in_tables() == [4, 4, 4]


@pytest.mark.django_db
def test_a_batch_that_cannot_be_stored_does_not_hold_up_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    stage = make_stage()
    for calls in (1, 666, 3):
        send(make_batch(make_row(stage, calls=calls)))
    stage_rows = records._stage

    def picky(cursor: Any, rows: list[records.Row]) -> None:
        calls = records.COLUMNS.index("calls")
        if any(row[calls] >= 666 for row in rows):
            raise DataError("out of range")
        stage_rows(cursor, rows)

    monkeypatch.setattr(records, "_stage", picky)
    assert process_pending() == 3
    assert calls_in_tables() == [4, 4, 4]
    reasons = [batch.rejected for batch in UsageBatch.objects.filter(calls=666)]
    assert [each["reason"] for each in reasons[0]] == ["cannot be stored: out of range"]
    assert not UsageBatch.objects.filter(processed_at__isnull=True).exists()


def in_threads(work: Any, count: int) -> None:
    errors: list[Exception] = []

    def run() -> None:
        try:
            work()
        except Exception as error:  # noqa: BLE001 -- the main thread asserts on it
            errors.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []


@pytest.mark.django_db(transaction=True)
def test_four_workers_at_once_count_each_batch_once() -> None:
    stages = [make_stage() for _ in range(5)]
    sent = 0
    for number in range(40):
        # the rows of the batches overlap and come in different orders
        chosen = stages if number % 2 else stages[::-1]
        UsageBatch.objects.create(
            node_id="nodea00001",
            spool="spool-a",
            sequence=number + 1,
            node_clock=NOON,
            received_at=NOON,
            rows=[make_row(stage, calls=number + 1) for stage in chosen],
            calls=5 * (number + 1),
        )
        sent += 5 * (number + 1)
    in_threads(lambda: process_pending(limit=3), 4)
    assert calls_in_tables() == [sent, sent, sent]
    assert not UsageBatch.objects.filter(processed_at__isnull=True).exists()


@pytest.mark.django_db(transaction=True)
def test_the_same_batch_sent_by_four_threads_at_once_is_accepted_once() -> None:
    batch = make_batch(make_row(make_stage(), calls=4))
    answers: list[bool] = []
    in_threads(lambda: answers.append(send(dict(batch))), 4)
    assert sorted(answers) == [False, False, False, True]
    process_pending()
    assert calls_in_tables() == [4, 4, 4]


@pytest.mark.django_db
def test_a_key_was_last_used_in_its_newest_minute() -> None:
    stage = make_stage()
    key, _ = make_key()
    later = NOON + timedelta(minutes=5)
    use(make_row(stage, key=key.pk, minute=later), make_row(stage, key=key.pk))
    key.refresh_from_db()
    assert key.last_used_at == later
    use(make_row(stage, key=key.pk))
    key.refresh_from_db()
    assert key.last_used_at == later


@pytest.mark.django_db
def test_a_key_is_written_once_a_minute_at_most(django_assert_num_queries: Any) -> None:
    key, _ = make_key()
    use = (key.pk, int(NOON.timestamp()))
    last_used.note([use])
    type(key).objects.filter(pk=key.pk).update(last_used_at=NOON)
    before = _version_of(key.pk)
    last_used.note([use])
    assert _version_of(key.pk) == before
    with django_assert_num_queries(0):
        last_used.note([("", 60)])


def _version_of(pk: str) -> str:
    """PostgreSQL's own number of the row's version."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT ctid::text FROM access_apikey WHERE id = %s", [pk])
        return str(cursor.fetchone()[0])


@pytest.mark.django_db
@pytest.mark.parametrize("count", [1, 3])
def test_many_rows_cost_as_many_queries_as_one(count: int, django_assert_num_queries: Any) -> None:
    stages = [make_stage() for _ in range(count)]
    rows = [make_row(stage, operation=short_id()) for stage in stages]
    send(make_batch(*rows))
    # two rounds (the second finds nothing), however many rows there are
    with django_assert_num_queries(QUERIES):
        process_pending()


QUERIES = 16
