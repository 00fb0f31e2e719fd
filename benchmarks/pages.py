"""How long pages take over full data, and how often they ask the database: `python -m benchmarks.pages`.

The data is that of `manage.py demo --scale`: 1,000 subscriptions and a year of usage. Budget: 100 ms and 20 queries.
What a page fetches by itself after it is open (`?fragment=`) has a line of its own.
"""

import os
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.records import database
from benchmarks.report import Table, write

SUBSCRIPTIONS = 1_000
DAYS = 365
ROUNDS = 7


def make() -> tuple[Any, float]:
    """Make the demo at scale; returns what was made and the seconds it took."""
    from django.utils.timezone import now  # noqa: PLC0415 -- its settings need the database's address

    from portal.demo.people import Secrets  # noqa: PLC0415
    from portal.demo.scale.generate import generate  # noqa: PLC0415

    started = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        made = generate(
            kept=Secrets(Path(folder) / "demo.json"), subscriptions=SUBSCRIPTIONS, days=DAYS, seed=1, at=now()
        )
    return made, time.perf_counter() - started


def measure(browser: Any, page: str) -> tuple[int, float, float]:
    """Return the queries of a page, and the milliseconds of CPU and on the clock, medians of ROUNDS after one.

    The CPU is that of the process that answers, PostgreSQL's aside.
    """
    from django.db import connection  # noqa: PLC0415
    from django.test.utils import CaptureQueriesContext  # noqa: PLC0415

    browser.get(page)
    cpu, clock = [], []
    for _ in range(ROUNDS):
        begun, spent = time.perf_counter(), time.process_time()
        assert browser.get(page).status_code in (200, 302), page  # what there is one of leads to it
        cpu.append((time.process_time() - spent) * 1_000)
        clock.append((time.perf_counter() - begun) * 1_000)
    with CaptureQueriesContext(connection) as queries:
        browser.get(page)
    return len(queries), statistics.median(cpu), statistics.median(clock)


def rate(provider: Any) -> float:
    """Have what the customers owe rated, as a worker does at most once a minute; returns the ms it took."""
    from billing.sales import take_snapshot  # noqa: PLC0415

    begun = time.perf_counter()
    take_snapshot(provider)
    return (time.perf_counter() - begun) * 1_000


def all_pages(made: Any) -> list[tuple[str, Any, str]]:
    """The pages that the tests open over a small copy of the same data, and what they fetch later."""
    from tests.portal.demo.test_full_pages import pages  # noqa: PLC0415

    found = pages(made)
    later = {
        "console": ("cost",),
        "provider-money (provider)": ("sales",),
        "provider (provider)": ("money",),
    }
    parts = [
        (f"{name}, its {part}", browser, f"{page}?fragment={part}")
        for name, browser, page in found
        for part in later.get(name, ())
    ]
    return found + parts


def main() -> None:
    """Measure each page; print and write the table."""
    load = os.getloadavg()[0]
    with database():
        from django.test.utils import setup_test_environment  # noqa: PLC0415

        setup_test_environment()
        made, seconds = make()
        print(f"made in {seconds:.0f} s", flush=True)
        rated = rate(made.provider)
        rows = []
        for name, browser, page in all_pages(made):
            queries, cpu, took = measure(browser, page)
            print(f"{name}: {queries} queries, {cpu:.0f} ms of CPU, {took:.0f} ms", flush=True)
            rows.append((name, str(queries), f"{cpu:.0f}", f"{took:.0f}"))
    write(
        Table(
            "Pages over full data",
            ("page", "queries", "CPU, ms", "ms p50"),
            rows,
            f"The demo at scale: {SUBSCRIPTIONS:,} subscriptions, {DAYS} days, {made.days:,} day records, "
            f"{made.invoices:,} invoices, made in {seconds:.0f} s. Medians of {ROUNDS} in the process that answers; "
            f"what customers owe is rated by a worker, here in {rated:.0f} ms. Load of the machine before: {load:.1f}. "
            "Budget: 20 queries, 100 ms.",
        )
    )


if __name__ == "__main__":
    main()
