"""Divides this node's throttles with the other nodes (docs/limits.md).

nginx is asked what its buckets gave and refused, the control plane is told, and what it answers is set in nginx.
Where this is the only node nothing of that happens, but for one short ask a second whether it still is.
"""

import asyncio
import json
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from gateway.agent.control_plane import ControlPlane, Rejected, Unreachable
from gateway.agent.demand import Limit
from gateway.agent.files import write_atomically
from gateway.agent.nginx import Away, ControlSocket

# How often nginx is asked: while limits are divided by demand, while none is, and while this node is alone.
BUSY_SECONDS, CALM_SECONDS, ALONE_SECONDS = 0.1, 0.25, 1.0
# Limits divided by demand are told of so many times as often as nothing at all.
BUSY_FACTOR = 0.4
# After demand changed all at once, each look is told.
EAGER_SECONDS = 0.8
# of one post; limits beyond keep the equal parts
MOST_LIMITS = 200

Order = dict[str, Any]


class Shares:
    """The loop. `default` is the equal part that holds for limits without a share of their own."""

    def __init__(self, file: Path, socket: ControlSocket, control_plane: ControlPlane) -> None:
        self._file = file
        self._socket = socket
        self._control_plane = control_plane
        self.default: float | None = None  # as nginx works with it; None = this node just started
        self.limits: dict[str, Limit] = {}
        self._looked_at = 0.0
        self._asked_at = float("-inf")
        self._interval = ALONE_SECONDS
        self._urgent = False
        self._eager_until = 0.0
        self._sequence = 0

    async def run(self) -> None:
        """Divide for ever."""
        await self.begin()
        while True:
            await self.step()
            await asyncio.sleep(self._pause())

    async def begin(self) -> None:
        """Take over what nginx works with; where it knows nothing, the part this node had last."""
        while True:
            try:
                answer = await self._socket.shares({"tell": True})
                break
            except Away:
                await asyncio.sleep(CALM_SECONDS)
        if answer["changes"]:
            self.default = float(answer["default"])
            self.limits = {name: Limit(share=share) for name, share in answer["shares"].items()}
        elif (known := self._read()) is not None:
            await self._set_default(known)

    async def step(self) -> None:
        """Look at nginx, and tell the control plane when it is time or something is urgent."""
        try:
            if self._is_divided():
                await self._look([])
            if self._is_time():
                await self._ask()
            if self._urgent:  # others wait to hear that this node works with less
                await self._ask()
        except Away:  # noted by who looks after nginx
            return
        except (Unreachable, Rejected):
            self._asked_at = time.monotonic()  # shares stay as they are

    def _is_divided(self) -> bool:
        return bool(self.limits) or (self.default is not None and self.default < 1)

    def _pause(self) -> float:
        if not self._is_divided():
            return ALONE_SECONDS if self.default == 1 else CALM_SECONDS
        return BUSY_SECONDS if self.limits else CALM_SECONDS

    def _is_time(self) -> bool:
        now = time.monotonic()
        interval = self._interval * (BUSY_FACTOR if self.limits else 1)
        return self._urgent or now < self._eager_until or now - self._asked_at >= interval - 0.01

    async def _look(self, orders: list[Order]) -> None:
        """Give nginx orders, and take in what its buckets did."""
        try:
            answer = await self._socket.shares({"set": orders, "watch": list(self.limits)})
        except Away:
            self._assume(orders)
            raise
        now = time.monotonic()
        seconds, self._looked_at = now - self._looked_at, now
        if answer["default"] != (1.0 if self.default is None else self.default):
            await self._push_again()
            return
        self._obey(orders, answer["freed"])
        for name, facts in answer["hungry"].items():
            if name not in self.limits and len(self.limits) < MOST_LIMITS:
                self.limits[name] = Limit()
            if name in self.limits:
                self.limits[name].rate, self.limits[name].burst = facts["rate"], facts["burst"]
        for name, limit in self.limits.items():
            refused = answer["hungry"].get(name, {}).get("refused", 0)
            taken = answer["taken"].get(name)
            if limit.observe(taken=taken, refused=refused, seconds=seconds, now=now):
                self._urgent, self._eager_until = True, now + EAGER_SECONDS

    def _assume(self, orders: list[Order]) -> None:
        """Without an answer, take it that nginx works with the greater share."""
        for order in orders:
            limit, share = self.limits[order["name"]], order["share"]
            if share is not None and limit.share is not None:
                limit.share = max(limit.share, share)

    def _obey(self, orders: list[Order], freed: dict[str, float]) -> None:
        for order in orders:
            name, share = order["name"], order["share"]
            if share is None:
                self.limits.pop(name, None)
                continue
            limit = self.limits[name]
            before = self.default if limit.share is None else limit.share
            self._urgent = self._urgent or share < (before or 0.0)
            limit.share = share
            limit.freed += freed.get(name, 0.0)

    async def _push_again(self) -> None:
        """nginx was started anew, with full buckets and whole limits: what it lets go now was never counted."""
        held = [(name, limit) for name, limit in self.limits.items() if limit.share is not None]
        orders = [_order(name, limit, limit.share, 0.0) for name, limit in held]
        await self._socket.shares({"set": orders, "default": self.default})
        for limit in self.limits.values():
            limit.taken = None

    async def _ask(self) -> None:
        """Tell the control plane what this node needs, and do what it answers."""
        self._asked_at, self._urgent = time.monotonic(), False
        self._sequence = max(self._sequence + 1, time.time_ns() // 1_000)
        answer = await self._control_plane.shares(
            {
                "sequence": self._sequence,
                "default": self.default,
                "limits": {
                    name: limit.wish(default=self.default or 0.0, now=self._asked_at)
                    for name, limit in self.limits.items()
                },
            }
        )
        if answer is None:  # an older control plane: every node has the whole limits
            answer = {"default": 1.0, "limits": {}}
        self._interval = max(0.1, float(answer.get("interval") or ALONE_SECONDS))
        orders = self._orders(answer["limits"])
        if answer["default"] != self.default:
            await self._set_default(float(answer["default"]))
        if orders:
            await self._look(orders)

    def _orders(self, told: dict[str, Any]) -> list[Order]:
        """Return what to change in nginx. A limit that is not told of goes back to the equal part."""
        orders = [_order(name, limit, None, 0.0) for name, limit in self.limits.items() if name not in told]
        for name, given in told.items():
            limit = self.limits.setdefault(name, Limit())
            limit.rate, limit.burst = given["rate"] or limit.rate, given["burst"] or limit.burst
            if given["share"] != limit.share or given["add"]:
                orders.append(_order(name, limit, given["share"], given["add"]))
        return orders

    async def _set_default(self, share: float) -> None:
        await self._socket.shares({"default": share})
        self._urgent = self._urgent or share < (1.0 if self.default is None else self.default)
        self.default = share
        with suppress(OSError):  # it only matters for a start without a control plane
            write_atomically(self._file, json.dumps({"default": share}).encode())

    def _read(self) -> float | None:
        try:
            share = json.loads(self._file.read_bytes())["default"]
        except (OSError, ValueError, KeyError, TypeError):
            return None
        return float(share) if isinstance(share, int | float) and 0 < share <= 1 else None


def _order(name: str, limit: Limit, share: float | None, add: float) -> Order:
    return {"name": name, "share": share, "add": add, "rate": limit.rate, "burst": limit.burst}
