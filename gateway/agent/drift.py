"""From time to time: does this node hold exactly what the control plane has?

Changes come one by one, so a mistake anywhere (a lost change, a damaged file, a hand in the database) would stay
for ever. The comparison is of one number over all entries; where it differs, everything is fetched anew.
"""

import asyncio
import hashlib
import logging
from collections.abc import Callable, Iterable

from gateway.agent.control_plane import ControlPlane, Rejected, Unreachable
from gateway.agent.problems import Problems
from gateway.agent.store import EntryStore

FIRST_SECONDS = 60.0
INTERVAL_SECONDS = 600.0
PROBLEM = "drift"

log = logging.getLogger("agent")


def digest(entries: Iterable[tuple[str, str, int]]) -> int:
    """Return the sum over (kind, key, generation) of the first 60 bits of the MD5 of `kind:key:generation`.

    A sum, so that neither side has to sort; PostgreSQL computes the same (`nodes/entries.py`).
    """
    total = 0
    for kind, key, generation in entries:
        text = f"{kind}:{key}:{generation}".encode()
        total += int(hashlib.md5(text, usedforsecurity=False).hexdigest()[:15], 16)
    return total


class Drift:
    """Compares, and calls `start_over()` when the node's entries are not the control plane's.

    `generation()` is up to where the node has followed the control plane.
    """

    def __init__(
        self,
        store: EntryStore,
        control_plane: ControlPlane,
        problems: Problems,
        *,
        generation: Callable[[], int],
        start_over: Callable[[], None],
    ) -> None:
        self._store = store
        self._control_plane = control_plane
        self._problems = problems
        self._generation = generation
        self._start_over = start_over

    async def run(self) -> None:
        """Compare for ever."""
        await asyncio.sleep(FIRST_SECONDS)
        while True:
            await self.compare()
            await asyncio.sleep(INTERVAL_SECONDS)

    async def compare(self) -> None:
        """Compare once; says nothing while the two are at different generations, as they often are."""
        try:
            theirs = await self._control_plane.digest()
        except (Unreachable, Rejected):
            return
        if theirs is None or theirs["generation"] != self._generation():
            return
        held = [(one.kind, one.key, one.generation) for one in self._store.after(0) if not one.gone]
        ours = await asyncio.to_thread(digest, held)
        if theirs["generation"] != self._generation():
            return
        if (len(held), ours) == (theirs["count"], int(theirs["digest"])):
            self._problems.clear(PROBLEM)
            return
        self._problems.report(
            PROBLEM,
            f"{len(held)} entries here, {theirs['count']} at the control plane, not the same ones; "
            "fetching all again",
        )
        self._start_over()
