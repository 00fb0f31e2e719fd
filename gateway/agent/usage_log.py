"""Reads the usage log from a checkpoint: whole lines only, through rotated files, without losing its place.

The files are `usage.log.<n>` (oldest = smallest n) and then `usage.log`, which nginx writes.
"""

import os
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

BLOCK_BYTES = 65_536
FIRST_BYTES = 128


@dataclass(frozen=True, slots=True)
class Position:
    """Up to where lines were counted: a file (by inode, and by how it begins) and the bytes read of it."""

    inode: int
    offset: int
    first: str  # the file's first bytes, up to FIRST_BYTES; tells it after a copy to another disk

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON shape."""
        return asdict(self)

    @classmethod
    def from_dict(cls, raw: dict[str, Any] | None) -> Self | None:
        """Read the JSON shape; None stays None (nothing was counted yet)."""
        return None if raw is None else cls(int(raw["inode"]), int(raw["offset"]), str(raw["first"]))


class UsageLog:
    """The files of the usage log in a node's folder."""

    def __init__(self, folder: Path) -> None:
        self.current = folder / "usage.log"

    def rotated(self) -> list[Path]:
        """Return the rotated files, oldest first."""
        found = []
        for path in self.current.parent.glob("usage.log.*"):
            number = path.name.removeprefix("usage.log.")
            if number.isdigit():
                found.append((int(number), path))
        return [path for _, path in sorted(found)]

    def files(self) -> list[Path]:
        """Return all files in the order of their lines."""
        return [*self.rotated(), *([self.current] if self.current.exists() else [])]

    def next_name(self) -> Path:
        """Return the name that the current file gets when it is rotated."""
        numbers = [int(path.name.rpartition(".")[2]) for path in self.rotated()]
        return self.current.with_name(f"usage.log.{max(numbers, default=0) + 1}")

    def find(self, position: Position | None) -> Path | None:
        """Return the file a position is in: by inode and beginning, else (a copy) by beginning; else None."""
        if position is None:
            return None
        matching = [path for path in self.files() if _matches(path, position)]
        same = [path for path in matching if path.stat().st_ino == position.inode]
        if same:
            return same[0]
        return matching[0] if matching and position.first else None

    def reader(
        self, position: Position | None, is_finished: Callable[[Path], bool] = lambda path: False
    ) -> "Reader":
        """Start reading at a position; where it is unknown, at the start of the oldest file."""
        return Reader(self, position, is_finished)

    def unread_bytes(self, position: Position | None) -> int:
        """Return how many bytes lie after the position."""
        files = self.files()
        place = self.find(position)
        if place is not None and position is not None:
            files = files[files.index(place) :]
            return sum(path.stat().st_size for path in files) - position.offset
        return sum(path.stat().st_size for path in files)


def _matches(path: Path, position: Position) -> bool:
    try:
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            first = file.read(min(FIRST_BYTES, len(position.first)))
    except OSError:
        return False
    return size >= position.offset and first == position.first.encode("latin-1")


class Reader:
    """Reads on from a position. `position` moves with each block; it is not durable before a batch has it."""

    def __init__(self, log: UsageLog, position: Position | None, is_finished: Callable[[Path], bool]) -> None:
        self._log = log
        self._is_finished = is_finished
        self._path = log.find(position)
        self.lost_place = position is not None and self._path is None and position.offset > 0
        self.position = position if self._path is not None else None

    def read(self) -> bytes:
        """Return the next complete lines, at most BLOCK_BYTES; b"" when there is none now."""
        while True:
            if self._path is None and not self._start_at(next(iter(self._log.files()), None)):
                return b""
            assert self._path is not None
            block = self._next_block()
            if block or self._path == self._log.current or not self._is_finished(self._path):
                return block
            # nobody writes to it any more; what came between the two looks is still to be read
            block = self._next_block(whole_rest=True)
            if block or not self._go_to_next_file():
                return block

    def _next_block(self, *, whole_rest: bool = False) -> bytes:
        assert self._path is not None
        assert self.position is not None
        offset = self.position.offset
        try:
            with self._path.open("rb") as file:
                file.seek(offset)
                data = file.read(BLOCK_BYTES)
        except FileNotFoundError:
            return b""
        end = data.rfind(b"\n") + 1
        if end == 0 and (len(data) == BLOCK_BYTES or (whole_rest and data)):
            end = len(data)  # no line can be so long, or the last one was cut: count it as garbage
        block = data[:end]
        if block:
            self._move(offset + end, first_block=block if offset == 0 else b"")
        return block if block.endswith(b"\n") or not block else block + b"\n"

    def _move(self, offset: int, *, first_block: bytes) -> None:
        assert self.position is not None
        first = self.position.first or first_block[:FIRST_BYTES].decode("latin-1")
        self.position = Position(self.position.inode, offset, first)

    def _go_to_next_file(self) -> bool:
        assert self._path is not None
        files = self._log.files()
        later = files[files.index(self._path) + 1 :] if self._path in files else []
        return self._start_at(later[0] if later else None)

    def _start_at(self, path: Path | None) -> bool:
        if path is None:
            return False
        try:
            inode = path.stat().st_ino
        except FileNotFoundError:
            return False
        self._path, self.position = path, Position(inode, 0, "")
        return True
