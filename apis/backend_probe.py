"""Trying out a backend: name, connection, TLS and one GET, each told with its time.

The control plane tries, not a node, so it keeps to the addresses that it may call (`outgoing.py`): what it may not
try can still be a good backend for nodes, and the answer says so.
"""

import re
import socket
import ssl
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import certifi

from apis.openapi.uris import Server, read_server, split
from apis.outgoing import addresses_of, may_call
from apis.server_urls import clean_url

SECONDS = 10.0
STATUS = re.compile(rb"HTTP/1\.[01] (\d{3})(?: ([^\r\n]{0,80}))?\r?\n")
MOST_BYTES = 16_384
REASONS = {
    401: "it asks who is calling",
    403: "it lets not everybody in",
    404: "nothing is at this path itself",
}


@dataclass(frozen=True, slots=True)
class Step:
    """`name` is Name, Connection, TLS or Answer; `good` None = not tried; `ms` how long it took."""

    name: str
    good: bool | None
    text: str
    ms: float | None = None


@dataclass(slots=True)
class Probe:
    """What came of it, step by step; it ends at the first step that is not good."""

    url: str
    steps: list[Step] = field(default_factory=list)

    @property
    def good(self) -> bool:
        return all(each.good for each in self.steps)

    @property
    def failed(self) -> bool:
        return any(each.good is False for each in self.steps)


class _Ended(Exception):
    """A step that is not good."""

    def __init__(self, text: str, *, good: bool | None = False) -> None:
        super().__init__(text)
        self.good, self.text = good, text


def probe(url: str) -> Probe:
    """Try a backend's URL for at most 10 seconds or so; Refused (field `url`) for what cannot be one."""
    cleaned = clean_url(url)
    found = Probe(cleaned)
    server = read_server(split(cleaned))
    with ExitStack() as opened:
        run = _run(server, urlsplit(cleaned).path or "/", opened, time.monotonic() + SECONDS)
        name, begun = "Name", time.monotonic()
        try:
            for name, text in run:
                found.steps.append(Step(name, good=True, text=text, ms=1_000 * (time.monotonic() - begun)))
                begun = time.monotonic()
        except _Ended as ended:
            last = found.steps[-1].name if found.steps else ""
            name = _next(last, server)
            found.steps.append(Step(name, ended.good, ended.text, 1_000 * (time.monotonic() - begun)))
    return found


def _next(last: str, server: Server) -> str:
    names = ["", "Name", "Connection", *(["TLS"] if server.scheme == "https" else []), "Answer"]
    return names[names.index(last) + 1]


def _run(server: Server, path: str, opened: ExitStack, deadline: float) -> Iterator[tuple[str, str]]:
    """Do step by step; yields (name, what was found), raises _Ended."""
    address, text = _look_up(server)
    yield "Name", text
    connection = opened.enter_context(_connect(address, server, deadline))
    yield "Connection", f"Connected to {address}, port {server.port}."
    if server.scheme == "https":
        connection = opened.enter_context(_secured(connection, server))
        yield "TLS", _certificate(connection)
    yield "Answer", _answer(connection, server, path, deadline)


def _look_up(server: Server) -> tuple[str, str]:
    try:
        addresses = addresses_of(server)
    except OSError as error:
        raise _Ended(f"The name {server.host} is not known. Is it spelled right?") from error
    if not all(map(may_call, addresses)):
        raise _Ended(
            f"{server.host} is an address of the inside. The control plane calls none of those, so this was not "
            "tried; gateway nodes may reach it all the same. The installation's staff can allow it "
            "(GATEHOUSE_FETCH_PRIVATE).",
            good=None,
        )
    shown = ", ".join(addresses[:4])
    return addresses[0], f"{shown} is an address." if shown == server.host else f"{server.host} is {shown}."


def _connect(address: str, server: Server, deadline: float) -> socket.socket:
    try:
        return socket.create_connection((address, server.port), timeout=_left(deadline))
    except TimeoutError as error:
        message = f"No connection to {address}, port {server.port}, in time. Does a firewall drop it?"
        raise _Ended(message) from error
    except OSError as error:
        message = (
            f"{address} refuses connections at port {server.port}. Is the server running, the port right?"
        )
        raise _Ended(message) from error


def _secured(connection: socket.socket, server: Server) -> ssl.SSLSocket:
    context = ssl.create_default_context(cafile=certifi.where())
    try:
        return context.wrap_socket(connection, server_hostname=server.host)
    except ssl.SSLCertVerificationError as error:
        message = f"The certificate cannot be trusted: {error.verify_message}. Nodes would refuse it as well."
        raise _Ended(message) from error
    except (ssl.SSLError, OSError) as error:
        message = "No TLS is spoken at this port. Should the URL begin with http://?"
        raise _Ended(message) from error


def _certificate(connection: socket.socket) -> str:
    assert isinstance(connection, ssl.SSLSocket)
    certificate = connection.getpeercert() or {}
    return f"{connection.version()}, certificate valid until {certificate.get('notAfter', 'an unknown day')}."


def _answer(connection: socket.socket, server: Server, path: str, deadline: float) -> str:
    host = f"[{server.host}]" if ":" in server.host else server.host
    usual = server.port == (443 if server.scheme == "https" else 80)
    lines = (
        f"GET {path} HTTP/1.1",
        f"Host: {host if usual else f'{host}:{server.port}'}",
        "User-Agent: Gatehouse",
        "Accept: */*",
        "Connection: close",
    )
    try:
        connection.sendall("\r\n".join([*lines, "", ""]).encode())
        found = _status(connection, deadline)
    except TimeoutError as error:
        raise _Ended(f"It did not answer GET {path} within {SECONDS:.0f} seconds.") from error
    except OSError as error:
        raise _Ended("The connection broke before it answered.") from error
    if found is None:
        raise _Ended("What it answered is no HTTP. Is the port right?")
    status, reason = int(found[1]), (found[2] or b"").decode("latin-1")
    said = f"GET {path} is answered {status} {reason}".strip()
    if status >= 500:
        raise _Ended(f"{said}: the server is there, and fails.")
    return f"{said}: {REASONS[status]}." if status in REASONS else f"{said}."


def _status(connection: socket.socket, deadline: float) -> re.Match[bytes] | None:
    """Read until the status line is there; None = that will not happen."""
    held = b""
    while len(held) < MOST_BYTES:
        connection.settimeout(_left(deadline))
        piece = connection.recv(4_096)
        held += piece
        if b"\n" in held or not piece:
            return STATUS.match(held)
    return None


def _left(deadline: float) -> float:
    return max(deadline - time.monotonic(), 0.01)
