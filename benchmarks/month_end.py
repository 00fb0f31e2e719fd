"""How long a month's end takes: invoices of 1,000, 10,000 and 100,000 customers, by two workers.

`python -m benchmarks.month_end [customers ...]`. Each worker is a process of its own, as a Celery worker's is;
PostgreSQL runs on the same cores, with the settings it ships with. The peer is the plain way: one customer at a time,
in a transaction each, through the same rating. Budget: 60 s for 100,000, with flat memory.
"""

import json
import os
import resource
import subprocess
import sys
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from benchmarks.peers.compare import cpu_seconds
from benchmarks.records import database
from benchmarks.report import Table, write
from portal import collector

# (customers, subscriptions of each)
SIZES = ((1_000, 1), (10_000, 1), (100_000, 1), (1_000, 100))
WORKERS = 2
ONE_BY_ONE = 300  # customers that the peer bills
END = datetime(2026, 11, 1, tzinfo=UTC)


@dataclass
class Measured:
    """One closing. `peak` is the largest worker's memory in MiB; CPU times, workers' and PostgreSQL's, in seconds."""

    name: str
    invoices: int
    lines: int
    seconds: float
    peak: float
    cpu: float
    database_cpu: float

    @property
    def rate(self) -> float:
        return self.invoices / self.seconds


def close(customers: int, subscriptions: int, workers: int = WORKERS) -> Measured:
    """Make the data, and close its month by so many workers."""
    run = _begin(customers, subscriptions)
    processes = [_worker(run.pk) for _ in range(workers)]
    for process in processes:
        assert process.stdout.readline() == "ready\n"
    started, spent = time.perf_counter(), database_seconds()
    for process in processes:
        process.stdin.write("go\n")
        process.stdin.flush()
    reports = [json.loads(process.stdout.readline()) for process in processes]
    seconds, spent = time.perf_counter() - started, database_seconds() - spent
    for process in processes:
        process.wait(timeout=60)
    return _measured(_name(customers, subscriptions), run, seconds, reports, spent)


def close_one_by_one(customers: int) -> Measured:
    """Bill the first customers of as many, each in a transaction of its own."""
    from billing.closing import close_payers  # noqa: PLC0415 -- Django is set up later
    from billing.runs import _closing  # noqa: PLC0415

    run = _begin(customers, 1)
    payers = [pk for part in run.parts.all() for pk in part.payers]
    started, spent, cpu = time.perf_counter(), database_seconds(), time.process_time()
    for pk in payers:
        close_payers(_closing(run), [pk])
    seconds = time.perf_counter() - started
    report = {"cpu": time.process_time() - cpu, "peak": _peak()}
    spent = database_seconds() - spent
    return _measured(f"{customers:,} one by one, by one worker", run, seconds, [report], spent)


def _begin(customers: int, subscriptions: int) -> Any:
    from django.core.management import call_command  # noqa: PLC0415

    from benchmarks.month_data import OCTOBER, make_provider  # noqa: PLC0415
    from billing.periods import month_of  # noqa: PLC0415
    from billing.runs import start_run  # noqa: PLC0415

    call_command("flush", interactive=False, verbosity=0)
    provider = make_provider(customers, subscriptions)
    run = start_run(
        provider=provider,
        period=month_of(OCTOBER, "UTC"),
        at=END + timedelta(hours=2),
        corrections=False,
        actor=None,
    )
    assert run.customers == customers + 1  # and the one that all are copies of
    return run


def _worker(run_id: str) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "benchmarks.month_end", "--work", run_id]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def work(run_id: str) -> None:
    """What a worker's process does: bill chunks once it is told to, and report."""
    import django  # noqa: PLC0415

    django.setup()
    from billing.models import BillingRun  # noqa: PLC0415
    from billing.runs import work as work_on  # noqa: PLC0415

    run = BillingRun.objects.select_related("organization").get(pk=run_id)
    collector.settle()  # as a Celery worker does
    print("ready", flush=True)
    sys.stdin.readline()
    cpu = time.process_time()
    done = work_on(run=run)
    assert done.error is None, done.error
    print(json.dumps({"cpu": time.process_time() - cpu, "peak": _peak()}), flush=True)


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def database_seconds() -> float:
    """CPU time of PostgreSQL and its processes, those that have ended included."""
    from django.db import connection  # noqa: PLC0415

    connection.ensure_connection()
    backend = Path(f"/proc/{connection.connection.info.backend_pid}/stat").read_text()
    server = int(backend.rsplit(")", 1)[1].split()[1])  # its parent
    gone = Path(f"/proc/{server}/stat").read_text().rsplit(")", 1)[1].split()[13:15]
    return cpu_seconds(server) + sum(map(int, gone)) / os.sysconf("SC_CLK_TCK")


def _measured(
    name: str, run: Any, seconds: float, reports: list[dict[str, float]], database_cpu: float
) -> Measured:
    from django.db.models import Max, Min  # noqa: PLC0415

    from billing.models import Invoice, InvoiceLine  # noqa: PLC0415

    made = Invoice.objects.aggregate(first=Min("number"), last=Max("number"))
    count = Invoice.objects.count()
    assert (made["first"], made["last"]) == (1, count), "numbers have gaps"
    assert count == run.customers - 1, (count, run.customers)
    return Measured(
        name,
        count,
        InvoiceLine.objects.count(),
        seconds,
        max(each["peak"] for each in reports),
        sum(each["cpu"] for each in reports),
        database_cpu,
    )


def _name(customers: int, subscriptions: int) -> str:
    each = "1 subscription" if subscriptions == 1 else f"{subscriptions} subscriptions"
    return f"{customers:,} customers with {each}"


def main(sizes: tuple[tuple[int, int], ...] = SIZES) -> None:
    """Measure each size, and the plain way, in one run."""
    load = os.getloadavg()[0]
    with database():
        rows = [close(*size) for size in sizes]
        plain = close_one_by_one(ONE_BY_ONE)
    for row in (*rows, plain):
        print(
            f"month end, {row.name}: {row.seconds:.1f} s, {row.rate:,.0f} invoices/s, "
            f"CPU of workers {row.cpu:.1f} s, of PostgreSQL {row.database_cpu:.1f} s, {row.peak:.0f} MiB at most"
        )
    print(f"load before: {load:.1f}")
    write(
        Table(
            "Month end",
            (
                "what",
                "seconds",
                "invoices/s",
                "lines",
                "CPU of workers + PostgreSQL, s",
                "largest worker, MiB",
                "× the plain way",
            ),
            [
                (
                    row.name,
                    f"{row.seconds:.1f}",
                    f"{row.rate:,.0f}",
                    f"{row.lines:,}",
                    f"{row.cpu:.1f} + {row.database_cpu:.1f}",
                    f"{row.peak:.0f}",
                    f"{row.rate / plain.rate:.1f}",
                )
                for row in (*rows, plain)
            ],
            f"{WORKERS} workers, PostgreSQL on the same cores. Each subscription used 3 operations on 4 days; the card "
            "is graduated over two meters, with a base fee. The plain way bills one customer at a time by the same "
            f"rating. Load of the machine before: {load:.1f}. Budget: 60 s for 100,000 subscriptions.",
        )
    )


if __name__ == "__main__":
    if sys.argv[1:2] == ["--work"]:
        work(sys.argv[2])
    elif sys.argv[1:]:
        main(tuple((int(number), 1) for number in sys.argv[1:]))
    else:
        main()
