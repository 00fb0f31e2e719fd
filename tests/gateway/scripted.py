"""A real HTTP backend that does what a test's own function says."""

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.gateway.backends import read_body


@dataclass
class Request:
    """What the backend got. Header names in lower case, underscores kept."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    peer: int  # the port of the connection's other side


@dataclass
class Reply:
    """What it answers. A body of bytes gets a Content-Length, an iterable is sent chunk by chunk."""

    body: bytes | Iterable[bytes] = b"ok"
    status: int = 200
    headers: Iterable[tuple[str, str]] = ()
    length: int | None = None  # a Content-Length of one's own
    drop: bool = False  # close without an answer


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # or each answer waits for an acknowledgement of its head
    server: Any

    def _answer(self) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        request = Request(self.command, self.path, headers, read_body(self), self.client_address[1])
        self.server.seen.append(request)
        reply = self.server.answer(request)
        if reply.drop:
            self.close_connection = True
            self.connection.close()
            return
        self.send_response(reply.status)
        for name, value in reply.headers:
            self.send_header(name, value)
        if isinstance(reply.body, bytes):
            length = len(reply.body) if reply.length is None else reply.length
            if reply.status != 204:
                self.send_header("Content-Length", str(length))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(reply.body)
            self.close_connection = self.close_connection or length != len(reply.body)
            return
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for chunk in reply.body:
            self.wfile.write(b"%x\r\n%s\r\n" % (len(chunk), chunk))
        self.wfile.write(b"0\r\n\r\n")

    do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = do_PATCH = _answer

    def log_message(self, *_: Any) -> None:
        pass


class Scripted(ThreadingHTTPServer):
    """Calls `answer(request)` in a thread of its own for each connection; `seen` are all requests."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, answer: Callable[[Request], Reply], *, host: str = "127.0.0.1", port: int = 0) -> None:
        super().__init__((host, port), _Handler)
        self.answer = answer
        self.seen: list[Request] = []
        self.connections: list[Any] = []
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()

    @property
    def port(self) -> int:
        return int(self.server_address[1])

    def process_request(self, request: Any, client_address: Any) -> None:
        self.connections.append(request)
        super().process_request(request, client_address)

    def handle_error(self, *_: Any) -> None:
        """A client that goes away is no news."""

    def stop(self) -> None:
        """Stop listening and cut what is open, as a killed process would."""
        self.shutdown()
        self.server_close()
        for connection in self.connections:
            connection.close()
