"""Ask a Gatehouse node whether an API key is valid. One file, only the standard library; Python 3.11 or newer.

    keys = Client("http://127.0.0.1:8080", token="gat_…", api="shop/v1")
    verdict = keys.verify(request.headers.get("X-Api-Key", ""), mode="consume", method="GET", path="/orders/7")
    if not verdict.valid:
        return refuse(verdict.status, verdict.code, retry_after=verdict.retry_after)

A client may be shared by threads: each has a connection of its own, which is kept.
"""

import hashlib
import http.client
import json
import select
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import urlsplit

Mode = Literal["check", "consume"]
# What a gateway answers its client for each code; every other code is 403.
STATUSES = {
    "VALID": 200, "MISSING": 401, "MALFORMED": 401, "NOT_FOUND": 401, "REVOKED": 401, "EXPIRED": 401,
    "ROTATED_OUT": 401, "NOT_YET_VALID": 401, "API_RETIRED": 410, "RATE_LIMITED": 429, "QUOTA_EXCEEDED": 429,
}  # fmt: skip


class GatehouseError(Exception):
    """No verdict could be had."""


class Unreachable(GatehouseError):
    """The node cannot be reached, or did not answer in time. Decide yourself: refuse (safe) or let pass."""


class AskedWrongly(GatehouseError):
    """The node refused the question: token, input or your own rate limit. `status`, `problem` (RFC 9457)."""

    def __init__(self, status: int, problem: Mapping[str, Any]) -> None:
        super().__init__(f"{status}: {problem.get('detail') or problem.get('message') or 'no reason given'}")
        self.status = status
        self.problem = problem


@dataclass(frozen=True)
class Limit:
    """One limit of the plan. None = not known where it was asked."""

    name: str
    kind: str
    limit: float
    remaining: float | None
    used: float | None
    reset_after_s: float | None
    exceeded: bool


@dataclass(frozen=True)
class Verdict:
    """What was said of a key. `answer` is the whole JSON object."""

    valid: bool
    code: str
    message: str
    consumed: bool
    limits: tuple[Limit, ...]
    ttl_s: int
    answer: Mapping[str, Any] = field(repr=False)

    @property
    def status(self) -> int:
        """The status that a gateway answers its client."""
        return STATUSES.get(self.code, 403)

    @property
    def retry_after(self) -> int | None:
        """Seconds after which a call that met a limit may be tried again."""
        waits = [each.reset_after_s for each in self.limits if each.exceeded and each.reset_after_s]
        return int(max(waits)) if waits else None

    @property
    def application(self) -> str | None:
        """Name of the application that the key belongs to."""
        return (self.answer.get("application") or {}).get("name")


@dataclass(frozen=True)
class Authorization:
    """The verdict as a gateway gets it: status, code and headers (names in lower case)."""

    status: int
    code: str
    headers: Mapping[str, str]


