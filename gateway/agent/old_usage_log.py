"""The usage log of versions before the journal: `usage.log.<n>` (oldest = smallest n), then `usage.log`.

nginx appended to `usage.log`. After the upgrade nobody writes to these files: what was not counted yet is read to
the end, then they are deleted.
"""

import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

BLOCK_BYTES = 65_536
FIRST_BYTES = 128


@dataclass(frozen=True, slots=True)
class OldPosition:
    """A file (by inode, and by how it begins) and the bytes counted of it."""

    inode: int
    offset: int
    first: str  # the file's first bytes, up to FIRST_BYTES; tells it after a copy to another disk

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON shape."""
        return asdict(self)

    @classmethod
    def from_dict(cls, raw: dict[str, Any]) -> Self:
        """Read the JSON shape."""
        return cls(int(raw["inode"]), int(raw["offset"]), str(raw["first"]))


class OldUsageLog:
    """The files in a node's folder."""

    def __init__(self, folder: Path) -> None:
        self._current = folder / "usage.log"

    def files(self) -> list[Path]:
        """Return all files in the order of their lines."""
        found = []
        for path in self._current.parent.glob("usage.log.*"):
            number = path.name.removeprefix("usage.log.")
            if number.isdigit():
                found.append((int(number), path))
        return [path for _, path in sorted(found)] + ([self._current] if self._current.exists() else [])

    def delete(self) -> None:
        """Delete all files, when everything in them is counted."""
        for path in self.files():
            path.unlink(missing_ok=True)

    def reader(self, position: OldPosition | None) -> "OldReader":
        """Start reading at a position; where it is unknown, at the start of the oldest file."""
        return OldReader(self.files(), position)

    def unread_bytes(self, position: OldPosition | None) -> int:
        """Return how many bytes lie after the position."""
        return self.reader(position).left()


class OldReader:
    """Reads on from a position, through all files."""

    def __init__(self, files: list[Path], position: OldPosition | None) -> None:
        place = _find(files, position)
        self.lost_place = position is not None and place is None and position.offset > 0
        self.position = position if place is not None else None
        self._files = files if place is None else files[place:]

    def left(self) -> int:
        """Return how many bytes are not read yet."""
        read = self.position.offset if self.position else 0
        return sum(path.stat().st_size for path in self._files) - read

    def read(self) -> bytes:
        """Return the next complete lines, at most BLOCK_BYTES; b"" at the end."""
        while self._files:
            with self._files[0].open("rb") as file:
                if self.position is None:
                    first = file.read(FIRST_BYTES).decode("latin-1")
                    self.position = OldPosition(os.fstat(file.fileno()).st_ino, 0, first)
                file.seek(self.position.offset)
                data = file.read(BLOCK_BYTES)
            lines = data[: data.rfind(b"\n") + 1] or data  # a torn end, or garbage without an end
            if lines:
                self.position = OldPosition(
                    self.position.inode, self.position.offset + len(lines), self.position.first
                )
                return lines if lines.endswith(b"\n") else lines + b"\n"
            if len(self._files) == 1:
                break
            del self._files[0]
            self.position = None
        return b""


def _find(files: list[Path], position: OldPosition | None) -> int | None:
    """Return which file a position is in: by inode and beginning, else (a copy) by beginning."""
    if position is None:
        return None
    matching = [number for number, path in enumerate(files) if _matches(path, position)]
    same = [number for number in matching if files[number].stat().st_ino == position.inode]
    if same:
        return same[0]
    return matching[0] if matching and position.first else None


def _matches(path: Path, position: OldPosition) -> bool:
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        first = file.read(min(FIRST_BYTES, len(position.first)))
    return size >= position.offset and first == position.first.encode("latin-1")
