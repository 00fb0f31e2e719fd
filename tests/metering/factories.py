"""Batches and rows as nodes send them."""

from datetime import UTC, datetime
from itertools import count
from typing import Any
from uuid import UUID, uuid4

from django.utils.timezone import now

from apis.models import Stage
from metering import intake
from metering.latency import BOUNDS_MS, BUCKETS
from metering.request_log.take import NAMES, take_lines
from metering.rollup import process_pending

# noon of a Wednesday, UTC
NOON = datetime(2026, 11, 18, 12, 0, tzinfo=UTC)
_sequences = count(1)


def make_row(stage: Stage | str, **fields: Any) -> dict[str, Any]:
    """Counts of one group: by default one accepted call of 12 ms at noon, 100 bytes in and 1,000 out."""
    calls = fields.get("calls", 1)
    row = {
        "minute": int(NOON.timestamp()),
        "subscription": "",
        "key": "",
        "stage": stage if isinstance(stage, str) else stage.pk,
        "operation": "",
        "status_class": 2,
        "verdict": "",
        "calls": calls,
        "bytes_out": 1_000 * calls,
        "bytes_in": 100 * calls,
        "latency_ms": 12 * calls,
        "integration_ms": 10 * calls,
        "latency_counts": in_bucket(12, calls),
        "canary": False,
        "cache_hits": 0,
        "cache_misses": 0,
        "http_requests": calls,
        "stream_requests": calls,
    }
    row |= fields
    if isinstance(row["minute"], datetime):
        row["minute"] = int(row["minute"].timestamp())
    return row


def in_bucket(milliseconds: int, calls: int) -> list[int]:
    """Latency counts of so many calls of one length."""
    counts = [0] * BUCKETS
    counts[sum(bound < milliseconds for bound in BOUNDS_MS)] = calls
    return counts


def make_batch(*rows: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {
        "spool": "spool-a",
        "sequence": next(_sequences),
        "generation": 7,
        "clock": NOON.timestamp() + 61.5,
        "rows": list(rows),
        "refused_unknown": 0,
    } | fields


def make_line(stage: Stage | str, **fields: Any) -> list[Any]:
    """A line of the request log as a node sends it: by default a GET of 12 ms, answered just now."""
    line = dict.fromkeys(NAMES, "") | {
        "id": str(uuid4()),
        "at": now().timestamp(),
        "stage": stage if isinstance(stage, str) else stage.pk,
        "status": 200,
        "bytes_out": 1_000,
        "bytes_in": 100,
        "latency_ms": 12,
        "backend_ms": 10,
        "connect_ms": 1,
        "header_ms": 9,
        "tries": "200",
        "address": "192.0.2.7",
        "method": "GET",
        "host": "gate.test",
        "path": "/orders/v1/orders",
    }
    line |= fields
    if isinstance(line["at"], datetime):
        line["at"] = line["at"].timestamp()
    return [line[name] for name in NAMES]


def log_call(stage: Stage | str, **fields: Any) -> UUID:
    """Let a node write one line; returns the request id."""
    line = make_line(stage, **fields)
    assert take_lines(node_id="nodea00001", lines=[line]) == 1
    return UUID(line[0])


def use(*rows: dict[str, Any], at: datetime | None = None) -> None:
    """Let a node report the rows, and add them up."""
    send(make_batch(*rows), at=at)
    process_pending()


def send(batch: dict[str, Any], at: datetime | None = None) -> bool:
    """Let a node send a batch; `at` is when it comes, by default right after its newest minute."""
    rows = batch["rows"] if isinstance(batch["rows"], list) else []
    minutes = [row["minute"] for row in rows if isinstance(row, dict) and isinstance(row.get("minute"), int)]
    latest = max((minute for minute in minutes if minute < 2**32), default=NOON.timestamp())
    at = at or datetime.fromtimestamp(latest + 61, tz=UTC)
    return intake.accept_batch(node_id="nodea00001", batch=batch, at=at)