class Client:
    """Asks one node. `api` is what keys are judged for: `shop`, `shop/v1` or `shop/v1/live`.

    `connect_timeout` and `timeout` are seconds. A connection that cannot be made is tried again `retries` times; a
    question that was sent is not asked twice, or a call could be consumed twice. Verdicts of mode `check` are kept
    for as long as the node allows (at most 5 seconds), `cache_size` of them; 0 = none.
    """

    def __init__(
        self,
        url: str,
        *,
        token: str,
        api: str,
        connect_timeout: float = 0.5,
        timeout: float = 3.0,
        retries: int = 2,
        cache_size: int = 10_000,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"{url!r} is no address of a node; write one such as http://127.0.0.1:8080")
        names = api.strip("/").split("/")
        self._names = dict(zip(("api", "version", "stage"), names, strict=False))
        self._api = api
        self._host, self._port, self._secure = parts.hostname, parts.port, parts.scheme == "https"
        self._token = token
        self._connect_timeout, self._timeout, self._retries = connect_timeout, timeout, retries
        self._local = threading.local()
        self._cache = _Cache(cache_size, clock)

    def verify(
        self,
        key: str,
        *,
        mode: Mode = "check",
        method: str | None = None,
        path: str | None = None,
        client_ip: str | None = None,
        referrer: str | None = None,
    ) -> Verdict:
        """Judge a key. `consume` takes one call from its limits and meters it; `check` takes nothing.

        Raises Unreachable and AskedWrongly.
        """
        told = {"method": method, "path": path, "client_ip": client_ip, "referrer": referrer}
        asked = {
            "key": key,
            "mode": mode,
            **self._names,
            **{name: text for name, text in told.items() if text},
        }
        if mode != "check":
            return _verdict(self._ask_json(asked))
        name = hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).digest()
        kept = self._cache.get(name)
        if kept is None:
            kept = _verdict(self._ask_json(asked))
            self._cache.keep(name, kept, kept.ttl_s)
        return kept

    def authorize(
        self, key: str, *, mode: Mode = "consume", method: str = "GET", path: str = "/", **headers: str
    ) -> Authorization:
        """Judge a call as a gateway does; headers such as `x_forwarded_for="203.0.113.7"` go along."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        sent |= {"X-Api-Key": key, "X-Forwarded-Method": method, "X-Forwarded-Uri": path}
        sent["X-Gatehouse-Api"] = f"{self._api}?mode={mode}"
        status, answered, body = self._request("GET", "/api/v1/keys/authorize", sent, None)
        code = answered.get("x-gatehouse-code", "")
        if not code or code.startswith("CALLER_") or status >= 500:
            raise AskedWrongly(status, _json(body))
        return Authorization(status, code, answered)

    def close(self) -> None:
        """Close this thread's connection."""
        connection = getattr(self._local, "connection", None)
        if connection is not None:
            connection.close()
            self._local.connection = None

    def _ask_json(self, asked: Mapping[str, str]) -> dict[str, Any]:
        body = json.dumps(asked).encode()
        headers = {"Content-Type": "application/json"}
        status, _, text = self._request("POST", "/api/v1/keys/verify", headers, body)
        found = _json(text)
        if status != 200 or "code" not in found:
            raise AskedWrongly(status, found)
        return found

    def _request(
        self, method: str, path: str, headers: dict[str, str], body: bytes | None
    ) -> tuple[int, dict[str, str], bytes]:
        connection = self._connection()
        try:
            connection.request(method, path, body, {"Authorization": f"Bearer {self._token}", **headers})
            response = connection.getresponse()
            text = response.read()
        except (OSError, http.client.HTTPException) as error:
            self.close()
            raise Unreachable(f"{self._host}:{self._port}: {error or type(error).__name__}") from error
        return response.status, {name.lower(): value for name, value in response.getheaders()}, text

    def _connection(self) -> http.client.HTTPConnection:
        """Return this thread's connection; a new one where the node has closed the kept one meanwhile."""
        kept: http.client.HTTPConnection | None = getattr(self._local, "connection", None)
        if kept is not None and kept.sock is not None and not _is_closed(kept):
            return kept
        self.close()
        made = self._local.connection = self._connect()
        return made

    def _connect(self) -> http.client.HTTPConnection:
        kind = http.client.HTTPSConnection if self._secure else http.client.HTTPConnection
        for attempt in range(self._retries + 1):
            made = kind(self._host, self._port, timeout=self._connect_timeout)
            try:
                made.connect()
            except OSError as error:
                made.close()
                if attempt == self._retries:
                    raise Unreachable(f"{self._host}:{self._port}: {error}") from error
                time.sleep(0.05 * 2**attempt)
            else:
                made.sock.settimeout(self._timeout)
                return made
        raise AssertionError("unreachable")


class _Cache:
    """Verdicts by their question, each for its own time; the oldest go first."""

    def __init__(self, size: int, clock: Callable[[], float]) -> None:
        self._size, self._clock = size, clock
        self._kept: OrderedDict[bytes, tuple[float, Verdict]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, name: bytes) -> Verdict | None:
        with self._lock:
            until, verdict = self._kept.get(name, (0.0, None))
            if verdict is not None and self._clock() < until:
                return verdict
            self._kept.pop(name, None)
            return None

    def keep(self, name: bytes, verdict: Verdict, seconds: float) -> None:
        if seconds <= 0 or self._size <= 0:
            return
        with self._lock:
            self._kept[name] = (self._clock() + seconds, verdict)
            self._kept.move_to_end(name)
            while len(self._kept) > self._size:
                self._kept.popitem(last=False)


def _is_closed(connection: http.client.HTTPConnection) -> bool:
    """Say whether the other side has ended a kept connection: then it can be read, though nothing was asked."""
    readable, _, _ = select.select([connection.sock], [], [], 0)
    return bool(readable)


def _json(body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _verdict(found: dict[str, Any]) -> Verdict:
    names = ("name", "kind", "limit", "remaining", "used", "reset_after_s", "exceeded")
    return Verdict(
        valid=found["valid"],
        code=found["code"],
        message=found["message"],
        consumed=found["consumed"],
        limits=tuple(Limit(**{name: each[name] for name in names}) for each in found["limits"]),
        ttl_s=found["cache"]["ttl_s"],
        answer=found,
    )
