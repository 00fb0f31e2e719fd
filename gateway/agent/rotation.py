"""Keeps the usage log small: rename, have nginx reopen it, read the old file to its end, delete it.

Nothing is remembered between the steps: each look at the folder shows what is to do next, so a kill between
any two of them does no harm.
"""

import time
from pathlib import Path

from gateway.agent.files import sync_folder
from gateway.agent.nginx import is_held_open, reopen_logs
from gateway.agent.usage_log import Position, UsageLog

REOPEN_AGAIN_SECONDS = 3.0
# Where it cannot be seen who has a file open: it is finished when it has not grown for so long.
GRACE_SECONDS = 10.0


class Rotation:
    """The rotation of one node's usage log. All methods raise OSError when the disk does not obey."""

    def __init__(self, log: UsageLog, pid_file: Path, limit_bytes: int) -> None:
        self._log = log
        self._pid_file = pid_file
        self._limit = limit_bytes
        self._asked_at = float("-inf")
        self._seen: dict[Path, tuple[int, float]] = {}  # size, and since when

    def step(self) -> None:
        """Start a rotation when the log is large; ask nginx (again) to reopen while an old file is in use."""
        rotated = self._log.rotated()
        if not rotated and self._is_large():
            self._log.current.rename(self._log.next_name())
            sync_folder(self._log.current.parent)
            self._ask()
        elif rotated and self._must_ask_again(rotated[-1]):
            self._ask()

    def is_finished(self, path: Path) -> bool:
        """Whether nginx will never write to this rotated file again."""
        if not self._log.current.exists():
            return False  # nginx has not reopened (or does not run: the file waits for it)
        held = is_held_open(path)
        return self._has_rested(path) if held is None else not held

    def delete_read(self, position: Position | None) -> None:
        """Delete the rotated files before the durable checkpoint's file."""
        place = self._log.find(position)
        rotated = self._log.rotated()
        if place is None:
            return
        for path in rotated[: rotated.index(place)] if place in rotated else rotated:
            path.unlink(missing_ok=True)
            self._seen.pop(path, None)

    def _is_large(self) -> bool:
        try:
            return self._log.current.stat().st_size > self._limit
        except FileNotFoundError:
            return False

    def _must_ask_again(self, newest: Path) -> bool:
        if time.monotonic() - self._asked_at < REOPEN_AGAIN_SECONDS:
            return False
        return not self._log.current.exists() or bool(is_held_open(newest))

    def _ask(self) -> None:
        self._asked_at = time.monotonic()
        reopen_logs(self._pid_file)

    def _has_rested(self, path: Path) -> bool:
        size, now = path.stat().st_size, time.monotonic()
        known, since = self._seen.setdefault(path, (size, now))
        if known != size:
            self._seen[path] = (size, now)
            return False
        return now - since > GRACE_SECONDS
