"""How long pages take over full data, and how often they ask the database: `python -m benchmarks.pages`.

The data is that of `manage.py demo --scale`: 1,000 subscriptions and a year of usage. Budget: 100 ms and 20 queries.
"""

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


def measure(browser: Any, page: str) -> tuple[int, float]:
    """Return the queries of a page, and the milliseconds at the median of ROUNDS, after one that warms up."""
    from django.db import connection  # noqa: PLC0415
    from django.test.utils import CaptureQueriesContext  # noqa: PLC0415

    with CaptureQueriesContext(connection) as queries:
        browser.get(page)
    spent = []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        assert browser.get(page).status_code == 200, page
        spent.append((time.perf_counter() - started) * 1_000)
    return len(queries), statistics.median(spent)


def main() -> None:
    """Measure each page that the tests open over a small copy of the same data; print and write the table."""
    with database():
        from django.test.utils import setup_test_environment  # noqa: PLC0415

        from tests.portal.demo.test_full_pages import pages  # noqa: PLC0415

        setup_test_environment()
        made, seconds = make()
        rows = []
        for name, browser, page in pages(made):
            queries, took = measure(browser, page)
            print(f"{name}: {queries} queries, {took:.0f} ms")
            rows.append((name, str(queries), f"{took:.0f}"))
    write(
        Table(
            "Pages over full data",
            ("page", "queries", "ms p50"),
            rows,
            f"The demo at scale: {SUBSCRIPTIONS:,} subscriptions, {DAYS} days, {made.days:,} day records, "
            f"{made.invoices:,} invoices, made in {seconds:.0f} s. Median of {ROUNDS} in the process that answers. "
            "Budget: 20 queries, 100 ms.",
        )
    )


if __name__ == "__main__":
    main()
