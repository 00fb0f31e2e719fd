"""Entries: what nodes must know, written in generations, read as snapshots and changes."""

from dataclasses import dataclass

from accounts.models import Organization
from nodes.models import Entry


@dataclass(frozen=True, slots=True)
class Change:
    """One entry to write. `data` is a dataclass of `gateway.entries`, or None when the thing is gone."""

    kind: str
    key: str
    organization_id: str | None
    data: object | None


@dataclass(frozen=True, slots=True)
class Changes:
    """What a node gets: entries by generation; ask again after `generation`, at once if `more`.

    `full` = these entries (with the pages that follow) are everything; what the node has besides is wrong.
    """

    generation: int
    entries: list[Entry]
    more: bool
    full: bool


def write(*, kind: str, key: str, organization: Organization | None, data: object | None) -> bool:
    """Write one entry inside the caller's transaction; False = it was like that already."""
    raise NotImplementedError


def write_many(*, changes: list[Change]) -> int:
    """Write several entries inside the caller's transaction, set-based; returns how many differed."""
    raise NotImplementedError


def newest_generation() -> int:
    """Return the generation of the newest entry; 0 = there is none."""
    raise NotImplementedError


def snapshot(*, after: int, limit: int = 5_000) -> Changes:
    """Return the entries after a generation, oldest first. `after=0` leaves out what is gone."""
    raise NotImplementedError


def wait_for_change(*, after: int, seconds: float) -> bool:
    """Wait until there is an entry after `after` (True) or the time is over (False)."""
    raise NotImplementedError


def rebuild() -> int:
    """Compare all models with the entries and write what differs; returns how many did."""
    raise NotImplementedError
