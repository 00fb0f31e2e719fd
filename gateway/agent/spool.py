"""Batches on disk until the control plane has them, and the checkpoint of the usage log.

`spool/state.json` holds the spool's random id, the number of the last batch and the checkpoint at that
moment. `spool/<number>.batch` holds one batch: a line with the same facts, then the batch as it is posted.
Writing that file is the one step that commits: its lines are counted and the checkpoint moves, or neither. So
after a kill the truth is state.json, or the batch with the highest number if that number is higher. Before
that batch is deleted (the control plane has it), state.json takes its facts over.
"""

import json
import secrets
import threading
import time
from pathlib import Path
from typing import Any

from gateway.agent.files import sync_folder, write_atomically
from gateway.agent.usage_log import AnyPosition, read_position
from gateway.batches import Row, to_dict


class Damaged(Exception):
    """state.json cannot be read; the text says what to do."""


class Spool:
    """The spool folder, for one process at a time (the agent holds a lock) and its threads."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._state = folder / "state.json"
        self._rejected = folder / "rejected"
        # number and checkpoint change together, and state.json must never have one without the other
        self._lock = threading.RLock()
        self._saved_sequence = 0  # the number in state.json
        self.id = ""
        self.sequence = 0  # of the last batch made
        self.position: AnyPosition | None = None  # lines up to here are in batches

    def open(self) -> None:
        """Load the state; make a new spool where there is none. Raises Damaged and OSError."""
        self._rejected.mkdir(parents=True, exist_ok=True)
        for rest in self._folder.glob("*.tmp"):
            rest.unlink()
        if self._state.exists():
            self._take_over(self._state)
            self._saved_sequence = self.sequence
        else:
            self.id = secrets.token_hex(16)
            self._save()
        highest = max(self.pending(), default=0)
        if highest > self.sequence:
            self._take_over(self._path(highest))

    def _take_over(self, path: Path) -> None:
        try:
            with path.open("rb") as file:
                facts = json.loads(file.readline())
            spool, sequence = str(facts["spool"]), int(facts["sequence"])
            position = read_position(facts["position"])
        except (ValueError, KeyError, TypeError) as error:
            raise Damaged(
                f"{path} is damaged ({error}). To start a new spool, stop nginx and move the spool folder "
                "and the journal folder away; the calls in them that were not sent are then not counted."
            ) from error
        self.id, self.sequence, self.position = spool, sequence, position

    def add(self, rows: list[Row], refused_unknown: int, position: AnyPosition, *, generation: int) -> int:
        """Commit one batch and the checkpoint behind its lines; returns its number.

        OSError (disk full) leaves everything as it was: the lines are read again.
        """
        with self._lock:
            sequence = self.sequence + 1
            batch = {
                "spool": self.id,
                "sequence": sequence,
                "generation": generation,
                "clock": round(time.time(), 3),
                "rows": [to_dict(row) for row in rows],
                "refused_unknown": refused_unknown,
            }
            facts = self._facts(sequence, position)
            write_atomically(self._path(sequence), facts + b"\n" + _compact(batch))
            self.sequence, self.position = sequence, position
            return sequence

    def move_on(self, position: AnyPosition) -> None:
        """Keep a checkpoint without a batch: reading goes on in the next file. Raises OSError."""
        with self._lock:
            before = self.position
            self.position = position
            try:
                self._save()
            except OSError:
                self.position = before
                raise

    def pending(self) -> list[int]:
        """Return the numbers of the batches that are not yet delivered, oldest first."""
        return sorted(int(path.stem) for path in self._folder.glob("*.batch") if path.stem.isdigit())

    def body(self, sequence: int) -> bytes:
        """Return a batch as it is posted."""
        return self._path(sequence).read_bytes().partition(b"\n")[2]

    def delivered(self, sequence: int) -> None:
        """Delete a batch that the control plane has."""
        self._save_before_leaving(sequence)
        self._path(sequence).unlink(missing_ok=True)

    def rejected(self, sequence: int) -> Path:
        """Put a batch aside that the control plane will never take; returns where it lies now."""
        self._save_before_leaving(sequence)
        place = self._rejected / f"{self.id}-{sequence}.batch"
        self._path(sequence).rename(place)
        sync_folder(self._folder)
        sync_folder(self._rejected)
        return place

    def rejected_count(self) -> int:
        """Return how many batches were put aside."""
        return sum(1 for _ in self._rejected.glob("*.batch"))

    def oldest_clock(self) -> float | None:
        """Return when the oldest waiting batch was made (Unix seconds), or None."""
        waiting = self.pending()
        try:
            return self._path(waiting[0]).stat().st_mtime if waiting else None
        except FileNotFoundError:
            return None

    def _save_before_leaving(self, sequence: int) -> None:
        with self._lock:
            if sequence > self._saved_sequence:
                self._save()

    def _save(self) -> None:
        write_atomically(self._state, self._facts(self.sequence, self.position))
        self._saved_sequence = self.sequence

    def _facts(self, sequence: int, position: AnyPosition | None) -> bytes:
        where = None if position is None else position.to_dict()
        return _compact({"spool": self.id, "sequence": sequence, "position": where})

    def _path(self, sequence: int) -> Path:
        return self._folder / f"{sequence:012}.batch"


def _compact(content: dict[str, Any]) -> bytes:
    return json.dumps(content, separators=(",", ":")).encode()
