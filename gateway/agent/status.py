"""Tells the control plane how this node is: every 2 seconds, and as soon as nginx runs something newer."""

import asyncio
import os
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from gateway.agent.control_plane import ControlPlane, Rejected, Unreachable
from gateway.agent.meter import Meter
from gateway.agent.problems import Problems
from gateway.agent.push import Pusher
from gateway.agent.rate import Rate
from gateway.agent.spool import Spool
from gateway.agent.store import EntryStore

INTERVAL_SECONDS = 2.0
# however often nginx gets something newer
LEAST_SECONDS = 0.1
# Below this the disk counts as nearly full: the usage log may soon find no room.
LITTLE_DISK_BYTES = 256 * 2**20
DISK = "disk space"


class Status:
    """Makes the report and posts it."""

    def __init__(
        self,
        *,
        folder: Path,
        store: EntryStore,
        pusher: Pusher,
        meter: Meter,
        spool: Spool,
        control_plane: ControlPlane,
        problems: Problems,
        give_back: Callable[[list[dict[str, Any]]], Awaitable[None]] | None = None,
        free_bytes: Callable[[Path], int] | None = None,
    ) -> None:
        self._folder = folder
        self._store = store
        self._pusher = pusher
        self._meter = meter
        self._spool = spool
        self._control_plane = control_plane
        self._problems = problems
        self._free_bytes = free_bytes or _free_bytes
        self._give_back = give_back
        self._news = asyncio.Event()
        self._rate = Rate()
        self._started = round(time.time(), 3)
        self.newest = 0  # the control plane's newest generation

    async def run(self) -> None:
        """Report for ever."""
        while True:
            self._news.clear()
            await self.send()
            await asyncio.sleep(LEAST_SECONDS)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._news.wait(), INTERVAL_SECONDS - LEAST_SECONDS)

    def wake(self) -> None:
        """Report at once: others may wait for what nginx runs now."""
        self._news.set()

    async def send(self) -> None:
        """Report once, and give back what others want; that nobody listens is noted elsewhere."""
        try:
            self.newest, wanted = await self._control_plane.status(self.report())
        except (Unreachable, Rejected):
            return
        if wanted and self._give_back is not None:
            await self._give_back(wanted)

    def report(self) -> dict[str, Any]:
        """Return `{"generation" that nginx runs, "version" of nginx, "status": {...}}`; times in seconds."""
        nginx = self._pusher.nginx
        free = self._free_bytes(self._folder)
        if free < LITTLE_DISK_BYTES:
            self._problems.report(
                DISK, f"only {free // 2**20} MiB left; calls are refused when the usage log finds no room"
            )
        else:
            self._problems.clear(DISK)
        return {
            "generation": self._pusher.generation(),
            "version": str(nginx.get("version") or ""),
            "status": {
                "nginx": nginx,
                "agent_started": self._started,
                "clock": round(time.time(), 3),
                "stored_generation": self._store.newest(),
                "stored_entries": self._store.live_count(),
                "problems": self._problems.report_list(),
                "spool_batches": len(self._spool.pending()),
                "rejected_batches": self._spool.rejected_count(),
                "usage_lag_seconds": self._meter.lag_seconds(),
                "usage_lines": self._meter.lines,
                "calls_per_second": self._rate.of(self._meter.lines, time.monotonic()),
                "garbage_lines": self._meter.garbage,
                "disk_free_bytes": free,
            },
        }


def _free_bytes(folder: Path) -> int:
    found = os.statvfs(folder)
    return found.f_bavail * found.f_frsize
