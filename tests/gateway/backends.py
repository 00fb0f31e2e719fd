"""Small real HTTP backends, and the agent's socket, for tests of the gate."""

import json
import os
import socketserver
import ssl
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit


def read_body(request: BaseHTTPRequestHandler) -> bytes:
    """The body of a request, by its length or in chunks."""
    if request.headers.get("Transfer-Encoding") != "chunked":
        return request.rfile.read(int(request.headers.get("Content-Length") or 0))
    body = b""
    while size := int(request.rfile.readline() or b"0", 16):
        body += request.rfile.read(size)
        request.rfile.readline()
    request.rfile.readline()
    return body


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # or each answer waits for an acknowledgement of its head
    server: Any

    def _answer(self) -> None:
        body = read_body(self)
        url = urlsplit(self.path)
        wanted = {name: values[0] for name, values in parse_qs(url.query).items()}
        time.sleep(float(wanted.get("sleep", 0)))
        if "drop" in wanted:
            self.close_connection = True
            self.connection.close()
            return
        seen = {
            "backend": self.server.name,
            "method": self.command,
            "path": self.path,
            "headers": {name.lower(): value for name, value in self.headers.items()},
            "body_length": len(body),
            "peer": self.client_address[1],
            "names": list(self.headers),
        }
        text = b"x" * int(wanted["bytes"]) if "bytes" in wanted else json.dumps(seen).encode()
        self.server.seen.append(seen)
        self.send_response(int(wanted.get("status", 200)))
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.send_header("X-Backend", self.server.name)
        if "accel" in wanted:
            self.send_header("X-Accel-Redirect", wanted["accel"])
        for line in parse_qs(url.query).get("header", []):
            self.send_header(*line.split(":", 1))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(text)

    do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = do_PATCH = do_OPTIONS = _answer

    def log_message(self, *_: Any) -> None:
        pass


class Backend(ThreadingHTTPServer):
    """Tells what it saw. Query: sleep=seconds, status=code, bytes=length of the body, drop=1 closes at once,
    header=Name:value (repeatable)."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, name: str, *, certificate: tuple[Path, Path] | None = None) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.name = name
        self.seen: list[dict[str, Any]] = []
        self.connections = 0
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*certificate)
            context.sni_callback = self._note_name
            self.socket = context.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)
        self.tls_names: list[str] = []
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()

    @property
    def port(self) -> int:
        return int(self.server_address[1])

    def process_request(self, request: Any, client_address: Any) -> None:
        self.connections += 1
        super().process_request(request, client_address)

    def _note_name(self, _socket: Any, name: str, _context: Any) -> None:
        self.tls_names.append(name)

    def handle_error(self, *_: Any) -> None:
        """A client that goes away is no news."""

    def stop(self) -> None:
        self.shutdown()
        self.server_close()


class FakeAgent(socketserver.ThreadingUnixStreamServer):
    """The agent's socket: gives slices of pools.

    `pools`: subscription, or subscription:key -> units left; absent = 404.
    """

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, path: Path, *, slice_size: int = 10) -> None:
        path.unlink(missing_ok=True)
        super().__init__(str(path), _AgentHandler)
        os.chmod(path, 0o666)
        self.slice_size = slice_size
        self.pools: dict[str, int] = {}
        self.limits: dict[str, int] = {}
        self.window = (float(int(time.time()) - 3600), float(int(time.time()) + 3600))
        self.asked: list[dict[str, Any]] = []
        self.reachable = True
        self.seconds = 0.0
        self.epoch = 0
        self.lock = threading.Lock()
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()

    def allow(self, subscription: str, units: int) -> None:
        self.pools[subscription] = self.limits[subscription] = units

    def lease(self, ask: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        time.sleep(self.seconds)
        with self.lock:
            self.asked.append(ask)
            if not self.reachable:
                return 503, {"error": "unreachable"}
            name = ask["subscription"] + (f":{ask['key']}" if ask.get("key") else "")
            if name not in self.pools:
                return 404, {"error": "no quota"}
            granted = min(self.slice_size, self.pools[name])
            self.pools[name] -= granted
            starts_at, ends_at = self.window
            return 200, {
                "granted": granted, "starts_at": starts_at, "ends_at": ends_at,
                "limit": self.limits[name], "left": self.pools[name], "slice": self.slice_size, "epoch": self.epoch,
            }  # fmt: skip

    def handle_error(self, *_: Any) -> None:
        """A gate that goes away is no news."""

    def stop(self) -> None:
        self.shutdown()
        self.server_close()


class _AgentHandler(socketserver.StreamRequestHandler):
    server: FakeAgent

    def handle(self) -> None:
        assert self.rfile.readline().startswith(b"POST /lease ")
        length = 0
        while (line := self.rfile.readline().strip()) != b"":
            if line.lower().startswith(b"content-length:"):
                length = int(line.split(b":")[1])
        status, body = self.server.lease(json.loads(self.rfile.read(length)))
        text = json.dumps(body).encode()
        self.wfile.write(b"HTTP/1.1 %d X\r\nContent-Length: %d\r\n\r\n%s" % (status, len(text), text))
