"""One attempt: the signed POST and what came of it. No redirects, and all of it within DEADLINE."""

import http.client
import json
import socket
import ssl
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache

import certifi
from django.utils.timezone import now
from standardwebhooks import Webhook

from accounts.encryption import UnreadableError, decrypt
from accounts.webhooks.addresses import NotAllowed, Receiver, read, resolve
from accounts.webhooks.models import WebhookEndpoint, WebhookEvent

CONNECT = 5.0  # seconds
READ = 10.0  # seconds of silence
DEADLINE = 15.0  # seconds for everything: a receiver that drips must not hold a worker
EXCERPT = 1_000  # bytes kept of an answer
GONE = 410


@dataclass(frozen=True, slots=True)
class Outcome:
    """`status` None = there was no answer; `problem` '' = delivered (any 2xx); `response` its first bytes as text."""

    status: int | None
    problem: str
    response: str = ""

    @property
    def delivered(self) -> bool:
        return not self.problem

    @property
    def gone(self) -> bool:
        """The receiver said that it wants no more, ever."""
        return self.status == GONE


def send(event: WebhookEvent, endpoint: WebhookEndpoint) -> Outcome:
    """Send an event to an endpoint once. Never raises for what the receiver does."""
    body = body_of(event)
    moment = now()
    try:
        headers = headers_of(event.pk, body, moment, secrets_of(endpoint, moment))
        receiver = read(endpoint.url)
        return _post(receiver, resolve(receiver), body, headers)
    except (NotAllowed, UnreadableError) as error:
        return Outcome(None, str(error))
    except ssl.SSLError as error:
        return Outcome(None, f"No TLS connection: {error.reason or error}.")
    except TimeoutError:
        return Outcome(None, "The receiver was too slow.")
    except (OSError, http.client.HTTPException) as error:
        return Outcome(None, f"The receiver could not be reached ({type(error).__name__}).")


def body_of(event: WebhookEvent) -> str:
    """Return the payload as Standard Webhooks shapes it; the same text at every attempt."""
    told = {"type": event.type, "timestamp": event.at.astimezone(UTC).isoformat(), "data": event.data}
    return json.dumps(told, separators=(",", ":"))


def secrets_of(endpoint: WebhookEndpoint, moment: datetime) -> list[str]:
    """Return the secrets that sign now: during a rotation the old one, too."""
    sealed = [endpoint.sealed_secret]
    if endpoint.sealed_old_secret and endpoint.old_secret_until and moment < endpoint.old_secret_until:
        sealed.append(endpoint.sealed_old_secret)
    return [decrypt(each) for each in sealed]


def headers_of(message: str, body: str, moment: datetime, secrets: Sequence[str]) -> dict[str, str]:
    """Return Standard Webhooks' headers, one signature for each secret."""
    moment = moment.astimezone(UTC)
    signatures = [Webhook(secret).sign(message, moment, body) for secret in secrets]
    return {
        "Content-Type": "application/json",
        "User-Agent": "Gatehouse-Webhooks",
        "webhook-id": message,
        "webhook-timestamp": str(int(moment.timestamp())),
        "webhook-signature": " ".join(signatures),
    }


def _post(receiver: Receiver, address: str, body: str, headers: dict[str, str]) -> Outcome:
    end = time.monotonic() + DEADLINE
    connection = http.client.HTTPConnection(receiver.host, receiver.port)
    plain = socket.create_connection((address, receiver.port), timeout=CONNECT)
    connection.sock = plain
    watchdog = threading.Timer(DEADLINE, _cut, [connection])
    watchdog.daemon = True
    watchdog.start()
    try:
        if receiver.scheme == "https":
            connection.sock = _trust().wrap_socket(plain, server_hostname=receiver.host)
        connection.sock.settimeout(READ)
        connection.request("POST", receiver.target, body.encode(), {"Host": receiver.netloc} | headers)
        answer = connection.getresponse()
        excerpt = answer.read1(EXCERPT).decode(errors="replace").replace("\x00", "�")
    except (OSError, http.client.HTTPException) as error:
        if time.monotonic() >= end:
            raise TimeoutError from error
        raise
    finally:
        watchdog.cancel()
        connection.close()
        plain.close()
    problem = "" if 200 <= answer.status < 300 else f"The receiver answered with status {answer.status}."
    return Outcome(answer.status, problem, excerpt)


def _cut(connection: http.client.HTTPConnection) -> None:
    """End whatever the connection waits for."""
    try:
        connection.sock.shutdown(socket.SHUT_RDWR)
    except OSError:
        return  # it is closed already


@lru_cache(maxsize=1)
def _trust() -> ssl.SSLContext:
    return ssl.create_default_context(cafile=certifi.where())
