"""Quota leases for the gate: `POST /lease` on agent.sock, answered by the control plane.

Concurrent asks for one subscription become one, and its units are shared out among those who wait, so that no
unit is spent twice. Units that come too late for their asker wait for the next one.
"""

import asyncio
import secrets
import time
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from gateway.agent.control_plane import ControlPlane, Rejected, Unreachable

ANSWER_SECONDS = 1.5
# How many units to ask for follows the demand: twice as many when the last ones were gone within
# SOON_SECONDS, half as many when they lasted for LONG_SECONDS. The control plane may give fewer.
FIRST_WANT, LEAST_WANT, MOST_WANT = 50, 10, 10_000
SOON_SECONDS, LONG_SECONDS = 10.0, 120.0

Grant = dict[str, Any]


@dataclass(slots=True)
class _Desk:
    """What is going on for one subscription."""

    pool: Grant | None = None  # units from the control plane that no asker took yet
    booked: int = 0  # offline calls that the control plane has counted and no asker was told of
    pending: dict[str, Any] | None = None  # an ask whose fate is unknown; repeated as it is
    running: "asyncio.Task[Grant | None] | None" = None
    waiting: int = 0
    want: int = FIRST_WANT
    asked_at: float = 0.0

    def units(self) -> int:
        """Return how many units lie here for the running window."""
        if self.pool is None or self.pool["ends_at"] <= time.time():
            return 0
        return int(self.pool["granted"])

    def put(self, grant: Grant) -> None:
        """Add a grant; units of an older window are void."""
        same = self.pool is not None and self.pool["starts_at"] == grant["starts_at"]
        self.pool = grant | {"granted": grant["granted"] + (self.units() if same else 0)}

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


class Leases:
    """Asks the control plane on behalf of the gate."""

    def __init__(self, control_plane: ControlPlane) -> None:
        self._control_plane = control_plane
        self._desks: dict[str, _Desk] = {}

    async def ask(self, subscription: str, offline_spent: int) -> Grant | None:
        """Return a grant (`granted` 0 = the window is spent), or None where there is no quota.

        Raises Unreachable when there is no answer within ANSWER_SECONDS.
        """
        desk = self._desks.setdefault(subscription, _Desk())
        desk.waiting += 1
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                return await self._serve(desk, subscription, offline_spent)
        except TimeoutError as error:
            raise Unreachable("no lease in time") from error
        finally:
            desk.waiting -= 1

    def left_over(self) -> list[dict[str, Any]]:
        """Empty the desks; returns `{"subscription", "starts_at", "units"}` for what nobody took."""
        found = []
        for subscription, desk in self._desks.items():
            if desk.pool is not None and desk.units():
                units, desk.pool["granted"] = desk.units(), 0
                found.append(
                    {"subscription": subscription, "starts_at": desk.pool["starts_at"], "units": units}
                )
        return found

    async def _serve(self, desk: _Desk, subscription: str, offline_spent: int) -> Grant | None:
        # who joins a running ask carries the same counter of offline calls: it is booked once
        joined = desk.running is not None
        while True:
            unbooked = 0 if joined else max(0, offline_spent - desk.booked)
            if desk.running is None and desk.units() and not unbooked:
                return desk.take(offline_spent)
            if desk.running is None:
                desk.running = asyncio.create_task(self._fetch(desk, subscription, unbooked))
                desk.running.add_done_callback(lambda task: task.cancelled() or task.exception())
            grant = await asyncio.shield(desk.running)
            if grant is None:
                return None
            settled = joined or offline_spent <= desk.booked
            if settled and (desk.units() or not grant["granted"]):
                return desk.take(offline_spent)

    async def _fetch(self, desk: _Desk, subscription: str, offline_spent: int) -> Grant | None:
        """Ask the control plane once. An ask without an answer is repeated, as it was, by the next."""
        if desk.pending is None:
            desk.pending = {
                "subscription": subscription,
                "want": desk.next_want(),
                "offline_spent": offline_spent,
                "request": secrets.token_hex(12),
            }
        try:
            grant = await self._control_plane.lease(desk.pending)
            if grant is not None:
                desk.booked += desk.pending["offline_spent"]
                desk.put(grant)
            desk.pending = None
        except Rejected as reason:
            desk.pending = None
            raise Unreachable(str(reason)) from reason
        else:
            return grant
        finally:
            desk.running = None


def application(leases: Leases) -> web.Application:
    """Return the agent's own small server."""

    async def lease(request: web.Request) -> web.Response:
        try:
            body = await request.json()
            subscription, offline_spent = str(body["subscription"]), int(body.get("offline_spent") or 0)
        except (ValueError, TypeError, KeyError, AttributeError):
            return web.json_response({"error": "send {subscription, offline_spent}"}, status=400)
        try:
            grant = await leases.ask(subscription, max(0, offline_spent))
        except Unreachable:
            return web.json_response({"error": "unreachable"}, status=503)
        if grant is None:
            return web.json_response({"error": "no quota"}, status=404)
        return web.json_response(grant)

    app = web.Application()
    app.router.add_post("/lease", lease)
    return app
