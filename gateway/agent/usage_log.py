"""Reads the usage log from a checkpoint: whole lines only, each once, and deletes the files that are counted.

What an older version wrote (`usage.log` and `usage.log.<n>` in the node's folder) is read first and to its end.
"""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from gateway.agent.old_usage_log import OldPosition, OldReader, OldUsageLog
from gateway.journal import Head, Journal

BLOCK_BYTES = 65_536
LONGEST_REST = 2_048  # what a file may leave empty at its end: less than a line and what is kept free for it


@dataclass(frozen=True, slots=True)
class Position:
    """Up to where lines were counted: which journal, and the offset in it."""

    journal: str
    offset: int

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON shape."""
        return asdict(self)


AnyPosition = Position | OldPosition


def read_position(raw: dict[str, Any] | None) -> AnyPosition | None:
    """Read the JSON shape; None stays None (nothing was counted yet). Raises KeyError and ValueError."""
    if raw is None:
        return None
    if "journal" in raw:
        return Position(str(raw["journal"]), int(raw["offset"]))
    return OldPosition.from_dict(raw)


class UsageLog:
    """The usage log in a node's folder."""

    def __init__(self, folder: Path) -> None:
        self.journal = Journal(folder)
        self._old = OldUsageLog(folder)

    def reader(self, position: AnyPosition | None) -> "Reader":
        """Start reading at a position; where it is unknown, at the oldest line there is."""
        return Reader(self.journal, self._old, position)

    def delete_read(self, position: AnyPosition | None) -> None:
        """Delete the files before the durable checkpoint. Raises OSError."""
        if not isinstance(position, Position):
            return
        self._old.delete()
        head = self.journal.head()
        if head is None or head.id != position.journal:
            return
        for number in self.journal.numbers():
            if (number + 1) * head.segment <= min(position.offset, head.committed):
                self.journal.path(number).unlink(missing_ok=True)

    def unread_bytes(self, position: AnyPosition | None) -> int:
        """Return how many bytes lie after the position."""
        head = self.journal.head()
        if isinstance(position, Position):
            return max(head.committed - position.offset, 0) if head and head.id == position.journal else 0
        return self._old.unread_bytes(position) + (head.committed if head else 0)


class Reader:
    """Reads on from a position. `position` moves with each block; it is not durable before a batch has it."""

    def __init__(self, journal: Journal, old: OldUsageLog, position: AnyPosition | None) -> None:
        self._journal = journal
        self._head = journal.head()
        self._old: OldReader | None = None
        self.lost_place = False
        self.position = position
        if isinstance(position, Position):
            self._find(position)
        else:
            self._old = old.reader(position)
            self.lost_place = self._old.lost_place

    def read(self) -> bytes:
        """Return the next complete lines, at most BLOCK_BYTES; b"" when there is none now."""
        if self._old is not None:
            block = self._old.read()
            if block or self._head is None:
                self.position = self._old.position or self.position
                return block
            self._old = None
            self.position = self._start(self._head)
        if self._head is None or not isinstance(self.position, Position):
            return b""
        return self._read_journal(self._head, self.position.offset)

    def _read_journal(self, head: Head, offset: int) -> bytes:
        while offset < head.committed:
            number, start = divmod(offset, head.segment)
            end = min(head.committed, (number + 1) * head.segment)
            try:
                with self._journal.path(number).open("rb") as file:
                    file.seek(start)
                    data = file.read(min(BLOCK_BYTES, end - offset))
            except FileNotFoundError:
                self.lost_place, data = True, b""
            lines = data[: data.rfind(b"\n") + 1]
            if not lines and end == head.committed and len(data) < BLOCK_BYTES and not self.lost_place:
                return b""  # the file was cut short: who writes it gives it its room, and what it held, back
            if not data.strip(b"\0") and end - offset > LONGEST_REST:
                self.lost_place = True  # nothing where lines were
            if not lines and data.strip(b"\0"):
                lines = data + b"\n"  # no line can be so long: count it as garbage
            # nothing but zeros is the rest of a file that had no room for one more line
            offset = offset + min(len(lines), len(data)) if lines else offset + len(data) if data else end
            self.position = Position(head.id, offset)
            if lines:
                return lines
        return b""

    def _find(self, position: Position) -> None:
        head = self._head
        if head is not None and (position.journal != head.id or position.offset > head.committed):
            self.lost_place = True
            self.position = (
                self._start(head) if position.journal != head.id else Position(head.id, head.committed)
            )

    def _start(self, head: Head) -> Position:
        numbers = self._journal.numbers()
        return Position(
            head.id, min(numbers[0] * head.segment, head.committed) if numbers else head.committed
        )
