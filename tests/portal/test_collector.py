"""Processes that serve look for cycles less often."""

import subprocess
import sys

import pytest

SEEN = "import gc; print(gc.get_threshold()[0], gc.get_freeze_count() > 10_000)"


@pytest.mark.parametrize(
    "process",
    [
        "import portal.wsgi",
        "import celery.signals, django, portal.celery; django.setup(); celery.signals.worker_init.send(None)",
    ],
)
def test_the_collector_looks_less_often_in_processes_that_serve(process: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", f"{process}; {SEEN}"], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["50000", "True"]
