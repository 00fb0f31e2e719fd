"""A small Stripe on loopback: the requests that we make, idempotency keys, refusals, and signed messages."""

import hashlib
import hmac
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from threading import Thread
from typing import Any
from urllib.parse import parse_qsl

SECRET = "whsec_of_the_stand_in"
KEY = "sk_test_of_the_stand_in"
_numbers = count(1)


class StandIn:
    """`requests` are (path, form, idempotency key); `declines` and `silent` make the next answers so."""

    def __init__(self, port: int) -> None:
        self.base = f"http://127.0.0.1:{port}"
        self.requests: list[tuple[str, dict[str, str], str]] = []
        self.answers: dict[str, tuple[int, dict[str, Any]]] = {}
        self.declines = False
        self.silent = False
        self.refunds = "succeeded"

    def answer(self, path: str, form: dict[str, str], key: str) -> tuple[int, dict[str, Any]]:
        self.requests.append((path, form, key))
        if self.silent:
            return 503, {"error": {"type": "api_error", "message": "down"}}
        if key and key in self.answers:
            return self.answers[key]
        made = self._make(path, form)
        if key:
            self.answers[key] = made
        return made

    def _make(self, path: str, form: dict[str, str]) -> tuple[int, dict[str, Any]]:
        number = next(_numbers)
        if path == "/v1/checkout/sessions":
            url = f"{self.base}/pay/{number}"
            return 200, {"id": f"cs_test_{number}", "object": "checkout.session", "url": url}
        if path == "/v1/customers":
            return 200, {"id": f"cus_{number}", "object": "customer"}
        if path == "/v1/refunds":
            return 200, {"id": f"re_{number}", "object": "refund", "status": self.refunds}
        if self.declines:
            error = {"type": "card_error", "code": "card_declined", "message": "Your card was declined."}
            return 402, {"error": error}
        return 200, {"id": f"pi_{number}", "object": "payment_intent", "status": "succeeded"}


@contextmanager
def running() -> Iterator[StandIn]:
    """Serve on a free port until the block ends."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            form = dict(parse_qsl(self.rfile.read(int(self.headers["Content-Length"])).decode()))
            assert self.headers["Authorization"] == f"Bearer {KEY}"
            status, body = stand_in.answer(self.path, form, self.headers.get("Idempotency-Key", ""))
            text = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(text)))
            if status == 503:
                self.send_header("Stripe-Should-Retry", "false")
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    stand_in = StandIn(server.server_port)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield stand_in
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def event(kind: str, about: dict[str, Any], event_id: str = "") -> bytes:
    """The body of a message."""
    event_id = event_id or f"evt_{next(_numbers)}"
    return json.dumps({"id": event_id, "object": "event", "type": kind, "data": {"object": about}}).encode()


def signature(body: bytes, secret: str = SECRET, at: float | None = None) -> str:
    """The `Stripe-Signature` of a body: HMAC-SHA256 of the time, a dot and the body."""
    moment = int(time.time() if at is None else at)
    made = hmac.new(secret.encode(), f"{moment}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={moment},v1={made}"


def session_paid(payment: Any, intent: str = "pi_1", **fields: Any) -> dict[str, Any]:
    """What Stripe tells of a paid Checkout page."""
    return {
        "id": payment.session_id,
        "mode": "payment",
        "payment_status": "paid",
        "payment_intent": intent,
        "amount_total": int(payment.amount * 100),
        "currency": payment.currency.lower(),
        "metadata": {"payment": payment.pk},
    } | fields


def refunded(payment: Any, cents: int, intent: str = "pi_1") -> dict[str, Any]:
    """What Stripe tells of a charge of which so much was paid back in all."""
    return {
        "id": "ch_1",
        "payment_intent": intent,
        "amount": int(payment.amount * 100),
        "amount_refunded": cents,
        "currency": payment.currency.lower(),
        "metadata": {"payment": payment.pk},
    }
