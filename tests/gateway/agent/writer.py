"""The gate's part: writes the usage log."""

import struct
from pathlib import Path

from gateway.journal import SMALLEST, Journal

COMMITTED = 72  # where `committed` lies in the state


class JournalWriter:
    """Appends lines as journal.lua does. The journal is made when there is none."""

    def __init__(self, folder: Path, size: int = SMALLEST) -> None:
        self.journal = Journal(folder)
        self.journal.prepare(size)

    def write(self, *lines: str) -> None:
        """Commit lines, each without its newline."""
        head = self.journal.head()
        assert head
        committed = head.committed
        for line in lines:
            text = line.encode() + b"\n"
            number, start = divmod(committed, head.segment)
            if start + len(text) > head.segment:
                number, start, committed = number + 1, 0, (number + 1) * head.segment
            path = self.journal.path(number)
            if not path.exists():
                path.write_bytes(bytes(head.segment))
            with path.open("r+b") as file:
                file.seek(start)
                file.write(text)
            committed += len(text)
        with self.journal.state.open("r+b") as file:
            file.seek(COMMITTED)
            file.write(struct.pack("d", committed))
