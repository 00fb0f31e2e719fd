"""The clients of the fault suite: as many connections as keys, each with one call after another.

Run as a process: `python -m tests.faults.driver`, which reads one line of JSON `{"phase", "path", "rate", "ports",
"keys", "file"}`, calls until its input ends, lets the running calls finish, and leaves one line a call in `file`:

`key serial outcome bytes_out bytes_in start end`: key and serial make the call's id (`<phase>-<key>-<serial>`),
outcome is the status of a whole answer, or 0 when the connection broke after the request was begun; `bytes_out` are
all that came of the answer, head included; `bytes_in` are those of the request; times are Unix seconds. A connection
that could not be made is no call.
"""

import asyncio
import json
import sys
import time
from dataclasses import dataclass, field
from typing import TextIO

PATIENCE = 20.0  # seconds for an answer
AGAIN = 0.05  # seconds between two tries to connect
BROKEN = 0


@dataclass
class Client:
    """One connection and its key."""

    phase: str
    number: int
    key: str
    port: int
    path: str
    pause: float
    file: TextIO
    stop: asyncio.Event
    serial: int = 0
    got: int = 0
    reader: asyncio.StreamReader | None = field(default=None, init=False)
    writer: asyncio.StreamWriter | None = field(default=None, init=False)

    async def run(self) -> None:
        """Call at an even pace until told to stop."""
        due = time.monotonic()
        while not self.stop.is_set():
            if self.writer is None and not await self._connect():
                await asyncio.sleep(AGAIN)
                continue
            await self._call()
            due = max(due + self.pause, time.monotonic() - self.pause)
            await asyncio.sleep(max(due - time.monotonic(), 0))
        self._close()

    async def _connect(self) -> bool:
        try:
            self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self.port, limit=2**20)
        except OSError:
            return False
        return True

    def _close(self) -> None:
        if self.writer is not None:
            self.writer.close()
        self.reader = self.writer = None

    async def _call(self) -> None:
        self.serial += 1
        request = self._request()
        begun, self.got = time.time(), 0
        try:
            async with asyncio.timeout(PATIENCE):
                outcome = await self._exchange(request)
        except (OSError, asyncio.IncompleteReadError, TimeoutError):
            outcome = BROKEN
            self._close()
        told = (self.number, self.serial, outcome, self.got, len(request), f"{begun:.6f} {time.time():.6f}\n")
        self.file.write(" ".join(map(str, told)))

    def _request(self) -> bytes:
        """Sizes and delays differ from call to call, so that kills find calls in every state."""
        number = self.serial
        size = 100 + number * 7 % 600 if number % 50 else 65_536
        delay = 100 if not number % 40 else 15 if not number % 4 else 0
        return (
            f"POST {self.path} HTTP/1.1\r\nHost: gate.test\r\nx-api-key: {self.key}\r\n"
            f"x-call: {self.phase}-{self.number}-{number}\r\nx-size: {size}\r\nx-delay: {delay}\r\n"
            "Content-Length: 0\r\n\r\n"
        ).encode()

    async def _exchange(self, request: bytes) -> int:
        assert self.reader
        assert self.writer
        self.writer.write(request)
        head = await self._take(self.reader.readuntil(b"\r\n\r\n"))
        text = head.decode("latin-1").lower()
        if "\r\ntransfer-encoding: chunked" in text:
            size = 1
            while size:
                size = int(await self._take(self.reader.readuntil(b"\r\n")), 16)
                await self._take(self.reader.readexactly(size + 2))
        else:
            await self._take(
                self.reader.readexactly(int(text.partition("\r\ncontent-length: ")[2].split()[0]))
            )
        if "\r\nconnection: close" in text:
            self._close()
        return int(text.split(" ", 2)[1])

    async def _take(self, reading) -> bytes:
        try:
            part = await reading
        except asyncio.IncompleteReadError as error:
            self.got += len(error.partial)
            raise
        self.got += len(part)
        return part


async def main() -> None:
    """Read the orders, run the clients until the input ends."""
    loop = asyncio.get_running_loop()
    orders = json.loads(await loop.run_in_executor(None, sys.stdin.readline))
    stop = asyncio.Event()
    keys, ports = orders["keys"], orders["ports"]
    with open(orders["file"], "w") as file:
        clients = [
            Client(orders["phase"], number, key, ports[number % len(ports)], orders["path"],
                   len(keys) / orders["rate"], file, stop)
            for number, key in enumerate(keys)
        ]  # fmt: skip
        running = [asyncio.create_task(each.run()) for each in clients]
        await loop.run_in_executor(None, sys.stdin.read)
        stop.set()
        await asyncio.gather(*running)


if __name__ == "__main__":
    asyncio.run(main())
