"""Several workers that add up what waits, each a process with a PostgreSQL session of its own."""

import subprocess
import sys
import time

# waits for a line, adds up, prints the processor time of itself and of its session in seconds
_WORKER = """
import sys, django; django.setup()
from benchmarks.records import cpu_seconds
from metering import rollup
from portal import collector
collector.settle()
print("ready", flush=True)
sys.stdin.readline()
began = cpu_seconds()
rollup.process_pending()
print(cpu_seconds() - began, flush=True)
"""


def add_up(workers: int) -> tuple[float, float]:
    """Let so many workers add up all batches that wait; returns the seconds it took, and those of CPU of all."""
    started = [_start() for _ in range(workers)]
    for worker in started:
        _line(worker)
    began = time.perf_counter()
    for worker in started:
        worker.stdin.write("go\n")
        worker.stdin.flush()
    spent = sum(float(_line(worker)) for worker in started)
    took = time.perf_counter() - began
    for worker in started:
        worker.communicate()
    return took, spent


def _start() -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", _WORKER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )


def _line(worker: subprocess.Popen[str]) -> str:
    line = worker.stdout.readline()
    if not line:
        raise RuntimeError("a worker stopped; its error is above")
    return line
