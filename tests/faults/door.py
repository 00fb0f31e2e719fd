"""The network between a node's agent and the control plane, as bad as it is told to be."""

import asyncio
import random
import threading
from collections.abc import Coroutine
from typing import Any

import aiohttp
from aiohttp import web

from portal.embedded.ports import free_port

PASSED = ("Content-Type", "Authorization")
USAGE = "/nodes/v1/usage"
MODES = ("open", "closed", "slow", "cut answers", "cut requests", "twice", "shuffled")
KEPT = 400  # batches that may come once more


class Doors:
    """One door a node, all in one thread. `modes[n]` is how door n+1 behaves (MODES)."""

    def __init__(self, upstream: str, count: int) -> None:
        self.upstream = upstream
        self.modes = ["open"] * count
        self.ports = [free_port() for _ in range(count)]
        self.done = dict.fromkeys(MODES, 0)  # requests that met each mode
        self.repeated = 0
        self._chance = random.Random(4)
        self._held: list[tuple[dict[str, str], bytes]] = []
        self._deliveries: set[asyncio.Task[None]] = set()
        self._kept: list[tuple[dict[str, str], bytes]] = []
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._wait(self._open())

    def set(self, mode: str) -> None:
        """Let all doors behave so; leaving `shuffled` delivers what was held."""
        self.modes = [mode] * len(self.modes)
        if mode != "shuffled":
            self._wait(self._deliver_held())

    def close(self) -> None:
        self._wait(self._shut())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _wait(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(120)

    async def _open(self) -> None:
        timeout = aiohttp.ClientTimeout(total=60)
        self._session = aiohttp.ClientSession(timeout=timeout, connector=aiohttp.TCPConnector(limit=0))
        self._runners = []
        for number, port in enumerate(self.ports):
            server = web.Server(lambda request, number=number: self._handle(number, request), access_log=None)
            runner = web.ServerRunner(server, shutdown_timeout=0.1)
            await runner.setup()
            await web.TCPSite(runner, "127.0.0.1", port).start()
            self._runners.append(runner)

    async def _shut(self) -> None:
        for runner in self._runners:
            await runner.cleanup()
        await self._session.close()

    async def _handle(self, number: int, request: web.BaseRequest) -> web.StreamResponse:
        mode = self.modes[number]
        headers = {name: request.headers[name] for name in PASSED if name in request.headers}
        body = await request.read()
        self.done[mode] += 1
        if mode == "closed" or (mode == "cut requests" and self._chance.random() < 0.6):
            if mode == "cut requests":
                await self._send_half(request, headers, body)
            return self._broken(request)
        if mode == "slow":
            # the agent gives up after 10 s: some requests arrive when nobody waits for them any more
            await asyncio.sleep(self._chance.choice([0.2, 1.0, 2.0, 11.0]))
        if request.path == USAGE:
            self._kept = [*self._kept[-KEPT:], (headers, body)]
            if mode == "shuffled":
                return self._hold(headers, body)
            if mode == "twice":
                await asyncio.gather(
                    self._repeat(headers, body), self._repeat(*self._chance.choice(self._kept))
                )
        try:
            status, kind, answer = await self._forward(request.method, request.path_qs, headers, body)
        except (aiohttp.ClientError, TimeoutError, OSError):
            return self._broken(request)
        if mode == "cut answers" and self._chance.random() < (0.7 if request.path == USAGE else 0.2):
            return self._broken(request)
        return web.Response(status=status, body=answer, headers={"Content-Type": kind})

    async def _forward(
        self, method: str, path: str, headers: dict[str, str], body: bytes
    ) -> tuple[int, str, bytes]:
        async with self._session.request(method, self.upstream + path, headers=headers, data=body) as got:
            return got.status, got.headers.get("Content-Type", "text/plain"), await got.read()

    def _broken(self, request: web.BaseRequest) -> web.Response:
        """Cut the connection: the agent sees no answer."""
        if request.transport is not None:
            request.transport.abort()
        return web.Response(status=500)

    async def _send_half(self, request: web.BaseRequest, headers: dict[str, str], body: bytes) -> None:
        """The control plane sees the head and half of the body, then the end of the connection."""
        host, _, port = self.upstream.rpartition("//")[2].partition(":")
        lines = [
            f"{request.method} {request.path_qs} HTTP/1.1",
            f"Host: {host}",
            f"Content-Length: {len(body)}",
        ]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        try:
            _, writer = await asyncio.open_connection(host, int(port))
            writer.write("\r\n".join(lines).encode() + b"\r\n\r\n" + body[: len(body) // 2])
            await writer.drain()
            writer.close()
        except OSError:
            return

    async def _repeat(self, headers: dict[str, str], body: bytes) -> bool:
        try:
            status, _, _ = await self._forward("POST", USAGE, headers, body)
        except (aiohttp.ClientError, TimeoutError, OSError):
            return False
        self.repeated += status == 200
        return status in {200, 201}

    def _hold(self, headers: dict[str, str], body: bytes) -> web.Response:
        """A relay that stores: it takes the batch, and brings it later, in another order and twice."""
        self._held.append((headers, body))
        if len(self._held) >= 4:
            held, self._held = self._held, []
            self._deliveries.add(asyncio.create_task(self._deliver(held)))
        return web.json_response({"accepted": True}, status=201)

    async def _deliver_held(self) -> None:
        held, self._held = self._held, []
        await asyncio.gather(self._deliver(held), *self._deliveries)
        self._deliveries.clear()

    async def _deliver(self, held: list[tuple[dict[str, str], bytes]]) -> None:
        waiting = held * 2
        self._chance.shuffle(waiting)
        while waiting:
            if await self._repeat(*waiting[-1]):
                waiting.pop()
            else:
                await asyncio.sleep(0.2)
