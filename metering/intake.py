"""Where batches come in: checked, kept as they came, once each."""

import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from itertools import chain
from operator import add, itemgetter, sub
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.timezone import now

from metering.announce import announce
from metering.dimensions import with_defaults
from metering.latency import BUCKETS
from metering.models import UsageBatch

# rows in a batch; nodes send far fewer
MOST_ROWS = 100_000
# no count of a row can be larger; sums of many batches still fit into 64 bits
_LARGEST = 2**45
_SPOOL = re.compile(r"[A-Za-z0-9_-]{1,32}")
_YEAR_9999 = 253_370_764_800
_PLAIN_TEXT = re.compile(r"[A-Za-z0-9_ ]{0,80}")


class BadBatch(ValueError):
    """A batch that can never be used; the message says why."""


def accept_batch(*, node_id: str, batch: dict[str, Any], at: datetime | None = None) -> bool:
    """Keep a node's batch that came `at` (now); False = it is already there (by node, spool and sequence).

    `batch` is described in gateway/batches.py. Raises BadBatch for one that can never be used. Rows that are
    well formed but name what we do not know are kept, and rejected one by one when they are added up.
    """
    checked = _check(batch)
    try:
        with transaction.atomic():
            UsageBatch.objects.create(node_id=node_id, received_at=at or now(), **checked)
            transaction.on_commit(announce)
    except IntegrityError:  # the unique constraint: it came before
        return False
    return True


def _check(batch: dict[str, Any]) -> dict[str, Any]:
    """Return the fields of a UsageBatch."""
    fields = {"spool", "sequence", "generation", "clock", "rows", "refused_unknown"}
    _same_fields(batch, fields, "the batch")
    rows = batch["rows"]
    if not isinstance(rows, list) or len(rows) > MOST_ROWS:
        raise BadBatch(f"rows must be a list of at most {MOST_ROWS}")
    if not isinstance(batch["spool"], str) or not _SPOOL.fullmatch(batch["spool"]):
        raise BadBatch("spool must be a text of 1 to 32 letters, digits, _ or -")
    clock = batch["clock"]
    if isinstance(clock, bool) or not isinstance(clock, int | float) or not 0 < clock < _YEAR_9999:
        raise BadBatch("clock must be Unix seconds")
    if _is_count(batch["sequence"]) and batch["sequence"] < 1:
        raise BadBatch("sequence counts from 1")
    for name in ("sequence", "generation", "refused_unknown"):
        if not _is_count(batch[name]):
            raise BadBatch(f"{name} must be a whole number, 0 or more")
    if not _are_plain(rows):
        for number, row in enumerate(rows):
            try:
                _check_row(row)
            except BadBatch as error:
                raise BadBatch(f"rows[{number}]: {error}") from None
    return {
        "spool": batch["spool"],
        "sequence": batch["sequence"],
        "generation": batch["generation"],
        "refused_unknown": batch["refused_unknown"],
        "node_clock": datetime.fromtimestamp(clock, tz=UTC),
        "rows": rows,
        "oldest": _moment(min((row["minute"] for row in rows), default=None)),
        "newest": _moment(max((row["minute"] for row in rows), default=None)),
        "calls": sum(row["calls"] for row in rows),
    }


def _moment(minute: int | None) -> datetime | None:
    return None if minute is None else datetime.fromtimestamp(minute, tz=UTC)


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < _LARGEST


def _is_minute(value: object) -> bool:
    return _is_count(value) and value % 60 == 0 and value < _YEAR_9999  # type: ignore[operator]


def _is_class(value: object) -> bool:
    return _is_count(value) and 1 <= value <= 5  # type: ignore[operator]


def _are_buckets(value: object) -> bool:
    return isinstance(value, list) and len(value) == BUCKETS and all(map(_is_count, value))


def _is_flag(value: object) -> bool:
    return isinstance(value, bool)


def _is_text(value: object) -> bool:
    return isinstance(value, str)


