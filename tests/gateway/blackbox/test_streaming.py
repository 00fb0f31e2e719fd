"""Answers that come bit by bit, large bodies, WebSockets: they pass as they come, in flat memory."""

import asyncio
import socket
import time
from pathlib import Path

import aiohttp
import pytest

from gateway.entries import Cache, Policy
from portal.embedded.ports import free_port
from tests.gateway.node import node_folder, start_nginx
from tests.gateway.streams import Streams
from tests.gateway.world import World, operation, proxy

EVENTS = {"Accept": "text/event-stream"}


@pytest.fixture(scope="module")
def streams(gate):
    """Stages `calm` (time-out 600 ms), `flowing` (streamed), `kept` (cached) and `packed` before one backend."""
    backend = Streams()
    gate.world.backend("streams", "127.0.0.1", backend.port, timeout_ms=600)
    calm = operation("ANY", "/{p+}", integration=proxy("streams"))
    flowing = operation("ANY", "/{p+}", integration=proxy("streams", stream=True))
    cached = Policy(cache=Cache(ttl=60))
    gate.world.publish("calm", {"op": calm})
    gate.world.publish("flowing", {"op": flowing}, policy=cached, compress_from=0)
    gate.world.publish("kept", {"op": calm}, policy=cached)
    gate.world.publish("packed", {"op": calm}, compress_from=0)
    gate.world.publish("strict", {"op": flowing}, policy=Policy(timeout_ms=300))
    yield backend
    backend.stop()


def arrivals(gate, path, headers):
    """The raw answer and the seconds at which its parts with `data:` came."""
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    started, times, whole = time.monotonic(), [], b""
    with socket.create_connection(("127.0.0.1", gate.node.settings.port), timeout=10) as connection:
        connection.sendall(
            f"GET {path} HTTP/1.1\r\nHost: gate.test\r\nConnection: close\r\n{lines}\r\n".encode()
        )
        while part := connection.recv(65536):
            times += [time.monotonic() - started] * part.count(b"data:")
            whole += part
    return whole, times


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("/calm/events", EVENTS),
        ("/calm/events", {}),  # by the answer's Content-Type alone
        ("/packed/events", {"Accept-Encoding": "gzip"}),
        ("/flowing/events?type=text/plain", {"Accept-Encoding": "gzip"}),
    ],
)
def test_events_pass_as_they_come(gate, streams, path, headers):
    whole, times = arrivals(gate, path, headers)
    assert whole.startswith(b"HTTP/1.1 200 OK\r\n")
    assert len(times) == 4
    assert times[0] < 0.6, times  # the backend sends the last one after 0.9 s
    assert times[-1] - times[0] > 0.6, times
    assert b"x-cache" not in whole.lower()
    assert b"content-encoding" not in whole.lower()


def test_no_header_of_a_client_gets_round_the_cache(gate, streams):
    gate.node.call("GET", "/kept/late?seconds=0")
    for headers in (EVENTS, {"Upgrade": "websocket", "Connection": "Upgrade"}):
        assert gate.node.call("GET", "/kept/late?seconds=0", headers=headers).headers["x-cache"] == "Hit"
    for _ in range(2):  # events are not kept even so
        assert gate.node.call("GET", "/kept/events?number=1").headers["x-cache"] == "Miss"


@pytest.mark.parametrize(("path", "headers"), [("/calm/events", EVENTS), ("/flowing/events", {})])
def test_a_stream_may_pause_longer_than_its_backends_timeout(gate, streams, path, headers):
    whole, times = arrivals(gate, f"{path}?pause=1&number=2", headers)
    assert (len(times), whole.endswith(b"0\r\n\r\n")) == (2, True)


def test_an_operations_own_timeout_bounds_the_pauses_of_its_stream(gate, streams):
    whole, times = arrivals(gate, "/strict/events?pause=1&number=2", {})
    assert (len(times), whole.endswith(b"0\r\n\r\n")) == (1, False)
    started = time.monotonic()
    assert gate.node.call("GET", "/strict/late?seconds=2").status == 504
    assert 0.25 < time.monotonic() - started < 1.5


def test_an_ordinary_answer_that_pauses_longer_than_the_timeout_is_cut(gate, streams):
    whole, times = arrivals(gate, "/calm/events?pause=1.5&number=2&type=text/plain", {})
    assert (len(times), whole.endswith(b"0\r\n\r\n")) == (1, False)


async def talk(gate, path, action):
    url = f"ws://127.0.0.1:{gate.node.settings.port}{path}"
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(url, protocols=("chat",), max_msg_size=2**22) as client,
    ):
        return await action(client)


def test_websocket_messages_of_all_sizes_pass_both_ways(gate, streams):
    async def action(client):
        for size in (0, 1, 125, 126, 65535, 65536, 2**20):
            await client.send_bytes(b"b" * size)
            assert await client.receive_bytes() == b"b" * size
        await client.send_str("grüße")
        assert await client.receive_str() == "grüße"
        await client.ping(b"beat")
        return True

    assert asyncio.run(talk(gate, "/calm/echo", action))


