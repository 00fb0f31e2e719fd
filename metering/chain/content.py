"""What a seal says, as text that has one form only, and its hash. Pure."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

NAMES = (
    "subscription_id",
    "key_id",
    "stage_id",
    "operation_id",
    "status_class",
    "verdict",
    "canary",
)
DERIVED = ("organization_id", "application_id", "api_id", "version_id")
SUMS = (
    "calls",
    "http_requests",
    "stream_requests",
    "cache_hits",
    "cache_misses",
    "bytes_out",
    "bytes_in",
    "latency_ms",
    "integration_ms",
)
COLUMNS = (*NAMES, *DERIVED, *SUMS)

# a record's dimensions within its hour -> all its columns, as text
Records = dict[tuple[str, ...], tuple[str, ...]]


def as_records(rows: Iterable[Iterable[Any]]) -> Records:
    """Return rows of COLUMNS as text, by their dimensions."""
    found = {}
    for row in rows:
        texts = tuple(map(_text, row))
        found[texts[: len(NAMES)]] = texts
    return found


def changes(before: Records, now: Records) -> list[list[str]]:
    """Return the records that are new or differ, in order; what is gone comes with zeros."""
    found = [list(row) for name, row in now.items() if before.get(name) != row]
    for name, row in before.items():
        if name not in now and not is_gone(row):
            found.append([*row[: -len(SUMS)], *["0"] * len(SUMS)])
    return sorted(found)


def apply(records: Records, content: Mapping[str, Any]) -> None:
    """Bring records of an hour to where a seal's content left them."""
    for row in content["records"]:
        texts = tuple(row)
        records[texts[: len(NAMES)]] = texts


def is_gone(row: tuple[str, ...]) -> bool:
    return all(value == "0" for value in row[-len(SUMS) :])


def record_hash(columns: Iterable[str], row: Iterable[str]) -> str:
    """Return SHA-256 (hexadecimal) over a record as JSON: so a seal can be checked by who sees a part of it."""
    return _sha(_one_form(dict(zip(columns, row, strict=True))))


def seal_hash(
    *,
    previous: str,
    organization_id: str,
    number: int,
    at: datetime,
    sealed_at: datetime,
    content: Mapping[str, Any],
) -> str:
    """Return SHA-256 (hexadecimal) over the hash before, a line feed and the seal as JSON, with its records' hashes.

    Moments are in ISO 8601 and UTC.
    """
    said = {
        "organization": organization_id,
        "number": number,
        "hour": at.astimezone(UTC).isoformat(),
        "sealed_at": sealed_at.astimezone(UTC).isoformat(),
        "records": [record_hash(content["columns"], row) for row in content["records"]],
    }
    return _sha(f"{previous}\n{_one_form(said)}")


def _one_form(value: Any) -> str:
    """Sorted names, no spaces, only ASCII."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"))


def _sha(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
