"""Keeps every file of a node's usage log by a second link, so that its lines can be read after the agent deleted it."""

import os
import threading
from collections.abc import Iterator
from pathlib import Path

from gateway.journal import Journal

SCAN = 0.05  # seconds; a file lives much longer
FIELDS = 12


class Witness:
    """Watches one node's journal from a thread of its own."""

    def __init__(self, node: Path) -> None:
        self.journal = Journal(node)
        self._kept = node / "witness"
        self._kept.mkdir(exist_ok=True)
        self._copies: dict[str, bytes] = {}
        self.problems: list[str] = []
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def remember(self, number: int) -> None:
        """Copy a file's lines of this moment: somebody is about to truncate it."""
        self.link()
        path = self.journal.path(number)
        head = self.journal.head()
        assert head
        known = self._copies.get(self._name(path), b"")
        lines = path.read_bytes()[: max(head.committed - number * head.segment, 0)]
        self._copies[self._name(path)] = known + lines[len(known) :]

    def lines(self) -> Iterator[list[str]]:
        """Yield the fields of every line that was ever committed, in order of files."""
        self.link()
        head = self.journal.head()
        assert head
        for path in sorted(self._kept.iterdir()):
            number = int(path.name.partition("-")[0])
            data = path.read_bytes()
            copy = self._copies.get(path.name, b"")
            data = copy + data[len(copy) :]
            whole = data[: max(head.committed - number * head.segment, 0)].rstrip(b"\0")
            for line in whole.decode().splitlines():
                fields = line.lstrip("\0").split(" ", FIELDS - 1)
                if "\0" in line or len(fields) != FIELDS:
                    self.problems.append(f"{path}: a hole, or no line: {line.lstrip(chr(0))!r}")
                if len(fields) == FIELDS:
                    yield fields

    def close(self) -> None:
        self._stop.set()
        self._thread.join()

    def link(self) -> None:
        """Look once for new files."""
        for number in self.journal.numbers():
            path = self.journal.path(number)
            try:
                (self._kept / self._name(path)).hardlink_to(path)
            except (FileExistsError, FileNotFoundError):
                continue

    def _run(self) -> None:
        while not self._stop.wait(SCAN):
            self.link()

    @staticmethod
    def _name(path: Path) -> str:
        return f"{path.stem}-{os.stat(path).st_ino}"
