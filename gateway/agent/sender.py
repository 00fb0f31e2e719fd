"""Delivers batches, oldest first. One leaves the spool only when the control plane says that it has it."""

import asyncio
import logging

from gateway.agent.control_plane import ControlPlane, Rejected, Unreachable, pause
from gateway.agent.problems import Problems
from gateway.agent.spool import Spool

log = logging.getLogger("agent")

REJECTED = "rejected batches"


class Sender:
    """Empties the spool into the control plane."""

    def __init__(self, spool: Spool, control_plane: ControlPlane, problems: Problems) -> None:
        self._spool = spool
        self._control_plane = control_plane
        self._problems = problems
        self._news = asyncio.Event()

    def wake(self) -> None:
        """Tell it that there is a new batch (from the event loop's thread)."""
        self._news.set()

    async def run(self) -> None:
        """Deliver for ever; retry at most 3 s apart while the control plane is away."""
        failures = 0
        while True:
            self._news.clear()
            try:
                await self.send_all()
                failures = 0
            except (Unreachable, OSError):
                failures += 1
                await pause(failures)
                continue
            await self._news.wait()

    async def send_all(self) -> int:
        """Deliver what waits; returns how many batches went. Raises Unreachable; OSError from the spool."""
        waiting = self._spool.pending()
        for sequence in waiting:
            await self.send(sequence)
        self._report_rejected()
        return len(waiting)

    async def send(self, sequence: int) -> None:
        """Deliver one batch, or put it aside when it can never be used."""
        body = await asyncio.to_thread(self._spool.body, sequence)
        try:
            await self._control_plane.send_batch(body)
        except Rejected as reason:
            place = await asyncio.to_thread(self._spool.rejected, sequence)
            log.error("batch %s was rejected (%s); kept in %s", sequence, reason, place)
        else:
            await asyncio.to_thread(self._spool.delivered, sequence)

    def _report_rejected(self) -> None:
        count = self._spool.rejected_count()
        if count:
            self._problems.report(REJECTED, f"{count} in spool/rejected; the agent's log has the reasons")
        else:
            self._problems.clear(REJECTED)
