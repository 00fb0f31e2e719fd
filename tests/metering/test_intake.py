import threading
from dataclasses import fields
from types import SimpleNamespace
from typing import Any

import pytest

from gateway.batches import Row
from metering import announce, intake
from metering.models import UsageBatch, UsageMinute
from tests.factories import make_stage
from tests.metering.factories import make_batch, make_row, send

pytestmark = pytest.mark.django_db


def test_a_batch_is_kept_as_it_came() -> None:
    batch = make_batch(make_row("stage00001", calls=3), refused_unknown=4)
    assert send(batch) is True
    kept = UsageBatch.objects.get()
    assert (kept.node_id, kept.spool, kept.sequence) == ("nodea00001", "spool-a", batch["sequence"])
    assert (kept.calls, kept.refused_unknown, kept.generation) == (3, 4, 7)
    assert kept.node_clock.timestamp() == batch["clock"]
    assert kept.rows == [make_row("stage00001", calls=3)]


def test_rows_of_older_agents_lack_canary_and_cache() -> None:
    row = make_row("stage00001", calls=3)
    older = {name: row[name] for name in row if name not in ("canary", "cache_hits", "cache_misses")}
    assert send(make_batch(older))
    assert UsageBatch.objects.get().rows == [row]


def test_a_repeat_is_already_there() -> None:
    batch = make_batch(make_row("stage00001"))
    assert send(batch)
    assert not send(batch)
    assert UsageBatch.objects.count() == 1


def test_the_same_number_of_another_node_or_spool_is_another_batch() -> None:
    batch = make_batch(make_row("stage00001"))
    assert send(batch)
    assert intake.accept_batch(node_id="nodeb00001", batch=batch)
    assert send(batch | {"spool": "wiped-disk"})
    assert UsageBatch.objects.count() == 3


def test_it_takes_exactly_the_fields_that_nodes_send() -> None:
    assert [field.name for field in fields(Row)] == list(intake._ROW)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"sequence": 0}, "sequence counts from 1"),
        ({"sequence": -1}, "sequence must be a whole number"),
        ({"sequence": "1"}, "sequence must be a whole number"),
        ({"spool": ""}, "spool must be"),
        ({"clock": "noon"}, "clock must be Unix seconds"),
        ({"clock": True}, "clock must be Unix seconds"),
        ({"rows": {}}, "rows must be a list"),
        ({"rows": [1]}, r"rows\[0\]: must be an object"),
        ({"refused_unknown": -1}, "refused_unknown must be"),
        ({"color": "red"}, "the batch has unknown fields: color"),
    ],
)
def test_a_batch_of_the_wrong_shape_is_refused_with_the_reason(change: dict[str, Any], reason: str) -> None:
    with pytest.raises(intake.BadBatch, match=reason):
        send(make_batch() | change)
    assert not UsageBatch.objects.exists()


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"calls": -1}, "calls must be a whole number"),
        ({"calls": True}, "calls must be a whole number"),
        ({"calls": 1.5}, "calls must be a whole number"),
        ({"bytes_out": 2**60}, "bytes_out must be"),
        ({"minute": 61}, "minute must be Unix seconds of a minute's start"),
        ({"status_class": 200}, "status_class must be a number from 1 to 5"),
        ({"stage": 7}, "stage must be a text"),
        ({"latency_counts": [1]}, "latency_counts must be a list of 25"),
        ({"canary": 1}, "canary must be true or false"),
        ({"cache_hits": -1}, "cache_hits must be a whole number"),
        ({"cache_hits": 1, "cache_misses": 1}, "cache_hits and cache_misses must not be more"),
        ({"latency_counts": [0] * 25}, "latency_counts must add up to calls"),
        ({"price": 1}, "the row has unknown fields: price"),
    ],
)
def test_a_row_of_the_wrong_shape_names_its_place(change: dict[str, Any], reason: str) -> None:
    rows = [make_row("stage00001"), make_row("stage00001") | change]
    with pytest.raises(intake.BadBatch, match=rf"rows\[1\]: {reason}"):
        send(make_batch(*rows))


def test_a_missing_field_is_named() -> None:
    batch = make_batch()
    del batch["clock"]
    with pytest.raises(intake.BadBatch, match="the batch lacks clock"):
        send(batch)


def test_texts_that_the_database_cannot_keep_do_not_spoil_the_batch() -> None:
    row = make_row("stage\0\ud800", operation="x" * 5_000)
    assert send(make_batch(row))
    kept = UsageBatch.objects.get().rows[0]
    assert kept["stage"] == "stage??"
    assert len(kept["operation"]) == 80


def test_an_accepted_batch_is_added_up_after_commit(django_capture_on_commit_callbacks: Any) -> None:
    stage = make_stage()
    with django_capture_on_commit_callbacks(execute=True):
        send(make_batch(make_row(stage, calls=2)))
    assert UsageMinute.objects.get().calls == 2


def test_a_dead_broker_neither_fails_nor_delays_the_intake(monkeypatch: pytest.MonkeyPatch) -> None:
    asked, go_on = threading.Event(), threading.Event()

    def publish() -> None:
        asked.set()
        go_on.wait(5)
        raise ConnectionError("no broker")

    not_eager = SimpleNamespace(conf=SimpleNamespace(task_always_eager=False))
    monkeypatch.setattr(announce, "current_app", not_eager)
    monkeypatch.setattr(announce.process_batches, "delay", publish)
    announcer = announce._Announcer()
    monkeypatch.setattr(announce, "_announcer", announcer)
    announce.announce()  # returns although publishing hangs
    assert asked.wait(5)
    asked.clear()
    announce.announce()
    go_on.set()
    assert asked.wait(5), "the thread outlives the broker's failure"
