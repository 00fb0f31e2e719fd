"""The backend of the fault suite: answers as it is told, and remembers each call by its id.

Run as a process: `python -m tests.faults.backend PORT`. A call's headers say what it wants: `x-call` (its id), `x-size`
(bytes of the body), `x-delay` (milliseconds). `POST /seen` with a JSON list of ids answers how often each came.
"""

import asyncio
import json
import sys
from collections import Counter

seen: Counter[str] = Counter()
BODY = b"x" * 2**17


async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer the calls of one connection."""
    try:
        while True:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            line, *lines = head[:-4].split("\r\n")
            headers = {name.lower(): value for name, _, value in (each.partition(": ") for each in lines)}
            body = await reader.readexactly(int(headers.get("content-length", 0)))
            if " /seen " in line:
                answer = json.dumps({each: seen[each] for each in json.loads(body)}).encode()
            else:
                seen[headers["x-call"]] += 1
                await asyncio.sleep(int(headers.get("x-delay", 0)) / 1_000)
                answer = BODY[: int(headers.get("x-size", 0))]
            writer.write(
                b"HTTP/1.1 200 OK\r\nX-Backend: faults\r\nContent-Length: %d\r\n\r\n" % len(answer) + answer
            )
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        return
    finally:
        writer.close()


async def main(port: int) -> None:
    """Listen until killed."""
    server = await asyncio.start_server(serve, "127.0.0.1", port, backlog=512)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
