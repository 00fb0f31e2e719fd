"""The node's copy of the entries: an append log on disk (`entries.jsonl`) and a dict in memory.

One Entry a line; the last line of a kind and key wins; a tombstone (data null) stays until compaction. nginx
reads the same file when it starts. Held in memory as the encoded lines, which is a third of the decoded size.
"""

import json
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from gateway.agent.files import own, write_atomically
from gateway.agent.problems import Problems
from gateway.entries import Entry

# Compact when the file has this many lines more than twice the entries it stands for.
COMPACTION_SLACK_LINES = 1_000


class Held(NamedTuple):
    """An entry as the store holds it: `line` is its JSON with the newline."""

    kind: str
    key: str
    generation: int
    line: bytes
    gone: bool


def _hold(entry: Entry) -> Held:
    line = entry.to_json().encode() + b"\n"
    return Held(entry.kind, entry.key, entry.generation, line, entry.data is None)


class EntryStore:
    """All entries of this node. The dict is kept in order of generation."""

    def __init__(self, path: Path, problems: Problems) -> None:
        self._path = path
        self._problems = problems
        self._held: dict[tuple[str, str], Held] = {}
        self._live: int | None = None  # how many are not gone; None = to be counted, which takes a while
        self._lines = 0  # in the file
        self._size = 0  # bytes of the file that are known to be good
        self._unsaved = False  # memory has more than the file: an append failed
        self.generation = 0  # ask the control plane for what is newer than this

    def load(self) -> None:
        """Read the file. A torn last line is cut off; any other bad line means: fetch everything again."""
        raw = self._path.read_bytes() if self._path.exists() else b""
        lines = raw.split(b"\n")
        torn = lines.pop() if lines else b""
        damaged = 0
        found: dict[tuple[str, str], Held] = {}
        for line in lines:
            try:
                entry = Entry.from_dict(json.loads(line))
            except (ValueError, AttributeError):
                damaged += 1
                continue
            held = Held(entry.kind, entry.key, entry.generation, line + b"\n", entry.data is None)
            found[entry.kind, entry.key] = held
        ordered = sorted(found.values(), key=lambda held: held.generation)
        self._held, self._live = {(held.kind, held.key): held for held in ordered}, None
        self._lines, self._size = len(lines), len(raw) - len(torn)
        self.generation = ordered[-1].generation if ordered and not damaged else 0
        if torn:
            os.truncate(self._path, self._size)
        if damaged:
            self._problems.report("store", f"{damaged} bad lines in {self._path.name}; fetching all again")

    def __len__(self) -> int:
        return len(self._held)

    def live_count(self) -> int:
        """Return how many entries are there, tombstones left out."""
        if self._live is None:
            self._live = sum(not held.gone for held in self._held.values())
        return self._live

    def get(self, kind: str, key: str) -> Held | None:
        """Return an entry, or None when it is unknown or gone."""
        held = self._held.get((kind, key))
        return None if held is None or held.gone else held

    def newest(self) -> int:
        """Return the newest generation held; 0 = nothing is."""
        return next(reversed(self._held.values())).generation if self._held else 0

    def is_current(self, name: tuple[str, str], held: Held) -> bool:
        """Whether this is still what the store has under (kind, key)."""
        return self._held.get(name) is held

    def after(self, generation: int) -> list[Held]:
        """Return what is newer than `generation`, oldest first, tombstones included."""
        newer = []
        for held in reversed(self._held.values()):
            if held.generation <= generation:
                break
            newer.append(held)
        return newer[::-1]

    def of_kinds(self, kinds: Iterable[str]) -> Iterator[Held]:
        """Yield the live entries of these kinds."""
        wanted = set(kinds)
        return (held for held in self._held.values() if held.kind in wanted and not held.gone)

    def apply(self, entries: list[Entry]) -> list[Held]:
        """Take over changes, oldest first, and append them durably; returns those that were news.

        A full disk does not stop a change from taking effect: it is held in memory, reported, and written
        with the next change that finds room.
        """
        news = []
        self._live = None
        for entry in sorted(entries, key=lambda entry: entry.generation):
            known = self._held.pop((entry.kind, entry.key), None)
            held = _hold(entry)
            if known is not None and known.generation >= entry.generation:
                held = known
            else:
                news.append(held)
            self._held[entry.kind, entry.key] = held
            if held is known:
                self._sort()
        if news:
            self._save(lambda: self._append(news))
        return news

    def replace(self, entries: list[Entry], generation: int) -> None:
        """Make a snapshot the whole truth: what it does not have becomes a tombstone of `generation`."""
        fresh = {(entry.kind, entry.key): _hold(entry) for entry in entries}
        for name, held in self._held.items():
            if name not in fresh and not held.gone:
                fresh[name] = _hold(Entry(held.kind, held.key, generation, None))
        self._held, self._live = fresh, None
        self._sort()
        self._save(self._rewrite)
        self._problems.clear("store")

    def wants_compaction(self) -> bool:
        """Whether the file is mostly history by now."""
        return self._unsaved or self._lines > 2 * len(self._held) + COMPACTION_SLACK_LINES

    def compact(self, nginx_has: int) -> None:
        """Rewrite the file without history, and forget tombstones up to the generation nginx has."""
        newest = self.newest()
        self._held = {
            name: held
            for name, held in self._held.items()
            if not held.gone or held.generation > nginx_has or held.generation == newest
        }
        self._save(self._rewrite)

    def _sort(self) -> None:
        ordered = sorted(self._held.values(), key=lambda held: held.generation)
        self._held = {(held.kind, held.key): held for held in ordered}

    def _save(self, write) -> None:  # type: ignore[no-untyped-def]
        try:
            write()
        except OSError as error:
            self._unsaved = True
            self._problems.report("disk", f"cannot write {self._path.name}: {error.strerror}")
        else:
            self._problems.clear("disk")

    def _append(self, news: list[Held]) -> None:
        if self._unsaved:  # the file has a gap: write all of it
            self._rewrite()
            return
        try:
            with open(self._path, "ab", opener=own) as file:
                file.write(b"".join(held.line for held in news))
                file.flush()
                os.fsync(file.fileno())
                self._size = file.tell()
        except OSError:
            os.truncate(self._path, self._size)  # no half line may stay before the next one
            raise
        self._lines += len(news)

    def _rewrite(self) -> None:
        data = b"".join(held.line for held in self._held.values())
        write_atomically(self._path, data)
        self._lines, self._size, self._unsaved = len(self._held), len(data), False
