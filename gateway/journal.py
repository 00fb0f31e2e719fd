"""The files of the usage log: `journal/state`, and `journal/<number>.log` with the lines.

`gateway/lua/journal.lua` writes them, the agent reads and deletes them. A line's place is an offset that counts
on over all files: file number N holds the bytes from N times the segment size. The rest of a file whose end has
no room for one more line stays zero. `state` (the struct of journal.lua) starts with a page of numbers, of which
`committed` says up to where lines are whole; behind it are the slots of calls in flight, and the newest lines again.
"""

import os
import secrets
import struct
from dataclasses import dataclass
from pathlib import Path

MAGIC = b"gatehouse usage journal 1\n"
_HEAD = struct.Struct("<32s32sddd")
_STATE_BYTES = 8_192 + 65_536 * 256 + 8_192
LARGEST_SEGMENT = 16 * 2**20
SMALLEST = 2**20
FILES = 4  # at least so many make up the whole


class NotAJournalError(ValueError):
    """`state` was not written by us, or by a newer version; the text says what to do."""


@dataclass(frozen=True, slots=True)
class Head:
    """What `state` tells a reader: which journal this is, bytes a file, and up to where lines are whole."""

    id: str
    segment: int
    committed: int


class Journal:
    """The journal in a node's folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "journal"
        self.state = self.folder / "state"

    def prepare(self, size: int) -> None:
        """Make folder and state where there are none; `size` is what all lines may take. Raises OSError."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for rest in self.folder.glob("*.new"):
            rest.unlink()
        if self.state.exists():
            self.head()
            return
        segment = min(LARGEST_SEGMENT, size // FILES) // 4_096 * 4_096
        fresh = self.state.with_suffix(".new")
        descriptor = os.open(fresh, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            os.posix_fallocate(descriptor, 0, _STATE_BYTES)
            os.pwrite(descriptor, _HEAD.pack(MAGIC, secrets.token_hex(16).encode(), segment, 0, 0), 0)
            os.fsync(descriptor)
        except OSError:
            fresh.unlink()
            raise
        finally:
            os.close(descriptor)
        fresh.rename(self.state)

    def give_to(self, user: int, group: int) -> None:
        """Let nginx's workers write it."""
        for path in (self.folder, *self.folder.iterdir()):
            os.chown(path, user, group)

    def head(self) -> Head | None:
        """Read the state; None where there is no journal yet. Raises NotAJournalError."""
        try:
            with self.state.open("rb") as file:
                raw = file.read(_HEAD.size)
        except FileNotFoundError:
            return None
        if len(raw) < _HEAD.size or not raw.startswith(MAGIC):
            raise NotAJournalError(
                f"{self.state} is not the state of a usage log of this version; stop nginx and the agent and "
                f"move {self.folder} away (lines in it that were not read are then not counted)"
            )
        _, identity, segment, committed, _ = _HEAD.unpack(raw)
        return Head(identity.decode(), int(segment), int(committed))

    def path(self, number: int) -> Path:
        """Return where the file with that number lies."""
        return self.folder / f"{number:012}.log"

    def numbers(self) -> list[int]:
        """Return the numbers of the files that are there, oldest first."""
        return sorted(int(path.stem) for path in self.folder.glob("*.log") if path.stem.isdigit())