def test_a_websocket_may_be_idle_longer_than_the_backends_timeout(gate, streams):
    async def action(client):
        await client.send_str("one")
        assert await client.receive_str() == "one"
        await asyncio.sleep(1.5)
        await client.send_str("two")
        return await client.receive_str()

    assert asyncio.run(talk(gate, "/calm/echo", action)) == "two"


def test_an_operations_own_timeout_bounds_an_idle_websocket(gate, streams):
    async def action(client):
        await client.send_str("one")
        assert await client.receive_str() == "one"
        started = time.monotonic()
        message = await client.receive(timeout=5)
        return message.type, time.monotonic() - started

    kind, seconds = asyncio.run(talk(gate, "/strict/echo", action))
    assert kind in {aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.CLOSE}
    assert 0.2 < seconds < 2


def test_many_websockets_at_once_keep_their_messages_apart(gate, streams):
    async def one(number):
        async def action(client):
            for turn in range(10):
                await client.send_str(f"{number}-{turn}")
                assert await client.receive_str() == f"{number}-{turn}"

        await talk(gate, "/calm/echo", action)

    async def all_of_them():
        await asyncio.gather(*(one(number) for number in range(40)))

    asyncio.run(all_of_them())


def test_a_websocket_is_one_call_in_the_usage_log(gate, streams):
    async def action(client):
        await client.send_str("x" * 1000)
        await client.receive_str()

    before = len(gate.node.usage())
    asyncio.run(talk(gate, "/calm/echo", action))
    lines = gate.node.usage_after(before)
    assert [(line["stage"], line["status"]) for line in lines] == [("calm", "101")]
    assert int(lines[0]["bytes_sent"]) > 1000


def memory(node):
    """Resident bytes of all workers."""
    found = 0
    for pid in node.workers():
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("RssAnon"):
                found += int(line.split()[1]) * 1024
    return found


SIZE = 200 * 2**20


@pytest.fixture(scope="module")
def wide():
    """A node that takes 300 MB, with stages `buffered` and `streamed`."""
    with node_folder() as folder:
        node = start_nginx(folder, free_port(), workers="1", max_body=300 * 2**20)
        backend = Streams()
        try:
            world = World(node)
            world.backend("large", "127.0.0.1", backend.port)
            for name in ("buffered", "streamed"):
                integration = proxy("large", stream=name == "streamed")
                world.publish(name, {"op": operation("ANY", "/{p+}", integration=integration)})
            yield node
        finally:
            backend.stop()
            node.stop()


async def watch(node, work):
    """The result of `work` and by how many bytes the workers grew at most meanwhile."""
    before, most = memory(node), 0
    task = asyncio.ensure_future(work)
    while not task.done():
        most = max(most, memory(node) - before)
        await asyncio.sleep(0.05)
    return await task, most


@pytest.mark.parametrize("stage", ["buffered", "streamed"])
@pytest.mark.parametrize("length", ["", "&length"])
def test_a_large_answer_streams_in_flat_memory(wide, stage, length):
    async def fetch():
        got = 0
        async with (
            aiohttp.ClientSession() as session,
            session.get(
                f"http://127.0.0.1:{wide.settings.port}/{stage}/large?bytes={SIZE}{length}"
            ) as answer,
        ):
            async for part in answer.content.iter_any():
                got += len(part)
        return got

    got, grown = asyncio.run(watch(wide, fetch()))
    assert got == SIZE
    assert grown < 4 * 2**20


@pytest.mark.parametrize("stage", ["buffered", "streamed"])
@pytest.mark.parametrize("method", ["POST", "PUT"])
@pytest.mark.parametrize("chunked", [True, False])
def test_a_large_body_streams_in_flat_memory_and_touches_no_disk(wide, stage, method, chunked):
    block = b"z" * 2**18

    async def blocks():
        for _ in range(SIZE // len(block)):
            yield block

    async def send():
        headers = {} if chunked else {"Content-Length": str(SIZE)}
        url = f"http://127.0.0.1:{wide.settings.port}/{stage}/sink"
        async with (
            aiohttp.ClientSession() as session,
            session.request(method, url, data=blocks(), headers=headers) as answer,
        ):
            return (await answer.json())["size"]

    got, grown = asyncio.run(watch(wide, send()))
    assert got == SIZE
    assert grown < 4 * 2**20
    assert "temporary file" not in wide.errors()


def test_a_body_is_sent_on_before_it_is_whole(gate, streams):
    """The backend's refusal of the first part comes back while the client still holds the rest."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        gate.world.backend("early", "127.0.0.1", server.getsockname()[1])
        gate.world.publish("early", {"op": operation("POST", "/", integration=proxy("early"))})
        with socket.create_connection(("127.0.0.1", gate.node.settings.port), timeout=5) as client:
            client.sendall(
                b"POST /early HTTP/1.1\r\nHost: gate.test\r\nContent-Length: 1000000\r\n\r\n" + b"x" * 1000
            )
            side, _ = server.accept()
            with side:
                side.settimeout(5)
                got = b""
                while got.count(b"x") < 1000:
                    got += side.recv(65536)
