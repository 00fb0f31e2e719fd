"""A real backend of aiohttp that streams: events, WebSockets, large bodies."""

import asyncio
import contextlib
import threading
from collections.abc import Awaitable, Callable

from aiohttp import WSMsgType, web

BLOCK = b"z" * 65536


async def _events(request: web.Request) -> web.StreamResponse:
    """Query: `type` = content type, `pause` = seconds between events, `number` of them."""
    kind = request.query.get("type", "text/event-stream")
    response = web.StreamResponse(headers={"Content-Type": kind})
    await response.prepare(request)
    for number in range(int(request.query.get("number", "4"))):
        if number:
            await asyncio.sleep(float(request.query.get("pause", "0.3")))
        await response.write(b"data: %d\n\n" % number)
    return response


async def _large(request: web.Request) -> web.StreamResponse:
    """Query: `bytes`."""
    left = int(request.query["bytes"])
    response = web.StreamResponse(headers={"Content-Length": str(left)} if "length" in request.query else {})
    await response.prepare(request)
    while left > 0:
        await response.write(BLOCK[:left])
        left -= len(BLOCK)
    return response


async def _sink(request: web.Request) -> web.Response:
    size = 0
    async for part in request.content.iter_any():
        size += len(part)
    return web.json_response({"size": size})


async def _echo(request: web.Request) -> web.WebSocketResponse:
    socket = web.WebSocketResponse(max_msg_size=2**22)
    await socket.prepare(request)
    async for message in socket:
        if message.type is WSMsgType.TEXT:
            await socket.send_str(message.data)
        elif message.type is WSMsgType.BINARY:
            await socket.send_bytes(message.data)
    return socket


async def _slow_headers(request: web.Request) -> web.Response:
    await asyncio.sleep(float(request.query["seconds"]))
    return web.Response(text="late")


ROUTES: dict[str, Callable[[web.Request], Awaitable[web.StreamResponse]]] = {
    "/events": _events,
    "/large": _large,
    "/sink": _sink,
    "/echo": _echo,
    "/late": _slow_headers,
}


class Streams:
    """Runs the backend in a thread of its own; `port` is where."""

    def __init__(self) -> None:
        self.port = 0
        self._loop = asyncio.new_event_loop()
        started = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(started,), daemon=True)
        self._thread.start()
        if not started.wait(10):
            raise RuntimeError("the streaming backend did not start")

    def _run(self, started: threading.Event) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._serve(started))
        self._loop.close()

    async def _serve(self, started: threading.Event) -> None:
        app = web.Application(client_max_size=2**30)
        for path, handler in ROUTES.items():
            app.router.add_route("*", path, handler)
        runner = web.AppRunner(app)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        self.port = runner.addresses[0][1]
        self._stop = asyncio.Event()
        started.set()
        await self._stop.wait()
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(runner.cleanup(), 2)

    def stop(self) -> None:
        """Stop serving."""
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(timeout=5)
