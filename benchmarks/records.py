"""How many usage records a second PostgreSQL takes, from a node's batch to minutes, hours and days.

`python -m benchmarks.records`. A batch is checked and kept as at the intake, then added up as a worker does; both
run one after the other in one process, each commit durable. The peer is the former way, one JSON text that
PostgreSQL takes apart, in the same run. Budget: 20,000 records/s.
"""

import json
import os
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg

from benchmarks.records_as_json import add_as_json
from benchmarks.report import Table, write
from benchmarks.workers import add_up
from portal.embedded.ports import free_port
from portal.embedded.postgres import STOP, Postgres

RECORDS = 100_000
ROWS_A_BATCH = 3_500
ROUNDS = 3
SUBSCRIPTIONS = (1_000, 10_000, 100_000)


@contextmanager
def database() -> Iterator[None]:
    """Run a PostgreSQL of its own, with the settings it ships with, and set Django up on it."""
    with tempfile.TemporaryDirectory(prefix="gatehouse-bench-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        server = Postgres(folder / "data", free_port(), folder / "password")
        server.initialise()
        with (folder / "log").open("w") as log:
            process = subprocess.Popen(server.command(), stdout=log, stderr=subprocess.STDOUT)
        try:
            _wait(server.url)
            os.environ |= {"DATABASE_URL": server.url, "GATEHOUSE_MODE": "test"}
            os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
            import django  # noqa: PLC0415 -- its settings need the database's address
            from django.core.management import call_command  # noqa: PLC0415

            django.setup()
            call_command("migrate", verbosity=0)
            _settle()
            yield
        finally:
            process.send_signal(STOP)
            process.wait(timeout=60)


def _settle() -> None:
    """Have the processes' settings of the garbage collector."""
    from portal import collector  # noqa: PLC0415
    from portal.urls import urlpatterns  # noqa: PLC0415 -- a web process has loaded all of it

    assert urlpatterns
    collector.settle()


def _wait(url: str) -> None:
    deadline = time.monotonic() + 30
    while True:
        try:
            psycopg.connect(url, connect_timeout=2).close()
        except psycopg.OperationalError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)
        else:
            return


def make_callers(number: int) -> tuple[str, list[str]]:
    """Make a stage and so many subscriptions; returns the stage's id and theirs."""
    from django.db import connection  # noqa: PLC0415

    from access.models import Subscription  # noqa: PLC0415
    from tests.factories import make_stage, make_subscription  # noqa: PLC0415

    stage, first = make_stage(), make_subscription()
    columns = [field.column for field in Subscription._meta.concrete_fields if field.column != "id"]
    table, others = Subscription._meta.db_table, ", ".join(columns)
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        # one application may have a plan once: each gets an application's id of its own
        copied = ", ".join(
            "'a' || lpad(n::text, 9, '0')" if name == "application_id" else name for name in columns
        )
        cursor.execute(
            f"INSERT INTO {table} (id, {others}) SELECT 's' || lpad(n::text, 9, '0'), {copied} "  # noqa: S608
            f"FROM {table}, generate_series(1, %s) AS n WHERE id = %s ON CONFLICT DO NOTHING",
            [number, first.pk],
        )
        cursor.execute("SET session_replication_role = DEFAULT")
    return stage.pk, [f"s{n:09}" for n in range(1, number + 1)]


def fresh(number: int) -> tuple[str, list[str]]:
    """Empty the tables and make so many callers."""
    from django.core.management import call_command  # noqa: PLC0415

    call_command("flush", interactive=False, verbosity=0)
    return make_callers(number)


def batches(stage: str, subscriptions: list[str], minute: int) -> list[dict[str, Any]]:
    """RECORDS rows, each of another subscription as far as there are so many, else of another operation."""
    rows = []
    for n in range(RECORDS):
        counts = [0] * 25
        counts[n % 25] = 3
        rows.append(
            {
                "minute": minute,
                "subscription": subscriptions[n % len(subscriptions)],
                "key": "",
                "stage": stage,
                "operation": f"op{n // len(subscriptions):08}",
                "status_class": 2,
                "verdict": "",
                "calls": 3,
                "http_requests": 3,
                "stream_requests": 3,
                "bytes_out": 3_000 + n,
                "bytes_in": 600,
                "latency_ms": 36,
                "integration_ms": 30,
                "latency_counts": counts,
                "canary": False,
                "cache_hits": 0,
                "cache_misses": 0,
            }
        )
    return [
        {
            "spool": f"bench{minute}",
            "sequence": 1 + start // ROWS_A_BATCH,
            "generation": 1,
            "clock": minute + 61.0,
            "rows": rows[start : start + ROWS_A_BATCH],
            "refused_unknown": 0,
        }
        for start in range(0, RECORDS, ROWS_A_BATCH)
    ]


