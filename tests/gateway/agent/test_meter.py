import json
import shutil
import time

import pytest

from gateway.agent import files, meter as meter_module
from gateway.agent.meter import Meter
from gateway.agent.spool import Spool
from gateway.agent.usage_log import UsageLog
from tests.gateway.agent.writer import JournalWriter


class Node:
    """The counting half of an agent."""

    def __init__(self, folder, problems):
        self.log = UsageLog(folder)
        self.spool = Spool(folder / "spool")
        self.spool.open()
        self.meter = Meter(self.log, self.spool, problems, generation=lambda: 42)
        self.folder = folder

    def write(self, *lines):
        JournalWriter(self.folder).write(*lines)

    def batches(self):
        return [json.loads(self.spool.body(number)) for number in self.spool.pending()]

    def calls(self):
        return sum(row["calls"] for batch in self.batches() for row in batch["rows"])


@pytest.fixture
def node(folder, problems):
    return Node(folder, problems)


def line(at=1763889123.456, subscription="s", verdict="-"):
    return f"{at:.3f} {subscription} k st op 200 10 20 0.005 {verdict} 0.004"


def test_lines_become_a_batch_with_the_generation_and_the_checkpoint(node):
    node.write(line(), line(), "1763889123.456 - - - - 403 1 1 0.000 MISSING_AUTHENTICATION_TOKEN -")
    node.meter.step()
    (batch,) = node.batches()
    assert (batch["generation"], batch["refused_unknown"], node.calls()) == (42, 1, 2)
    node.meter.step()
    assert len(node.batches()) == 1


def test_a_batch_is_bounded(node, monkeypatch):
    monkeypatch.setattr(meter_module, "BATCH_ROWS", 100)
    node.write(*(line(subscription=f"s{number}") for number in range(5_000)))
    while node.meter.step():
        pass
    assert len(node.batches()) > 2
    assert all(len(batch["rows"]) < 1_600 for batch in node.batches())
    assert node.calls() == 5_000


def test_a_clock_that_jumps_moves_no_minute(node):
    for at in (1763889123.0, 1763881000.0, 1763899999.0, 1763889124.0):
        node.write(line(at))
        node.meter.step()
    minutes = [row["minute"] for batch in node.batches() for row in batch["rows"]]
    assert minutes == [1763889120, 1763880960, 1763899980, 1763889120]


def test_a_full_disk_loses_nothing_and_is_told(node, problems, monkeypatch):
    node.write(line(), line())

    def full(descriptor):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as broken:
        broken.setattr(files.os, "fsync", full)
        for _ in range(2):
            with pytest.raises(OSError, match="No space"):
                node.meter.step()
        assert problems.names() == {"disk, usage"}
        node.write(line())
    node.meter.step()
    assert problems.names() == set()
    assert (node.calls(), len(node.batches())) == (3, 1)


def test_garbage_is_told_and_passed(node, problems):
    node.write("rubbish")
    node.meter.step()
    assert node.batches() == []
    assert node.meter.garbage == 1
    assert problems.names() == {"usage log"}
    node.write(line())
    node.meter.step()
    assert node.calls() == 1


def test_the_lag_is_the_age_of_what_is_not_delivered(node):
    assert node.meter.lag_seconds() == 0
    node.write(line(time.time()))
    node.meter.step()
    assert 0 <= node.meter.lag_seconds() < 2
    node.spool.delivered(1)
    assert node.meter.lag_seconds() == 0


def test_a_lost_place_is_told(node, problems, folder):
    node.write(line())
    node.meter.step()
    shutil.rmtree(folder / "journal")
    node.write(line())
    node.meter.step()
    assert "usage log place" in problems.names()


def test_a_file_that_vanished_before_it_was_read_is_told(node, problems, folder):
    node.write(line())
    node.meter.step()
    node.write(*[line()] * 5_000)
    (folder / "journal" / "000000000000.log").unlink()
    node.meter.step()
    assert "usage log place" in problems.names()
