"""Quota leases for the gate: `POST /lease` on agent.sock, answered by the control plane.

Concurrent asks for one lease (a subscription, or a key of it) become one, and its units are shared out among those
who wait, so that no unit is spent twice. Units that come too late for their asker wait for the next one. While the
control plane waits for nodes to give up void units, we ask on.
"""

import asyncio
import secrets
import time
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from gateway.agent.control_plane import ControlPlane, Rejected, Unreachable

ANSWER_SECONDS = 1.5
# How many units to ask for follows the demand: twice as many when the last ones were gone within
# SOON_SECONDS, half as many when they lasted for LONG_SECONDS. The control plane may give fewer.
FIRST_WANT, LEAST_WANT, MOST_WANT = 50, 10, 10_000
SOON_SECONDS, LONG_SECONDS = 10.0, 120.0

# how often to ask while nodes give up void units
SETTLING_SECONDS = 0.03

Grant = dict[str, Any]
Name = tuple[str, str]  # subscription, and key or ""


@dataclass(slots=True)
class _Desk:
    """What is going on for one lease."""

    pool: Grant | None = None  # units from the control plane that no asker took yet
    booked: int = 0  # offline calls that the control plane has counted and no asker was told of
    pending: dict[str, Any] | None = None  # an ask whose fate is unknown; repeated as it is
    running: "asyncio.Task[Grant | None] | None" = None
    waiting: int = 0
    want: int = FIRST_WANT
    asked_at: float = 0.0
    settling: Grant | None = None  # the last answer while nodes give up void units

    def units(self) -> int:
        """Return how many units lie here for the running window."""
        if self.pool is None or self.pool["ends_at"] <= time.time():
            return 0
        return int(self.pool["granted"])

    def put(self, grant: Grant) -> None:
        """Add a grant; units of an older window or epoch are void."""
        same = self.pool is not None and _age(self.pool) == _age(grant)
        self.pool = grant | {"granted": grant["granted"] + (self.units() if same else 0)}

    def forget_before(self, epoch: int) -> None:
        """Drop units of an older epoch: the gate refuses them."""
        if self.pool is not None and self.pool.get("epoch", 0) < epoch:
            self.pool["granted"] = 0

    def take(self, offline_spent: int) -> Grant:
        """Take one waiting asker's share. `slice` tells the gate its size, so that it asks again in time."""
        assert self.pool is not None
        share = -(-self.units() // max(1, self.waiting))
        self.pool["granted"] -= share
        self.booked -= min(self.booked, offline_spent)
        return self.pool | {"granted": share, "slice": share}

    def next_want(self) -> int:
        """Return how many units to ask for now."""
        now = time.monotonic()
        if self.asked_at:
            lasted = now - self.asked_at
            if lasted < SOON_SECONDS:
                self.want = min(MOST_WANT, self.want * 2)
            elif lasted > LONG_SECONDS:
                self.want = max(LEAST_WANT, self.want // 2)
        self.asked_at = now
        return self.want


def _age(grant: Grant) -> tuple[Any, Any]:
    return grant["starts_at"], grant.get("epoch", 0)


class Leases:
    """Asks the control plane on behalf of the gate."""

    def __init__(self, control_plane: ControlPlane) -> None:
        self._control_plane = control_plane
        self._desks: dict[Name, _Desk] = {}
        # how often the gate asked, by what it was told
        self.outcomes = dict.fromkeys(("granted", "spent", "no_quota", "unreachable"), 0)

    async def ask(
        self, subscription: str, offline_spent: int, *, key: str = "", epoch: int = 0
    ) -> Grant | None:
        """Return a grant (`granted` 0 = the window is spent), or None where there is no quota.

        `epoch` is the newest that the gate knows. Raises Unreachable when there is no answer within ANSWER_SECONDS.
        """
        name = subscription, key
        desk = self._desks.setdefault(name, _Desk())
        desk.forget_before(epoch)
        desk.waiting += 1
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                return await self._serve(desk, name, offline_spent)
        except TimeoutError as error:
            if desk.settling is not None:  # the control plane is there: nobody may take the offline allowance
                return desk.settling
            raise Unreachable("no lease in time") from error
        finally:
            desk.waiting -= 1

    def left_over(self, names: Collection[Name] | None = None) -> list[dict[str, Any]]:
        """Empty the desks of these leases (None = all): what nobody took.

        Returns `{"subscription", "key", "starts_at", "epoch", "units"}`.
        """
        found = []
        for name, desk in self._desks.items():
            if desk.pool is not None and desk.units() and (names is None or name in names):
                units, desk.pool["granted"] = desk.units(), 0
                starts_at, epoch = _age(desk.pool)
                told = {"subscription": name[0], "key": name[1], "starts_at": starts_at, "epoch": epoch}
                found.append(told | {"units": units})
        return found

    async def _serve(self, desk: _Desk, name: Name, offline_spent: int) -> Grant | None:
        # who joins a running ask carries the same counter of offline calls: it is booked once
        joined = desk.running is not None
        while True:
            unbooked = 0 if joined else max(0, offline_spent - desk.booked)
            if desk.running is None and desk.units() and not unbooked:
                return desk.take(offline_spent)
            if desk.running is None:
                desk.running = asyncio.create_task(self._fetch(desk, name, unbooked))
                desk.running.add_done_callback(lambda task: task.cancelled() or task.exception())
            grant = await asyncio.shield(desk.running)
            if grant is None:
                return None
            settled = joined or offline_spent <= desk.booked
            if settled and (desk.units() or not grant["granted"]):
                return desk.take(offline_spent)

    async def _fetch(self, desk: _Desk, name: Name, offline_spent: int) -> Grant | None:
        try:
            grant = await self._ask_once(desk, name, offline_spent)
            while grant is not None and grant.get("settling"):
                desk.settling = grant
                await asyncio.sleep(SETTLING_SECONDS)
                grant = await self._ask_once(desk, name, 0)
            return grant
        finally:
            desk.running = desk.settling = None

    async def _ask_once(self, desk: _Desk, name: Name, offline_spent: int) -> Grant | None:
        """Ask the control plane once. An ask without an answer is repeated, as it was, by the next."""
        if desk.pending is None:
            desk.pending = {"subscription": name[0], "want": desk.next_want(), "offline_spent": offline_spent}
            desk.pending["request"] = secrets.token_hex(12)
            if name[1]:
                desk.pending["key"] = name[1]
        try:
            grant = await self._control_plane.lease(desk.pending)
        except Rejected as reason:
            desk.pending = None
            raise Unreachable(str(reason)) from reason
        if grant is not None:
            desk.booked += desk.pending["offline_spent"]
            desk.put(grant)
        desk.pending = None
        return grant


def application(leases: Leases) -> web.Application:
    """Return the agent's own small server."""

    async def lease(request: web.Request) -> web.Response:
        try:
            body = await request.json()
            subscription, key = str(body["subscription"]), str(body.get("key") or "")
            offline_spent, epoch = int(body.get("offline_spent") or 0), int(body.get("epoch") or 0)
        except (ValueError, TypeError, KeyError, AttributeError):
            return web.json_response({"error": "send {subscription, key, offline_spent, epoch}"}, status=400)
        try:
            grant = await leases.ask(subscription, max(0, offline_spent), key=key, epoch=epoch)
        except Unreachable:
            leases.outcomes["unreachable"] += 1
            return web.json_response({"error": "unreachable"}, status=503)
        if grant is None:
            leases.outcomes["no_quota"] += 1
            return web.json_response({"error": "no quota"}, status=404)
        leases.outcomes["granted" if grant["granted"] else "spent"] += 1
        return web.json_response(grant)

    app = web.Application()
    app.router.add_post("/lease", lease)
    return app
