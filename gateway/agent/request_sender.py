"""Brings the request log up: about once a second, at most so many lines at once, and what is too old never.

Lines are read from the ring, posted, and only then given back, so an agent that is killed posts some twice; the control
plane takes each once. While it is away the ring fills, and then loses lines: nothing waits for them.
"""

import asyncio
import json
import logging

from gateway.agent.control_plane import ControlPlane, Rejected, Unreachable, pause
from gateway.agent.request_lines import parse
from gateway.request_log import RequestLog, to_list

log = logging.getLogger("agent")

INTERVAL_SECONDS = 1.0
MOST_LINES = 500


class RequestSender:
    """Empties the ring into the control plane."""

    def __init__(self, ring: RequestLog, control_plane: ControlPlane) -> None:
        self._ring = ring
        self._control_plane = control_plane

    async def run(self) -> None:
        """Send for ever; while nobody listens, ever less often."""
        failures = 0
        while True:
            try:
                full = await self.step()
                failures = 0
            except (Unreachable, OSError):
                failures += 1
                await pause(failures, longest=10.0)
            else:
                await asyncio.sleep(0 if full else INTERVAL_SECONDS)

    async def step(self) -> bool:
        """Send what waits, at most MOST_LINES; returns whether there may be more. Raises Unreachable and OSError."""
        with self._ring.open() as ring:
            if ring is None:
                return False
            raw, mark = ring.lines(MOST_LINES)
            if not raw:
                return False
            body = await asyncio.to_thread(_body, raw, ring.lost)
            try:
                await self._control_plane.send_requests(body)
            except Rejected as reason:
                log.error("%s lines of the request log were rejected (%s)", len(raw), reason)
            ring.done(mark)
            return len(raw) == MOST_LINES


def _body(raw: list[bytes], lost: int) -> bytes:
    lines = [line for line in map(parse, raw) if line is not None]
    return json.dumps({"lost": lost, "lines": [to_list(line) for line in lines]}).encode()
