"""Calls that the portal makes for a reader who tries an operation: to a gateway node, and nowhere else.

A browser may call the gateway only where an API allows it (CORS), and not from an https page to an http gateway;
so the portal sends the call. It connects to GATEHOUSE_NODE_URL whatever the call says: the stage's address gives
only the header Host and the start of the path.
"""

import http.client
import ssl
import time
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from django.conf import settings

CONNECT_SECONDS = 2.0
# a try holds one of the portal's threads for so long at most
LONGEST_SECONDS = 20.0
LARGEST_ANSWER = 256 * 2**10  # bytes
_CHUNK = 16 * 2**10
REQUEST_ID = "x-amzn-requestid"
# headers that say how the connection is used, where the call goes or whom it comes from; no reader sets those
NOT_FORWARDED = {
    "connection", "keep-alive", "transfer-encoding", "content-length", "te", "trailer", "upgrade", "expect", "host",
    "forwarded", "via", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip", "proxy-authorization",
}  # fmt: skip


class NoAnswer(Exception):
    """The gateway gave none; the text says why and the way out."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """An answer. `seconds` until its last byte; `is_cut` = the body is longer than what is here."""

    status: int
    reason: str
    headers: list[tuple[str, str]]
    body: bytes
    seconds: float
    is_cut: bool

    def header(self, name: str) -> str:
        """Return a header's value by its name in small letters; '' = it is not there."""
        return next((value for each, value in self.headers if each.lower() == name), "")

    @property
    def request_id(self) -> str:
        """The gateway's id of the call."""
        return self.header(REQUEST_ID)


def send(
    address: str,
    *,
    method: str,
    target: str,
    headers: Sequence[tuple[str, str]],
    body: bytes | None,
    client: str,
) -> Outcome:
    """Call a stage at its `address`; `target` is path and query below it, encoded. `client` is the reader's address.

    Raises NoAnswer.
    """
    stage = urlsplit(address)
    connection = _connection()
    begun = time.monotonic()
    try:
        connection.connect()
        connection.sock.settimeout(LONGEST_SECONDS)
        connection.putrequest(method, stage.path + target, skip_host=True, skip_accept_encoding=True)
        connection.putheader("Host", stage.netloc)
        for name, value in headers:
            if name.lower() not in NOT_FORWARDED:
                connection.putheader(name, value.encode())
        if client:
            connection.putheader("X-Forwarded-For", client)
        if body is not None:
            connection.putheader("Content-Length", str(len(body)))
        connection.endheaders(body)
        answer = connection.getresponse()
        text, is_cut = _body(answer, begun + LONGEST_SECONDS)
    except TimeoutError as error:
        raise NoAnswer(
            f"No answer within {LONGEST_SECONDS:.0f} seconds. Run a sample in your own shell to wait longer."
        ) from error
    except (OSError, http.client.HTTPException) as error:
        raise NoAnswer("The gateway cannot be reached from here just now. Try again in a minute.") from error
    except ValueError as error:
        raise NoAnswer(f"HTTP does not allow this call: {error}.") from error
    finally:
        connection.close()
    seconds = time.monotonic() - begun
    return Outcome(answer.status, answer.reason, answer.getheaders(), text, seconds, is_cut)


def _connection() -> http.client.HTTPConnection:
    node = urlsplit(settings.NODE_URL)
    host = node.hostname or "localhost"
    if node.scheme == "https":
        context = ssl.create_default_context()
        return http.client.HTTPSConnection(host, node.port, timeout=CONNECT_SECONDS, context=context)
    return http.client.HTTPConnection(host, node.port, timeout=CONNECT_SECONDS)


def _body(answer: http.client.HTTPResponse, deadline: float) -> tuple[bytes, bool]:
    """Return the start of the body and whether there is more."""
    read = bytearray()
    while chunk := answer.read1(_CHUNK):
        read += chunk
        if len(read) > LARGEST_ANSWER:
            return bytes(read[:LARGEST_ANSWER]), True
        if time.monotonic() > deadline:
            return bytes(read), True
    return bytes(read), False
