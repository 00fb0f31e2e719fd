"""A real nginx of a node for tests: start it, push entries, call it, read its usage log."""

import contextlib
import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from gateway.entries import Entry
from gateway.journal import Journal
from gateway.nginx.start import prepare
from gateway.settings import NodeSettings

USAGE_FIELDS = (
    "msec", "subscription", "key", "stage", "operation", "status", "bytes_sent", "request_length",
    "request_time", "verdict", "flags", "upstream_response_time",
)  # fmt: skip


@dataclass
class Answer:
    """What a call got. Header names are in lower case; a repeated header is joined by a comma."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Node:
    """A running nginx."""

    settings: NodeSettings
    process: subprocess.Popen[bytes]
    addresses: dict[str, list[str]] = field(default_factory=dict)

    def call(self, method: str, path: str, *, key: str = "", host: str = "gate.test", **more: Any) -> Answer:
        """Make one call on a connection of its own; more: headers, body, timeout, source (an address of ours).

        Returns when nginx is done with the call: its lines are in the logs, before those of any later call.
        """
        headers = {"Host": host, **more.pop("headers", {})}
        if key:
            headers["x-api-key"] = key
        source = more.pop("source", None)
        connection = http.client.HTTPConnection(
            "127.0.0.1",
            self.settings.port,
            timeout=more.pop("timeout", 20),
            # a port that is bound before it is connected can't be one that waits out its last call's minute,
            # and a flood leaves all of them waiting
            source_address=(source, 0) if source else None,
        )
        with contextlib.closing(connection):
            connection.request(method, path, headers=headers, **more)
            answer = read(connection.getresponse())
            await_close(connection)
            return answer

    def raw(self, text: bytes, *, seconds: float = 5) -> bytes:
        """Send bytes as they are and return what comes until nginx closes or `seconds` pass in silence."""
        with socket.create_connection(("127.0.0.1", self.settings.port), timeout=seconds) as connection:
            connection.sendall(text)
            connection.settimeout(seconds)
            got = b""
            with contextlib.suppress(TimeoutError, ConnectionResetError):
                while part := connection.recv(65536):
                    got += part
            return got

    def control(self, method: str, path: str, body: bytes = b"") -> Answer:
        """Use the control socket as the agent does."""
        connection = http.client.HTTPConnection("control", timeout=20)
        with contextlib.closing(connection):
            connection.sock = socket.socket(socket.AF_UNIX)
            connection.sock.connect(str(self.settings.control_socket))
            connection.request(method, path, body=body)
            return read(connection.getresponse())

    def push(self, entries: Iterable[Entry]) -> Answer:
        """Push entries; the answer is checked by the caller."""
        return self.control("POST", "/entries", "\n".join(entry.to_json() for entry in entries).encode())

    def push_addresses(self, **hosts: list[str]) -> None:
        assert self.control("POST", "/addresses", json.dumps(hosts).encode()).status == 200

    def usage(self) -> list[dict[str, str]]:
        """All lines of the usage log."""
        lines = usage_lines(self.settings.folder)
        return [
            dict(zip(USAGE_FIELDS, line.split(" ", len(USAGE_FIELDS) - 1), strict=True)) for line in lines
        ]

    def usage_after(self, number: int, *, seconds: float = 3) -> list[dict[str, str]]:
        """The lines after the first `number`, waiting for at least one (nginx writes a line after the answer)."""
        wait_until(lambda: len(self.usage()) > number, seconds=seconds, what="a usage line")
        return self.usage()[number:]

    def workers(self) -> list[int]:
        """Process ids of nginx's workers."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        return [int(pid) for pid in children.read_text().split()]

    def errors(self) -> str:
        return self.settings.error_log.read_text()

    def stop(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def usage_lines(folder: Path) -> list[str]:
    """All lines of the usage log in a node's folder that no agent has deleted."""
    journal = Journal(folder)
    head = journal.head()
    assert head
    text = b""
    for number in journal.numbers():
        rest = max(head.committed - number * head.segment, 0)
        text += journal.path(number).read_bytes()[:rest].rstrip(b"\0")
    return text.decode().splitlines()


def read(response: http.client.HTTPResponse) -> Answer:
    """Read a response whole."""
    headers: dict[str, str] = {}
    for name, value in response.getheaders():
        headers[name.lower()] = f"{headers[name.lower()]}, {value}" if name.lower() in headers else value
    return Answer(response.status, headers, response.read())


def await_close(connection: http.client.HTTPConnection) -> None:
    """Wait for nginx to close an answered connection, which it does after it has written the call's lines."""
    if connection.sock is None:  # it was closed with the answer
        return
    with contextlib.suppress(OSError):
        connection.sock.shutdown(socket.SHUT_WR)
        while connection.sock.recv(65536):
            pass


def start_nginx(folder: Path, port: int, **settings: Any) -> Node:
    """Start a node's nginx in `folder` and wait until it answers; settings: fields of NodeSettings."""
    made = NodeSettings(folder=folder, port=port, **{"workers": "2", **settings})
    process = subprocess.Popen(prepare(made), stdin=subprocess.DEVNULL)
    node = Node(made, process)
    try:
        wait_until(lambda: process.poll() is not None or _answers(node), seconds=10, what="nginx")
        assert process.poll() is None, node.errors()
    except BaseException:
        node.stop()
        raise
    return node


def _answers(node: Node) -> bool:
    try:
        return node.control("GET", "/status").status == 200
    except OSError:
        return False


@contextlib.contextmanager
def node_folder() -> Iterator[Path]:
    """A folder with a short path that nginx's workers can reach."""
    if not shutil.which("nginx") and not Path("/usr/sbin/nginx").exists():
        pytest.skip("nginx is not installed")
    outer = Path(tempfile.mkdtemp(prefix="gh-", dir="/tmp"))
    outer.chmod(0o755)
    try:
        yield outer / "node"
    finally:
        shutil.rmtree(outer, ignore_errors=True)


def wait_until(condition: Any, *, seconds: float, what: str) -> None:
    """Wait for `condition()` to be true; fails naming `what`."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"{what} did not come within {seconds} s"
        time.sleep(0.01)


def is_root() -> bool:
    return os.geteuid() == 0
