"""A control plane and an nginx that do what the contract says, in memory."""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from aiohttp import web

from gateway.agent.drift import digest
from portal.embedded.ports import free_port

TOKEN = "ghn_test-token-of-a-node"
Handler = Callable[[web.Request], Awaitable[web.Response]]


def entry(generation: int, kind: str = "key", key: str = "", data: object = "default") -> dict[str, Any]:
    """Return an entry as the control plane sends it; data None = gone."""
    content = {"id": "k1", "active": True, "subscriptions": []} if data == "default" else data
    return {"kind": kind, "key": key or f"key{generation}", "generation": generation, "data": content}


def backend(generation: int, host: str, key: str = "b1") -> dict[str, Any]:
    target = {"scheme": "http", "host": host, "port": 80, "path": ""}
    data = {"target": target, "connect_timeout_ms": 1000, "timeout_ms": 1000}
    return entry(generation, "backend", key, data)


async def eventually(condition: Callable[[], Any], seconds: float = 8) -> None:
    """Wait until a condition holds."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "this never became true"
        await asyncio.sleep(0.02)


class FakeControlPlane:
    """The door /nodes/v1/. `mood` of "ok" works, a number is answered to everything, "hang" never answers."""

    def __init__(self) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.held: list[dict[str, Any]] = []
        self.page = 5_000
        self.mood: str | int = "ok"
        self.batches: dict[tuple[str, int], dict[str, Any]] = {}
        self.usage_posts = 0
        self.repeats = 0
        self.refuse_usage = False
        self.statuses: list[dict[str, Any]] = []
        self.asks: list[dict[str, Any]] = []
        self.returned: list[dict[str, Any]] = []
        self.left = 1_000
        self.granted: dict[str, int] = {}
        self.lease_delay = 0.0
        self.epoch = 0
        self.settling = 0  # so many answers say that nodes give up void units
        self.wanted: list[dict[str, Any]] = []
        self.entry_asks: list[int] = []
        self.share_asks: list[dict[str, Any]] = []
        self.shares: dict[str, Any] = {"default": 1.0, "interval": 1.0, "limits": {}}
        self._news = asyncio.Event()
        self._runner: web.AppRunner | None = None

    async def start(self) -> None:
        app = web.Application(client_max_size=2**25)
        for method, path, handler in (
            ("GET", "entries", self._entries),
            ("GET", "digest", self._digest),
            ("POST", "leases", self._lease),
            ("POST", "leases/return", self._give_back),
            ("POST", "shares", self._shares),
            ("POST", "usage", self._usage),
            ("POST", "status", self._status),
        ):
            app.router.add_route(method, f"/nodes/v1/{path}", self._guarded(handler))
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self.port).start()

    async def stop(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    def write(self, *entries: dict[str, Any]) -> None:
        """Add or replace entries, and wake those who wait."""
        names = {(one["kind"], one["key"]) for one in entries}
        self.held = [one for one in self.held if (one["kind"], one["key"]) not in names] + list(entries)
        self._news.set()
        self._news = asyncio.Event()

    def calls(self) -> int:
        return sum(row["calls"] for batch in self.batches.values() for row in batch["rows"])

    def refused_unknown(self) -> int:
        return sum(batch["refused_unknown"] for batch in self.batches.values())

    def _guarded(self, handler: Handler) -> Handler:
        async def guarded(request: web.Request) -> web.Response:
            if request.headers.get("Authorization") != f"Bearer {TOKEN}":
                return web.json_response({"detail": "who are you?"}, status=401)
            if self.mood == "hang":
                await asyncio.sleep(60)
            if isinstance(self.mood, int):
                return web.Response(status=self.mood, text="out of order")
            return await handler(request)

        return guarded

    async def _entries(self, request: web.Request) -> web.Response:
        after, wait = int(request.query["after"]), float(request.query["wait"])
        self.entry_asks.append(after)
        newest = max((one["generation"] for one in self.held), default=0)
        if after == newest and after and wait:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._news.wait(), wait)
            newest = max((one["generation"] for one in self.held), default=0)
        full = after == 0 or after > newest
        if full:
            found = [one for one in self.held if one["data"] is not None]
        else:
            found = [one for one in self.held if one["generation"] > after]
        found.sort(key=lambda one: one["generation"])
        page, more = found[: self.page], len(found) > self.page
        generation = page[-1]["generation"] if more else newest
        return web.json_response({"generation": generation, "entries": page, "more": more, "full": full})

    async def _digest(self, _: web.Request) -> web.Response:
        live = [(one["kind"], one["key"], one["generation"]) for one in self.held if one["data"] is not None]
        newest = max((one["generation"] for one in self.held), default=0)
        return web.json_response({"generation": newest, "count": len(live), "digest": str(digest(live))})

    async def _lease(self, request: web.Request) -> web.Response:
        ask = await request.json()
        self.asks.append(ask)
        if ask["subscription"] == "free":
            return web.json_response({"detail": "no quota"}, status=404)
        if ask["request"] not in self.granted:
            self.left -= ask["offline_spent"]
            self.granted[ask["request"]] = max(0, min(ask["want"], self.left))
            self.left -= self.granted[ask["request"]]
        await asyncio.sleep(self.lease_delay)
        now = int(time.time())
        if self.settling:
            self.settling -= 1
            spent = {"granted": 0, "starts_at": 1_000, "ends_at": now + 3_600, "left": 0, "slice": 0}
            return web.json_response(spent | {"limit": 1_000, "epoch": self.epoch, "settling": True})
        grant = {"granted": self.granted[ask["request"]], "starts_at": 1_000, "ends_at": now + 3_600}
        return web.json_response(
            grant | {"limit": 1_000, "left": self.left, "slice": 50, "epoch": self.epoch}
        )

    async def _give_back(self, request: web.Request) -> web.Response:
        self.returned.append(await request.json())
        return web.json_response({"returned": self.returned[-1]["units"]})

    async def _usage(self, request: web.Request) -> web.Response:
        batch = await request.json()
        self.usage_posts += 1
        if self.refuse_usage:
            return web.json_response({"detail": "rows: bad"}, status=400)
        name = (batch["spool"], batch["sequence"])
        if name in self.batches:
            self.repeats += 1
            assert self.batches[name] == batch, "a number came again with other content"
            return web.json_response({"accepted": False, "reason": "already have it"})
        self.batches[name] = batch
        return web.json_response({"accepted": True}, status=201)

    async def _shares(self, request: web.Request) -> web.Response:
        self.share_asks.append(await request.json())
        return web.json_response(self.shares)

    async def _status(self, request: web.Request) -> web.Response:
        self.statuses.append(await request.json())
        wanted, self.wanted = self.wanted, []
        newest = max((one["generation"] for one in self.held), default=0)
        return web.json_response({"generation": newest, "wanted": wanted})


class FakeNginx:
    """The control socket. `room` = how many entries fit; `bad` = keys it refuses."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.entries: dict[tuple[str, str], dict[str, Any]] = {}
        self.addresses: dict[str, list[str]] = {}
        self.pushes: list[int] = []
        self.address_pushes = 0
        self.generation = 0
        self.started = time.time()
        self.room = 10**9
        self.bad: set[str] = set()
        self.leases: list[dict[str, Any]] = []
        self.share_orders: list[dict[str, Any]] = []
        self.share = 1.0
        self.shares: dict[str, float] = {}
        self.share_changes = 0
        self.hungry: dict[str, dict[str, float]] = {}  # told once, as nginx does
        self.taken: dict[str, int] = {}
        self.freed: dict[str, float] = {}
        self._runner: web.AppRunner | None = None

    async def start(self) -> None:
        app = web.Application(client_max_size=2**25)
        app.router.add_post("/entries", self._push)
        app.router.add_post("/entries/start-over", self._start_over)
        app.router.add_post("/entries/sweep", self._sweep)
        app.router.add_get("/status", self._status)
        app.router.add_post("/addresses", self._take_addresses)
        app.router.add_post("/leases/take", self._take_leases)
        app.router.add_post("/shares", self._take_shares)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.UnixSite(self._runner, str(self.path)).start()

    async def stop(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def restart(self) -> None:
        """Start anew with nothing in memory."""
        await self.stop()
        self.entries, self.addresses, self.generation = {}, {}, 0
        self.share, self.shares, self.share_changes = 1.0, {}, 0
        self.started = time.time()
        await self.start()

    def live(self) -> set[str]:
        return {key for (_, key), one in self.entries.items() if one["data"] is not None}

    async def _push(self, request: web.Request) -> web.Response:
        lines = (await request.read()).splitlines()
        self.pushes.append(len(lines))
        for number, line in enumerate(lines, 1):
            one = json.loads(line)
            name = (one["kind"], one["key"])
            if one["key"] in self.bad:
                return web.json_response({"error": "data is wrong", "line": number}, status=400)
            if name in self.entries and self.entries[name]["generation"] >= one["generation"]:
                continue
            if name not in self.entries and len(self.entries) >= self.room:
                answer = {"error": "full", "kind": one["kind"], "key": one["key"]}
                return web.json_response(answer, status=507)
            self.entries[name] = one
            self.generation = max(self.generation, one["generation"])
        return web.json_response({"generation": self.generation})

    async def _start_over(self, _: web.Request) -> web.Response:
        self.entries = {
            name: one | {"generation": 0} for name, one in self.entries.items() if one["data"] is not None
        }
        self.generation = 0
        return web.json_response({})

    async def _sweep(self, request: web.Request) -> web.Response:
        keep = set(json.loads(await request.read()))
        self.entries = {
            name: one for name, one in self.entries.items() if one["generation"] or ":".join(name) in keep
        }
        return web.json_response({})

    async def _status(self, _: web.Request) -> web.Response:
        return web.json_response(
            {
                "generation": self.generation,
                "entries": len(self.live()),
                "started": self.started,
                "capacity_bytes": 1,
                "free_bytes": 1,
                "workers": 2,
                "version": "fake",
            }
        )

    async def _take_addresses(self, request: web.Request) -> web.Response:
        self.address_pushes += 1
        self.addresses |= await request.json()
        return web.json_response({})

    async def _take_shares(self, request: web.Request) -> web.Response:
        said = await request.json()
        self.share_orders.append(said)
        before, changes = self.share, self.share_changes
        self.share = said.get("default") or self.share
        for order in said.get("set") or []:
            if order["share"] is None:
                self.shares.pop(order["name"], None)
            else:
                self.shares[order["name"]] = order["share"]
        self.share_changes += bool(said.get("set")) + ("default" in said)
        told, self.hungry = self.hungry, {}
        freed = {order["name"]: self.freed.get(order["name"], 0.0) for order in said.get("set") or []}
        facts = {"default": before, "changes": changes, "hungry": told, "freed": freed}
        taken = {name: self.taken.get(name, 0) for name in said.get("watch") or []}
        return web.json_response(facts | {"taken": taken, "shares": dict(self.shares)})

    async def _take_leases(self, request: web.Request) -> web.Response:
        asked = json.loads(await request.text() or "{}").get("leases")
        taken = [one for one in self.leases if asked is None or one["subscription"] in asked]
        self.leases = [one for one in self.leases if one not in taken]
        return web.json_response({"leases": taken or {}})
