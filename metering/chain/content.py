"""What a seal says, as text that has one form only, and its hash. Pure."""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of record that is sealed: what names it within its hour, what follows from that, and its sums.

    `gone`: the sums of a record that is there no more.
    """

    names: tuple[str, ...]
    derived: tuple[str, ...]
    sums: tuple[str, ...]
    gone: tuple[str, ...]

    @property
    def columns(self) -> tuple[str, ...]:
        return (*self.names, *self.derived, *self.sums)

    def name_of(self, row: Sequence[str]) -> tuple[str, ...]:
        return tuple(row[: len(self.names)])

    def is_gone(self, row: Sequence[str]) -> bool:
        return tuple(row[-len(self.sums) :]) == self.gone


CALLS = Kind(
    names=(
        "subscription_id",
        "key_id",
        "stage_id",
        "operation_id",
        "status_class",
        "verdict",
        "canary",
    ),
    derived=("organization_id", "application_id", "api_id", "version_id"),
    sums=(
        "calls",
        "http_requests",
        "stream_requests",
        "cache_hits",
        "cache_misses",
        "bytes_out",
        "bytes_in",
        "latency_ms",
        "integration_ms",
    ),
    gone=("0",) * 9,
)
# what cache-hours and providers' own meters counted in a quarter of an hour (`at`)
METERS = Kind(
    names=("subscription_id", "at", "meter", "api_id", "part"),
    derived=("organization_id", "application_id"),
    sums=("value", "events", "last_at"),
    gone=("0.000000000000", "0", ""),
)

# a record's name within its hour -> all its columns, as text
Records = dict[tuple[str, ...], tuple[str, ...]]


def kind_of(content: Mapping[str, Any]) -> Kind:
    """Return which records a seal's content has."""
    return METERS if "meter" in content["columns"] else CALLS


def as_records(rows: Iterable[Iterable[Any]], kind: Kind = CALLS) -> Records:
    """Return rows of the kind's columns as text, by their names."""
    return {kind.name_of(texts): texts for texts in map(as_texts, rows)}


def as_texts(row: Iterable[Any]) -> tuple[str, ...]:
    """Return a record's values as a seal has them."""
    return tuple(map(_text, row))


def changes(before: Records, now: Records, kind: Kind = CALLS) -> list[list[str]]:
    """Return the records that are new or differ, in order; what is gone comes with nothing in its sums."""
    found = [list(row) for name, row in now.items() if before.get(name) != row]
    for name, row in before.items():
        if name not in now and not kind.is_gone(row):
            found.append([*row[: -len(kind.sums)], *kind.gone])
    return sorted(found)


def apply(records: Records, content: Mapping[str, Any]) -> None:
    """Bring records of an hour to where a seal's content, of their kind, left them."""
    kind = kind_of(content)
    for row in content["records"]:
        records[kind.name_of(row)] = tuple(row)


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
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    # as the column has it: 12 decimals, never an exponent
    return f"{value:f}" if isinstance(value, Decimal) else str(value)
