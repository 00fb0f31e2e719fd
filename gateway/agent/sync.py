"""Follows the control plane's generations: the snapshot first, then every change as it comes."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

from gateway.agent.control_plane import WAIT_SECONDS, ControlPlane, Rejected, Unreachable, pause
from gateway.agent.problems import Problems
from gateway.agent.store import EntryStore
from gateway.entries import Entry

EMPTY_SECONDS = 0.5

REFUSED, EMPTY = "refused entry", "empty snapshot"


class Sync:
    """The loop that asks "what is after N?".

    `on_change(entries)` is called after the store took changes, `on_snapshot()` after it was replaced.
    """

    def __init__(
        self,
        store: EntryStore,
        control_plane: ControlPlane,
        problems: Problems,
        on_change: Callable[[list[Entry]], Awaitable[None]],
        on_snapshot: Callable[[], Awaitable[None]],
    ) -> None:
        self._store = store
        self._control_plane = control_plane
        self._problems = problems
        self._on_change = on_change
        self._on_snapshot = on_snapshot
        self._after = store.generation
        self._from_the_start = False
        self._snapshot: dict[tuple[str, str], Entry] | None = {} if store.generation == 0 else None

    async def run(self) -> None:
        """Follow the control plane for ever."""
        failures = 0
        while True:
            try:
                await self.step()
                failures = 0
            except (Unreachable, Rejected):
                failures += 1
                await pause(failures)

    def generation(self) -> int:
        """Return up to where the control plane was followed; 0 in the middle of a snapshot."""
        return self._after if self._snapshot is None else 0

    def start_over(self) -> None:
        """Fetch a snapshot with the next ask, whatever this node has."""
        self._from_the_start = True

    async def step(self, wait: int = WAIT_SECONDS) -> None:
        """Ask once and take over the answer; a snapshot's following pages are asked for without waiting."""
        if self._from_the_start:
            self._from_the_start, self._snapshot, self._after = False, {}, 0
        collecting = self._snapshot is not None
        answer = await self._control_plane.entries(
            after=self._after, wait=0 if collecting and self._after else wait
        )
        entries = self._verified(answer["entries"])
        if answer.get("full") and not (collecting and _continues(answer, self._after)):
            self._snapshot = {}
        if self._snapshot is None:
            self._after = answer["generation"]
            if self._store.apply(entries):
                await self._on_change(entries)
            return
        for entry in entries:
            self._snapshot[entry.kind, entry.key] = entry
        self._after = answer["generation"]
        if not answer.get("more"):
            await self._finish_snapshot()

    async def _finish_snapshot(self) -> None:
        """Take the collected pages over at once, so that a kill in between never leaves half of them."""
        entries = list((self._snapshot or {}).values())
        if not entries and self._store.live_count():
            # an empty control plane is a mistake of its operator far more often than a wish
            self._snapshot, self._after = {}, 0
            self._problems.report(EMPTY, "the control plane has no entries at all; keeping those on disk")
            raise Unreachable(EMPTY)
        self._problems.clear(EMPTY)
        self._snapshot = None
        if not entries:
            await asyncio.sleep(EMPTY_SECONDS)  # the control plane does not hold an ask after 0
        self._store.replace(entries, self._after)
        await self._on_snapshot()

    def _verified(self, raw_entries: list[Any]) -> list[Entry]:
        """Return the good ones; a bad one is reported by name, and what the node had before stays."""
        entries = []
        for raw in raw_entries:
            try:
                if not isinstance(raw, dict):
                    raise ValueError("not an object")
                entry = Entry.from_dict(raw)
            except ValueError as error:
                self._problems.report(f"{REFUSED} {_name(raw)}", str(error))
            else:
                self._problems.clear(f"{REFUSED} {entry.kind} {entry.key}")
                entries.append(entry)
        return entries


def _continues(answer: dict[str, Any], after: int) -> bool:
    """Whether a page of a snapshot goes on where the one before ended (and does not start anew)."""
    if not after:
        return False
    generations = [raw.get("generation") for raw in answer["entries"] if isinstance(raw, dict)]
    return all(isinstance(generation, int) and generation > after for generation in generations)


def _name(raw: Any) -> str:
    if not isinstance(raw, dict):
        return json.dumps(raw)[:60]
    return f"{str(raw.get('kind'))[:20]} {str(raw.get('key'))[:80]}"
