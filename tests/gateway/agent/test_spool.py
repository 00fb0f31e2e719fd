import json

import pytest

from gateway.agent import files
from gateway.agent.spool import Damaged, Spool
from gateway.agent.usage_log import Position
from gateway.batches import Row

ROW = Row(1763889120, "s", "k", "st", "op", 2, "", 1, 2, 3, 4, 5, [1], http_requests=1, stream_requests=1)


def position(offset):
    return Position("journal", offset)


def opened(folder):
    spool = Spool(folder / "spool")
    spool.open()
    return spool


def add(spool, offset):
    return spool.add([ROW], 3, position(offset), generation=9)


def test_a_batch_is_posted_as_the_contract_says(folder):
    spool = opened(folder)
    assert add(spool, 10) == 1
    batch = json.loads(spool.body(1))
    clock = batch.pop("clock")
    assert clock == pytest.approx(spool.oldest_clock(), abs=5)
    row = {
        "minute": 1763889120,
        "subscription": "s",
        "key": "k",
        "stage": "st",
        "operation": "op",
        "status_class": 2,
        "verdict": "",
        "calls": 1,
        "bytes_out": 2,
        "bytes_in": 3,
        "latency_ms": 4,
        "integration_ms": 5,
        "latency_counts": [1],
        "canary": False,
        "cache_hits": 0,
        "cache_misses": 0,
        "http_requests": 1,
        "stream_requests": 1,
    }
    assert batch == {
        "spool": spool.id,
        "sequence": 1,
        "generation": 9,
        "rows": [row],
        "refused_unknown": 3,
    }


def test_a_restart_goes_on_behind_the_highest_batch(folder):
    first = opened(folder)
    add(first, 10)
    add(first, 20)
    again = opened(folder)
    assert (again.id, again.sequence, again.position) == (first.id, 2, position(20))
    assert again.pending() == [1, 2]


def test_the_checkpoint_outlives_its_batch(folder):
    first = opened(folder)
    for offset in (10, 20):
        add(first, offset)
    for sequence in (1, 2):
        first.delivered(sequence)
    again = opened(folder)
    assert (again.sequence, again.position, again.pending()) == (2, position(20), [])
    assert add(again, 30) == 3


def test_a_checkpoint_without_a_batch_wins_over_the_batch_before_it(folder):
    first = opened(folder)
    add(first, 10)
    first.move_on(position(0))
    assert opened(folder).position == position(0)


def test_another_folder_is_another_spool(folder):
    assert opened(folder / "a").id != opened(folder / "b").id


def test_a_full_disk_changes_nothing(folder, monkeypatch):
    spool = opened(folder)
    add(spool, 10)

    def full(descriptor):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as broken:
        broken.setattr(files.os, "fsync", full)
        with pytest.raises(OSError, match="No space"):
            add(spool, 20)
        with pytest.raises(OSError, match="No space"):
            spool.move_on(position(30))
        assert (spool.sequence, spool.position) == (1, position(10))
        with pytest.raises(OSError, match="No space"):
            spool.delivered(1)
        assert spool.pending() == [1]
    assert not list((folder / "spool").glob("*.tmp"))
    assert add(spool, 20) == 2


def test_a_rest_of_a_killed_write_is_swept_away(folder):
    opened(folder)
    rest = folder / "spool" / "000000000001.batch.tmp"
    rest.write_text("{half")
    again = opened(folder)
    assert not rest.exists()
    assert again.pending() == []


def test_a_rejected_batch_is_put_aside_and_its_number_is_never_used_again(folder):
    spool = opened(folder)
    add(spool, 10)
    place = spool.rejected(1)
    assert place.exists()
    assert (spool.pending(), spool.rejected_count()) == ([], 1)
    again = opened(folder)
    assert add(again, 20) == 2
    assert again.position == position(20)


def test_a_damaged_state_is_refused_with_the_way_out(folder):
    opened(folder)
    (folder / "spool" / "state.json").write_text("{")
    with pytest.raises(Damaged, match="move the spool folder"):
        opened(folder)
