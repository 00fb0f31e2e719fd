"""The client of the control plane's door `/nodes/v1/`: the one place for the token and the time-outs."""

import asyncio
import json
import random
import ssl
from typing import Any

import aiohttp

from gateway.agent.problems import Problems

CONNECT_SECONDS = 3.0
ANSWER_SECONDS = 10.0
# The long poll: how long the control plane may hold an ask, and what we allow on top of it.
WAIT_SECONDS = 20
WAIT_SLACK_SECONDS = 8

# An answer that comes later is of no use: demand has moved on.
SHARES_SECONDS = 2.0

PROBLEM = "control plane"


class Unreachable(Exception):
    """The control plane cannot be asked now, or its answer makes no sense; worth another try later."""


class Rejected(Exception):
    """The control plane will never take this (HTTP 400, 413, 422); the text says why."""


class ControlPlane:
    """One node's connection to the control plane. Every method raises Unreachable."""

    def __init__(self, url: str, token: str, problems: Problems, *, ca_bundle: str = "") -> None:
        self._base = url.rstrip("/") + "/nodes/v1/"
        self._headers = {"Authorization": f"Bearer {token}"}
        self._ca_bundle = ca_bundle
        self._problems = problems
        self._session: aiohttp.ClientSession | None = None

    async def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()

    async def entries(self, *, after: int, wait: int = WAIT_SECONDS) -> dict[str, Any]:
        """Return `{"generation", "entries", "more", "full"}`; it is held up to `wait` seconds."""
        answer = await self._call(
            "GET", f"entries?after={after}&wait={wait}", seconds=wait + WAIT_SLACK_SECONDS
        )
        if not isinstance(answer.get("generation"), int) or not isinstance(answer.get("entries"), list):
            raise self._odd("entries", "an answer without generation or entries")
        return answer

    async def digest(self) -> dict[str, Any] | None:
        """Return `{"generation", "count", "digest"}` of all entries; None = the control plane cannot tell."""
        answer = await self._call("GET", "digest", missing_ok=True)
        if answer is None:
            return None
        if not all(str(answer.get(name, "")).isdigit() for name in ("generation", "count", "digest")):
            raise self._odd("digest", "an answer without generation, count or digest")
        return answer

    async def lease(self, ask: dict[str, Any]) -> dict[str, Any] | None:
        """Ask for a slice of a quota; None = no such subscription, or it has no quota."""
        answer = await self._call("POST", "leases", ask, missing_ok=True)
        if answer is None:
            return None
        if not all(isinstance(answer.get(name), int | float) for name in ("granted", "starts_at", "ends_at")):
            raise self._odd("leases", "a grant without granted, starts_at or ends_at")
        return answer

    async def give_back(self, back: dict[str, Any]) -> None:
        """Return unspent units: `{"subscription", "key", "starts_at", "epoch", "units", "request"}`.

        May be repeated: the control plane knows the last request of each lease.
        """
        await self._call("POST", "leases/return", back, seconds=2, missing_ok=True)

    async def shares(self, said: dict[str, Any]) -> dict[str, Any] | None:
        """Say what this node needs of its throttles; returns `{"default", "interval", "limits"}`.

        None = the control plane knows of no shares.
        """
        answer = await self._call("POST", "shares", said, seconds=SHARES_SECONDS, missing_ok=True)
        if answer is None:
            return None
        if not isinstance(answer.get("default"), int | float) or not isinstance(answer.get("limits"), dict):
            raise self._odd("shares", "an answer without default or limits")
        return answer

    async def send_batch(self, body: bytes) -> bool:
        """Post a usage batch; False = the control plane had it already. Raises Rejected with the reason."""
        answer = await self._call("POST", "usage", body)
        return bool(answer.get("accepted"))

    async def send_requests(self, body: bytes) -> None:
        """Post lines of the request log (gateway/request_log.py). Raises Rejected with the reason."""
        await self._call("POST", "requests", body, missing_ok=True)

    async def status(self, report: dict[str, Any]) -> tuple[int, list[dict[str, Any]]]:
        """Post the status report.

        Returns the control plane's newest generation, and the leases whose unspent units others want:
        `[{"subscription", "key", "idle"}]`.
        """
        answer = await self._call("POST", "status", report)
        wanted = answer.get("wanted")
        wanted = wanted if isinstance(wanted, list) else []
        return int(answer.get("generation") or 0), [each for each in wanted if isinstance(each, dict)]

    async def _call(
        self,
        method: str,
        path: str,
        body: dict[str, Any] | bytes | None = None,
        *,
        seconds: float = ANSWER_SECONDS,
        missing_ok: bool = False,
    ) -> Any:
        name = path.split("?", maxsplit=1)[0]
        timeout = aiohttp.ClientTimeout(total=seconds, sock_connect=CONNECT_SECONDS)
        data = body if isinstance(body, bytes | None) else json.dumps(body).encode()
        headers = {"Content-Type": "application/json"} if data is not None else {}
        try:
            request = self._connections().request(
                method, self._base + path, data=data, headers=headers, timeout=timeout, allow_redirects=False
            )
            async with request as response:
                status, text = response.status, await response.read()
        except TimeoutError as error:
            raise self._away(f"no answer to {name} within {seconds:.0f} s") from error
        except (aiohttp.ClientError, OSError) as error:
            raise self._away(_short(error)) from error
        return self._understand(name, status, text, missing_ok=missing_ok)

    def _understand(self, name: str, status: int, text: bytes, *, missing_ok: bool) -> Any:
        if status in {502, 503, 504}:
            raise self._away(f"answers {status}")
        self._problems.clear(PROBLEM)
        topic = f"{PROBLEM}, {name}"
        if status in {200, 201}:
            try:
                answer = json.loads(text)
            except ValueError:
                answer = None
            if not isinstance(answer, dict):
                raise self._odd(name, "an answer that is no JSON object")
            self._problems.clear(topic)
            return answer
        if status == 404 and missing_ok:
            return None
        reason = text[:300].decode("utf-8", "replace").strip()
        if status in {400, 413, 422}:
            raise Rejected(f"{status}: {reason}")
        if status in {401, 403}:
            reason = "the node's token is refused; check GATEHOUSE_NODE_TOKEN and that the node is enabled"
        raise self._odd(name, f"{status}: {reason[:120]}")

    def _connections(self) -> aiohttp.ClientSession:
        if self._session is None:
            secure = self._base.startswith("https:")
            context = ssl.create_default_context(cafile=self._ca_bundle or None) if secure else True
            connector = aiohttp.TCPConnector(limit=20, ssl=context, keepalive_timeout=30)
            self._session = aiohttp.ClientSession(connector=connector, headers=self._headers)
        return self._session

    def _away(self, reason: str) -> Unreachable:
        self._problems.report(PROBLEM, f"unreachable ({reason})")
        return Unreachable(reason)

    def _odd(self, name: str, reason: str) -> Unreachable:
        self._problems.report(f"{PROBLEM}, {name}", reason)
        return Unreachable(reason)


def _short(error: BaseException) -> str:
    text = str(error).strip() or type(error).__name__
    return text.splitlines()[0][:200]


async def pause(attempt: int, *, longest: float = 3.0) -> None:
    """Wait before the next try: from 0.1 s, doubled each time up to `longest`, with jitter."""
    # jitter keeps many nodes from coming back in the same moment; it needs no secure randomness
    await asyncio.sleep(min(longest, 0.1 * 2 ** min(attempt, 10)) * random.uniform(0.6, 1.0))  # noqa: S311
