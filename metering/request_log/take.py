"""Where lines of the request log come in: each once, those that make no sense left out, by one COPY and one INSERT.

A line is what gateway/request_log.py says. Nothing is billed by it, so nothing is kept for a second look: what cannot
be used is dropped, and a node is never told to send it again.
"""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction
from django.utils.timezone import now

from metering.dimensions import AHEAD, VERDICT, Directory
from metering.models import RequestLine

MOST_LINES = 5_000
# as they come: gateway.request_log.NAMES, which only nodes/ may import; a test compares them
NAMES = (
    "id", "at", "subscription", "key", "stage", "operation", "status", "bytes_out", "bytes_in", "latency_ms", "verdict",
    "flags", "backend_ms", "connect_ms", "header_ms", "tries", "why", "limit_policy", "limit_left", "address", "method",
    "host", "path", "query",
)  # fmt: skip
# the columns' lengths
_TEXTS = {
    "flags": 10, "tries": 60, "why": 120, "limit_policy": 300, "limit_left": 300, "method": 20, "host": 253,
    "path": 1_024, "query": 1_024,
}  # fmt: skip
_IDS = ("subscription", "key", "stage", "operation")
_COUNTS = {"status": 999, "bytes_out": 2**53, "bytes_in": 2**53, "latency_ms": 2**31 - 1}
_TIMES = ("backend_ms", "connect_ms", "header_ms")
_DERIVED = (
    "subscription_id", "key_id", "stage_id", "operation_id",
    "organization_id", "api_id", "version_id", "developer_id", "application_id", "node_id",
)  # fmt: skip
COLUMNS = ("id", "at", "verdict", "address", *_COUNTS, *_TIMES, *_TEXTS, *_DERIVED)
_TABLE = RequestLine._meta.db_table
_STAGING = "request_staging"


@transaction.atomic
def take_lines(*, node_id: str, lines: list[Any], at: datetime | None = None) -> int:
    """Keep a node's lines that came `at` (now), at most MOST_LINES; returns how many could be used."""
    at = at or now()
    days: int = settings.REQUEST_LOG_KEEP_DAYS
    if not days:
        return 0
    oldest, newest = at - timedelta(days=days), at + AHEAD
    read = [line for each in lines[:MOST_LINES] if (line := _read(each)) and oldest <= line["at"] <= newest]
    rows = list(_complete(read, node_id)) if read else []
    if rows:
        _write(rows)
    return len(rows)


def _read(values: object) -> dict[str, Any] | None:
    """Return the fields of a line, checked; None for one that no gate wrote."""
    if not isinstance(values, list) or len(values) != len(NAMES):
        return None
    line = dict(zip(NAMES, values, strict=True))
    try:
        line["id"] = UUID(line["id"])
        line["at"] = datetime.fromtimestamp(line["at"], tz=UTC)
        line["verdict"] = line["verdict"] if VERDICT.fullmatch(line["verdict"]) else ""
        line["address"] = str(ip_address(line["address"])) if line["address"] else ""
        line |= {name: min(max(int(line[name]), 0), most) for name, most in _COUNTS.items()}
        line |= {name: None if line[name] is None else min(int(line[name]), 2**31 - 1) for name in _TIMES}
        line |= {name: _storable(line[name], most) for name, most in _TEXTS.items()}
        line |= {name: _storable(line[name], 10) for name in _IDS}
    except (TypeError, ValueError, OverflowError, OSError, AttributeError):
        return None
    return line


def _storable(text: str, most: int) -> str:
    """Bound a text and replace what PostgreSQL cannot keep."""
    return text[:most].encode("utf-8", "replace").decode().replace("\0", "?")


def _complete(lines: list[dict[str, Any]], node_id: str) -> Iterator[dict[str, Any]]:
    """Add whose call it was; calls of stages that are not there any more are left out."""
    directory = Directory.of(lines)
    nothing = {"organization_id": "", "api_id": "", "version_id": ""}
    nobody = {"developer_id": "", "application_id": ""}
    for line in lines:
        of_stage = directory.stages.get(line["stage"]) if line["stage"] else nothing
        if of_stage is None:
            continue
        owner = directory.subscriptions.get(line["subscription"]) or directory.keys.get(line["key"]) or nobody
        ids = {f"{name}_id": line[name] for name in _IDS}
        yield line | of_stage | owner | ids | {"node_id": node_id}


def _write(rows: Iterable[dict[str, Any]]) -> None:
    columns = ", ".join(COLUMNS)
    with connection.cursor() as cursor:
        cursor.execute(
            f"CREATE TEMPORARY TABLE IF NOT EXISTS {_STAGING} (LIKE {_TABLE}) ON COMMIT DELETE ROWS; "
            f"TRUNCATE {_STAGING}"
        )
        with cursor.copy(f"COPY {_STAGING} ({columns}) FROM STDIN") as copy:
            for row in rows:
                copy.write_row([row[name] for name in COLUMNS])
        cursor.execute(
            f"INSERT INTO {_TABLE} ({columns}) SELECT {columns} FROM {_STAGING} ON CONFLICT DO NOTHING"  # noqa: S608
        )