def cpu_seconds() -> float:
    """Return the processor time of this process and of its PostgreSQL session."""
    from django.db import connection  # noqa: PLC0415

    connection.ensure_connection()
    stat = Path(f"/proc/{connection.connection.info.backend_pid}/stat").read_text()
    user, system = stat.rpartition(")")[2].split()[11:13]
    return time.process_time() + (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def take_in(bodies: list[bytes], add: Callable[..., Any] | None = None) -> tuple[float, float, float]:
    """Return the seconds that keeping and adding up the batches took (with `add` for records.add), and of CPU."""
    from metering import intake, records, rollup  # noqa: PLC0415
    from nodes.door import read_json  # noqa: PLC0415

    usual, intake.announce = records.add, lambda: None
    records.add = add or usual
    try:
        started, spent = time.perf_counter(), cpu_seconds()
        for body in bodies:
            intake.accept_batch(node_id="bench00001", batch=read_json(body))
        kept = time.perf_counter()
        rollup.process_pending()
        return kept - started, time.perf_counter() - kept, cpu_seconds() - spent
    finally:
        records.add = usual


def measure(number: int, add: Callable[..., Any] | None = None) -> tuple[float, float, float, float]:
    """Return the best of ROUNDS, each of another minute: records/s kept, added up, both; and us of CPU a record."""
    stage, subscriptions = fresh(number)
    minute = int(time.time()) // 3600 * 3600 - 7_200
    best, least = (0.0, 0.0, 0.0), float("inf")
    for turn in range(ROUNDS):
        bodies = [json.dumps(each).encode() for each in batches(stage, subscriptions, minute + 60 * turn)]
        kept, added, spent = take_in(bodies, add)
        least = min(least, spent / RECORDS * 1e6)
        best = max(best, (RECORDS / (kept + added), RECORDS / kept, RECORDS / added))
    both, kept, added = best
    return kept, added, both, least


def measure_two(number: int) -> tuple[float, float]:
    """Return the best of ROUNDS of records/s that two workers add up at once, and us of CPU a record for that."""
    from metering import intake  # noqa: PLC0415
    from metering.models import UsageDay, UsageHour, UsageMinute  # noqa: PLC0415

    stage, subscriptions = fresh(number)
    minute = int(time.time()) // 3600 * 3600 - 7_200
    intake.announce = lambda: None
    best, least = 0.0, float("inf")
    for turn in range(ROUNDS):
        for batch in batches(stage, subscriptions, minute + 60 * turn):
            intake.accept_batch(node_id="bench00001", batch=batch)
        took, spent = add_up(2)
        best, least = max(best, RECORDS / took), min(least, spent / RECORDS * 1e6)
    for table in (UsageMinute, UsageHour, UsageDay):
        assert sum(table.objects.values_list("calls", flat=True)) == 3 * RECORDS * ROUNDS
    return best, least


def main() -> None:
    """Measure each number of subscriptions, and the former way once, in one run."""
    load = os.getloadavg()[0]
    with database():
        rows = [(f"{number:,} subscriptions", *measure(number)) for number in SUBSCRIPTIONS]
        two, cpu_of_two = measure_two(SUBSCRIPTIONS[0])
        rows.append((f"the former way (JSON), {SUBSCRIPTIONS[0]:,}", *measure(SUBSCRIPTIONS[0], add_as_json)))
    first = rows[0][4]
    for name, kept, added, both, cpu in rows:
        print(
            f"usage records, {name}: {kept:,.0f}/s kept, {added:,.0f}/s added up, {both:,.0f}/s both, "
            f"{cpu:.0f} us of CPU each"
        )
    print(f"usage records, two workers: {two:,.0f}/s added up, {cpu_of_two:.0f} us of CPU each for that")
    write(
        Table(
            "Usage records into PostgreSQL",
            ("what", "batches kept", "added up", "both, one after the other", "CPU a record", "ratio of CPU"),
            [
                (
                    name,
                    f"{kept:,.0f}/s",
                    f"{added:,.0f}/s",
                    f"{both:,.0f}/s",
                    f"{cpu:.0f} us",
                    f"{cpu / first:.2f}",
                )
                for name, kept, added, both, cpu in rows
            ],
            f"{RECORDS:,} records of one minute in batches of {ROWS_A_BATCH:,}, best of {ROUNDS}: each is written "
            "as a minute, an hour and a day. Keeping is the web process's work, adding up a worker's; here both "
            "run one after the other, with PostgreSQL on the same cores. Two workers at once add up "
            f"{two:,.0f}/s ({cpu_of_two:.0f} us of CPU each). Load of the machine before: {load:.1f}.",
        )
    )


if __name__ == "__main__":
    main()
