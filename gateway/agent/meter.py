"""Turns the usage log into batches: about one each second, bounded in size, exact through any kill."""

import asyncio
import threading
import time
from collections.abc import Callable
from pathlib import Path

from gateway.agent.aggregate import Aggregate
from gateway.agent.problems import Problems
from gateway.agent.spool import Spool
from gateway.agent.tally import Tally
from gateway.agent.usage_log import UsageLog

INTERVAL_SECONDS = 1.0
# With this many batches waiting, make larger ones less often: rows add up, and the log keeps what is unread.
CROWDED_BATCHES = 5
CROWDED_SECONDS = 10.0
# A batch is closed at these. One block more may follow, at most 1,500 lines: about 6 MB as it is posted.
BATCH_ROWS = 12_000
BATCH_LINES = 200_000

DISK, GARBAGE, PLACE = "disk", "usage log", "usage log place"


class Meter:
    """Reads, adds up, commits. `step` blocks, so it runs in a thread."""

    def __init__(
        self,
        log: UsageLog,
        spool: Spool,
        problems: Problems,
        *,
        generation: Callable[[], int] = lambda: 0,
        on_batch: Callable[[], None] = lambda: None,
        payload: str = "both",
    ) -> None:
        self._payload = payload
        self._log = log
        self._spool = spool
        self._problems = problems
        self._generation = generation
        self._on_batch = on_batch
        self.tally = Tally()
        self._one_at_a_time = threading.Lock()
        self._newest_line = 0.0
        self.garbage = 0
        self.lines = 0

    async def run(self) -> None:
        """Make batches for ever; after a full disk try again ever more slowly, at most 5 s apart."""
        failures = 0
        while True:
            try:
                full = await asyncio.to_thread(self.step)
                failures = 0
            except OSError:
                failures += 1
                await asyncio.sleep(min(5.0, float(failures)))
            else:
                await asyncio.sleep(0 if full else INTERVAL_SECONDS)
                await self._wait_in_a_crowd()

    def step(self) -> bool:
        """Make at most one batch; True = there is more to read at once. Raises OSError, reported."""
        try:
            # at a stop, the last step of the loop may still run in its thread
            with self._one_at_a_time:
                more = self._make_batch()
                self._log.delete_read(self._spool.position)
        except OSError as error:
            where = Path(str(error.filename or "spool")).name
            self._problems.report(f"{DISK}, usage", f"cannot write {where}: {error.strerror or error}")
            raise
        self._problems.clear(f"{DISK}, usage")
        return more

    def lag_seconds(self) -> float:
        """Return how old the oldest count is that the control plane does not have; 0 = it has all."""
        ages = [0.0]
        oldest = self._spool.oldest_clock()
        if oldest is not None:
            ages.append(time.time() - oldest)
        if self._newest_line and self._log.unread_bytes(self._spool.position) > 0:
            ages.append(time.time() - self._newest_line)
        return round(max(ages), 3)

    def unread_bytes(self) -> int:
        """Return how many bytes of the usage log are in no batch yet."""
        return self._log.unread_bytes(self._spool.position)

    def _make_batch(self) -> bool:
        reader = self._log.reader(self._spool.position)
        total = Aggregate(self._payload)
        full = False
        while not full and (block := reader.read()):
            total.add(block)
            full = len(total) >= BATCH_ROWS or total.lines + total.garbage >= BATCH_LINES
        if reader.lost_place:
            self._problems.report(
                PLACE, "the usage log is not the one that was read before; lines may be missing"
            )
        position = reader.position
        if position is None or position == self._spool.position:
            return False
        if total.lines:
            rows, refused_unknown = total.result()
            self._spool.add(rows, refused_unknown, position, generation=self._generation())
            self.tally.add(rows, refused_unknown, total.integrations())
            self._on_batch()
        else:
            self._spool.move_on(position)
        self._note(total)
        return full

    def _note(self, total: Aggregate) -> None:
        self.lines += total.lines
        self._newest_line = total.newest or self._newest_line
        if total.garbage:
            self.garbage += total.garbage
            self._problems.report(GARBAGE, f"{self.garbage} lines could not be read since the agent started")

    async def _wait_in_a_crowd(self) -> None:
        waited = INTERVAL_SECONDS
        while waited < CROWDED_SECONDS and len(self._spool.pending()) > CROWDED_BATCHES:
            await asyncio.sleep(INTERVAL_SECONDS)
            waited += INTERVAL_SECONDS