# field of a row -> (its check, what it must be)
_ROW: dict[str, tuple[Callable[[object], bool], str]] = {
    "minute": (_is_minute, "Unix seconds of a minute's start"),
    "subscription": (_is_text, "a text"),
    "key": (_is_text, "a text"),
    "stage": (_is_text, "a text"),
    "operation": (_is_text, "a text"),
    "status_class": (_is_class, "a number from 1 to 5"),
    "verdict": (_is_text, "a text"),
    "calls": (_is_count, "a whole number, 0 or more"),
    "bytes_out": (_is_count, "a whole number, 0 or more"),
    "bytes_in": (_is_count, "a whole number, 0 or more"),
    "latency_ms": (_is_count, "a whole number, 0 or more"),
    "integration_ms": (_is_count, "a whole number, 0 or more"),
    "latency_counts": (_are_buckets, f"a list of {BUCKETS} whole numbers, 0 or more"),
    "canary": (_is_flag, "true or false"),
    "cache_hits": (_is_count, "a whole number, 0 or more"),
    "cache_misses": (_is_count, "a whole number, 0 or more"),
    "http_requests": (_is_count, "a whole number, 0 or more"),
    "stream_requests": (_is_count, "a whole number, 0 or more"),
}
_COUNTS = tuple(name for name, (check, _) in _ROW.items() if check is _is_count)
_TEXTS = tuple(name for name, (check, _) in _ROW.items() if check is _is_text)
_values_of = itemgetter(*_ROW)


def _are_plain(rows: list[Any]) -> bool:
    """Whether all rows are as nodes send them, seen quickly, column by column; others may still be well formed."""
    try:
        columns = dict(zip(_ROW, zip(*map(_values_of, rows), strict=True), strict=True))
    except (KeyError, TypeError, ValueError):
        return False
    calls, buckets = columns["calls"], columns["latency_counts"]
    return (
        set(map(type, rows)) == {dict}
        and set(map(len, rows)) == {len(_ROW)}
        and all(_are_counts(columns[name]) for name in (*_COUNTS, "minute", "status_class"))
        and not any(minute % 60 for minute in set(columns["minute"]))
        and set(columns["status_class"]) <= {1, 2, 3, 4, 5}
        and set(map(type, columns["canary"])) == {bool}
        and all(_are_plain_texts(columns[name]) for name in _TEXTS)
        and set(map(type, buckets)) == {list}
        and set(map(len, buckets)) == {BUCKETS}
        and _are_counts(list(chain.from_iterable(buckets)))
        and tuple(map(sum, buckets)) == calls
        and max(map(sub, map(add, columns["cache_hits"], columns["cache_misses"]), calls)) <= 0
        and min(map(sub, map(min, columns["http_requests"], columns["stream_requests"]), calls)) >= 0
    )


def _are_counts(values: Sequence[Any]) -> bool:
    return set(map(type, values)) == {int} and min(values) >= 0 and max(values) < _LARGEST


def _are_plain_texts(values: Sequence[Any]) -> bool:
    return set(map(type, values)) == {str} and all(map(_PLAIN_TEXT.fullmatch, set(values)))


def _check_row(row: object) -> None:
    if not isinstance(row, dict):
        raise BadBatch("must be an object")
    row |= with_defaults(row)
    _find_fault(row)
    if sum(row["latency_counts"]) != row["calls"]:
        raise BadBatch("latency_counts must add up to calls")
    if row["cache_hits"] + row["cache_misses"] > row["calls"]:
        raise BadBatch("cache_hits and cache_misses must not be more than calls")
    if min(row["http_requests"], row["stream_requests"]) < row["calls"]:
        raise BadBatch("http_requests and stream_requests must not be fewer than calls")


def _find_fault(row: dict[str, Any]) -> None:
    _same_fields(row, _ROW.keys(), "the row")
    for name, (check, shape) in _ROW.items():
        if not check(row[name]):
            raise BadBatch(f"{name} must be {shape}")
        if isinstance(row[name], str):
            row[name] = _storable(row[name])


def _storable(value: str) -> str:
    """Bound a text and replace what PostgreSQL cannot keep; what is odd is rejected when it is added up."""
    return value[:80].encode("utf-8", "replace").decode().replace("\0", "?")


def _same_fields(given: dict[str, Any], wanted: Any, what: str) -> None:
    missing, unknown = sorted(wanted - given.keys()), sorted(given.keys() - wanted)
    if missing:
        raise BadBatch(f"{what} lacks {', '.join(missing)}")
    if unknown:
        raise BadBatch(f"{what} has unknown fields: {', '.join(unknown)[:200]}")
