"""Gives unspent units of quotas back, each exactly once. What cannot be given back counts as spent."""

import asyncio
import secrets
from collections import OrderedDict, deque
from typing import Any

from gateway.agent.control_plane import ControlPlane, Rejected, Unreachable

# leases that may wait for the control plane; the oldest are given up beyond
MOST_WAITING = 10_000

Back = dict[str, Any]


class GiveBack:
    """A queue for each lease: one after the other, a return whose fate is unknown is repeated as it was."""

    def __init__(self, control_plane: ControlPlane) -> None:
        self._control_plane = control_plane
        self._waiting: OrderedDict[tuple[str, str], deque[Back]] = OrderedDict()

    def add(self, taken: list[Back]) -> None:
        """Take over units: `{"subscription", "key", "starts_at", "epoch", "units"}`."""
        for lease in taken:
            if lease.get("units"):
                name = str(lease["subscription"]), str(lease.get("key") or "")
                back = lease | {"request": secrets.token_hex(12)}
                self._waiting.setdefault(name, deque()).append(back)
        while len(self._waiting) > MOST_WAITING:
            self._waiting.popitem(last=False)

    async def send(self) -> None:
        """Give back what waits; what the control plane does not hear of waits for the next time."""
        await asyncio.gather(*(self._send(name) for name in list(self._waiting)))

    async def _send(self, name: tuple[str, str]) -> None:
        backs = self._waiting.get(name)
        while backs:
            try:
                await self._control_plane.give_back(backs[0])
            except Unreachable:
                return
            except Rejected:
                pass  # it will never be taken
            backs.popleft()
        self._waiting.pop(name, None)
