"""Pushes entries into nginx: changes at once, and what is missing after nginx was started anew."""

import asyncio
import logging
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

from gateway.agent.nginx import Away, ControlSocket, PushRefused
from gateway.agent.problems import Problems
from gateway.agent.store import EntryStore, Held

PUSH_LINES = 1_000
PUSH_BYTES = 4_000_000
CHECK_SECONDS = 1.0
# Entries that nginx refused are tried again this often (an operator may have given it more memory).
RETRY_SECONDS = 10.0
# nginx's number of entries must be wrong at so many looks in a row before everything is pushed anew.
UNLIKE_LIMIT = 3
# After so many entries in a row found no room, only those that close a door are still tried in this round.
FULL_LIMIT = 3

log = logging.getLogger("agent")

NGINX, MEMORY, BAD = "nginx", "memory", "bad entry"


class Pusher:
    """Keeps nginx's entries equal to the store's."""

    def __init__(
        self,
        store: EntryStore,
        socket: ControlSocket,
        problems: Problems,
        on_start: Callable[[], None] = lambda: None,
    ) -> None:
        self._store = store
        self._socket = socket
        self._problems = problems
        self._on_start = on_start
        self._lock = asyncio.Lock()
        self._started: Any = None  # nginx's start time; None = not seen yet
        self._pushed = 0  # nginx has been offered everything up to this generation
        self._unplaced: dict[tuple[str, str], Held] = {}  # no room for these
        self._bad: set[tuple[str, str]] = set()  # nginx found these wrong
        self._tried_at = 0.0
        self._unlike = 0  # looks in a row at which nginx held another number of entries than the store
        self.nginx: dict[str, Any] = {}  # its last /status answer; empty = away

    async def run(self) -> None:
        """Look after nginx each second, for ever."""
        while True:
            await self.check()
            await asyncio.sleep(CHECK_SECONDS)

    async def check(self) -> None:
        """Notice a restarted nginx, and push what is missing."""
        async with self._lock:
            try:
                await self._look()
                await self._catch_up()
                await self._heal_if_unlike()
                if self._unplaced and time.monotonic() - self._tried_at > RETRY_SECONDS:
                    await self._retry_unplaced()
                if not self._unplaced:
                    self._problems.clear_all(MEMORY)
                self._problems.clear(NGINX)
            except Away as error:
                self.nginx = {}
                self._problems.report(NGINX, f"away ({error})")

    async def push_changes(self) -> None:
        """Push what the store got since the last push; when nginx is away, `check` will do it later."""
        async with self._lock:
            if self._started is None:
                return
            try:
                await self._catch_up()
            except Away as error:
                self._problems.report(NGINX, f"away ({error})")

    async def push_all(self) -> None:
        """Push every entry again, as after a snapshot; nginx skips those it has."""
        self._pushed = 0
        await self.push_changes()
        if not len(self._store) and self._started is not None:
            # nothing at all is an answer too: from now on the gate refuses instead of saying "not ready"
            with suppress(Away):
                await self._socket.push([])

    def offered(self) -> int:
        """Return the generation up to which nginx has been offered everything."""
        return self._pushed

    def generation(self) -> int:
        """Return the generation that nginx really runs: below the oldest entry that found no room."""
        held = int(self.nginx.get("generation") or 0)
        return min([held, *(entry.generation - 1 for entry in list(self._unplaced.values()))])

    async def _look(self) -> None:
        self.nginx = await self._socket.status()
        if self.nginx.get("started") == self._started:
            return
        self._started = self.nginx.get("started")
        self._unplaced.clear()
        self._bad.clear()
        self._problems.clear_all(BAD)
        # nginx has read the file by itself; believe its generation only if the count fits too
        complete = self.nginx.get("entries") == self._store.live_count()
        held = int(self.nginx.get("generation") or 0)
        self._pushed = min(held, self._store.newest()) if complete else 0
        self._on_start()

    async def _catch_up(self) -> None:
        await self._push(self._store.after(self._pushed))
        newest = self._store.newest()
        self._pushed = max(self._pushed, newest)
        if newest and int(self.nginx.get("generation") or 0) > newest:
            log.warning("nginx is ahead of the control plane, which was restored from a copy: starting over")
            await self._heal()

    async def _heal_if_unlike(self) -> None:
        """Start over when nginx has other entries than the store, although it was offered them all."""
        settled = not self._unplaced and not self._bad and self._pushed == self._store.newest()
        same = self.nginx.get("entries") == self._store.live_count()
        self._unlike = 0 if same or not settled else self._unlike + 1
        if self._unlike >= UNLIKE_LIMIT:
            self._unlike = 0
            log.warning(
                "nginx holds %s entries, not %s: starting over",
                self.nginx.get("entries"),
                self._store.live_count(),
            )
            await self._heal()

    async def _heal(self) -> None:
        """Make nginx's entries the store's; what is in use stays so until its newer self has come."""
        await self._socket.start_over()
        self.nginx["generation"] = self._pushed = 0
        await self._push(self._store.after(0))
        self._pushed = self._store.newest()
        await self._socket.sweep([*self._unplaced, *self._bad])

    async def _retry_unplaced(self) -> None:
        entries = [
            held
            for name, held in self._unplaced.items()
            if self._store.is_current(name, held)  # a newer one was pushed in the meantime
        ]
        self._unplaced.clear()
        await self._push(sorted(entries, key=lambda held: held.generation))

    async def _push(self, entries: list[Held]) -> None:
        full_in_a_row = 0
        for chunk in _chunks(entries):
            rest = chunk
            while rest:
                if full_in_a_row >= FULL_LIMIT:
                    rest = self._leave_out(rest)
                    if not rest:
                        break
                try:
                    self.nginx["generation"] = await self._socket.push(held.line for held in rest)
                    full_in_a_row = 0
                    self._placed(rest)
                    break
                except PushRefused as refusal:
                    index = _index(rest, refusal)
                    if index:
                        full_in_a_row = 0
                    self._placed(rest[:index])
                    full_in_a_row += refusal.status == 507
                    self._refused(rest[index], refusal)
                    rest = rest[index + 1 :]
            self._pushed = max(self._pushed, chunk[-1].generation - 1)

    def _placed(self, entries: list[Held]) -> None:
        if not entries:
            return
        self.nginx["generation"] = max(int(self.nginx.get("generation") or 0), entries[-1].generation)
        if self._unplaced or self._bad:
            for held in entries:
                self._unplaced.pop((held.kind, held.key), None)
                if (held.kind, held.key) in self._bad:
                    self._bad.remove((held.kind, held.key))
                    self._problems.clear(f"{BAD} {held.kind} {held.key}")

    def _leave_out(self, entries: list[Held]) -> list[Held]:
        """Give up on entries that need room, for now; return those that close a door."""
        closing = [held for held in entries if _closes_a_door(held)]
        for held in entries:
            if not _closes_a_door(held):
                self._unplaced[held.kind, held.key] = held
        return closing

    def _refused(self, held: Held, refusal: PushRefused) -> None:
        if refusal.status == 507:
            self._tried_at = time.monotonic()
            self._unplaced[held.kind, held.key] = held
            self._problems.report(
                MEMORY,
                f"no room in nginx for {held.kind} {held.key}, generation {held.generation}; "
                "raise GATEHOUSE_ENTRIES_MEMORY and restart nginx",
            )
        else:
            self._bad.add((held.kind, held.key))
            self._problems.report(
                f"{BAD} {held.kind} {held.key}", f"nginx refuses generation {held.generation}: {refusal}"
            )


def _closes_a_door(held: Held) -> bool:
    """Whether an entry takes a right away; such a one must get through even when memory is short."""
    return held.gone or b'"active":false' in held.line or b'"suspended":true' in held.line


def _index(entries: list[Held], refusal: PushRefused) -> int:
    """Return which entry was refused: by kind and key if nginx says so, else by its line (from 1)."""
    for index, held in enumerate(entries):
        if (held.kind, held.key) == (refusal.kind, refusal.key):
            return index
    line = refusal.line if isinstance(refusal.line, int) else 1
    return min(max(line, 1), len(entries)) - 1


def _chunks(entries: list[Held]) -> Iterator[list[Held]]:
    chunk: list[Held] = []
    size = 0
    for held in entries:
        if chunk and (len(chunk) >= PUSH_LINES or size + len(held.line) > PUSH_BYTES):
            yield chunk
            chunk, size = [], 0
        chunk.append(held)
        size += len(held.line)
    if chunk:
        yield chunk
