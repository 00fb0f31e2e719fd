"""A backend that keeps the very bytes it was sent, so that a test sees what a parser of its own would not."""

import contextlib
import re
import socketserver
import threading
from typing import Any

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nok"
_LENGTH = re.compile(rb"\r\ncontent-length: (\d+)\r\n", re.IGNORECASE)
_CHUNKED = re.compile(rb"\r\ntransfer-encoding: chunked\r\n", re.IGNORECASE)


class Recorder(socketserver.ThreadingTCPServer):
    """`requests`: (head, body) of each request, as bytes. Anything that is no clean HTTP/1.1 goes to `garbage`."""

    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 256

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.requests: list[tuple[bytes, bytes]] = []
        self.garbage: list[bytes] = []
        self.answer = ANSWER
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()

    @property
    def port(self) -> int:
        return int(self.server_address[1])

    def paths(self) -> list[str]:
        return [head.split(b" ")[1].decode("latin-1") for head, _ in self.requests]

    def clear(self) -> None:
        self.requests.clear()
        self.garbage.clear()

    def handle_error(self, *_: Any) -> None:
        """A gate that goes away is no news."""

    def stop(self) -> None:
        self.shutdown()
        self.server_close()


class _Handler(socketserver.BaseRequestHandler):
    server: Recorder

    def handle(self) -> None:
        self.rest = b""
        with contextlib.suppress(ConnectionError):
            while head := self._until(b"\r\n\r\n"):
                if not re.match(rb"[A-Z]+ /[^ ]* HTTP/1\.1\r\n", head):
                    self.server.garbage.append(head)
                    return
                body = self._chunks() if _CHUNKED.search(head) else self._exactly(_length(head))
                self.server.requests.append((head, body))
                self.request.sendall(self.server.answer)

    def _until(self, mark: bytes) -> bytes:
        while mark not in self.rest:
            if not self._more():
                return b""
        found, _, self.rest = self.rest.partition(mark)
        return found + mark

    def _exactly(self, number: int) -> bytes:
        while len(self.rest) < number and self._more():
            pass
        body, self.rest = self.rest[:number], self.rest[number:]
        return body

    def _chunks(self) -> bytes:
        body = b""
        while size := int(self._until(b"\r\n") or b"0", 16):
            body += self._exactly(size)
            self._until(b"\r\n")
        self._until(b"\r\n")
        return body

    def _more(self) -> bool:
        part: bytes = self.request.recv(65536)
        self.rest += part
        return part != b""


def _length(head: bytes) -> int:
    found = _LENGTH.search(head)
    return int(found[1]) if found else 0
