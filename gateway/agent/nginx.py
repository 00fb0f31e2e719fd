"""The client of nginx's control socket."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import aiohttp

ANSWER_SECONDS = 5.0
PUSH_SECONDS = 20.0


class Away(Exception):
    """nginx does not listen on its control socket, or gives no sensible answer."""


class PushRefused(Exception):
    """nginx did not take an entry: status 400 (a bad one, at `line`, from 1) or 507 (memory is full)."""

    def __init__(self, status: int, answer: dict[str, Any]) -> None:
        super().__init__(str(answer.get("error") or status))
        self.status = status
        self.line = answer.get("line")
        self.kind, self.key = answer.get("kind"), answer.get("key")


class ControlSocket:
    """nginx's control socket. Every method raises Away."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._session: aiohttp.ClientSession | None = None

    async def close(self) -> None:
        """Close the connection."""
        if self._session is not None:
            await self._session.close()

    async def status(self) -> dict[str, Any]:
        """Return `{"generation", "entries", "started", "capacity_bytes", "free_bytes", …}`."""
        return (await self._call("GET", "/status"))[1]

    async def push(self, lines: Iterable[bytes]) -> int:
        """Push entry lines; returns the newest generation held. Raises PushRefused at a bad one."""
        status, answer = await self._call("POST", "/entries", b"".join(lines), seconds=PUSH_SECONDS)
        if status in {400, 507}:
            raise PushRefused(status, answer)
        return int(answer.get("generation") or 0)

    async def start_over(self) -> None:
        """Make every entry older than any that will be pushed; all stay in use."""
        await self._call("POST", "/entries/start-over", seconds=PUSH_SECONDS)

    async def sweep(self, keep: Iterable[tuple[str, str]]) -> None:
        """Drop what was not pushed since `start_over`, but for these (kind, key)."""
        names = [f"{kind}:{key}" for kind, key in keep]
        await self._call("POST", "/entries/sweep", json.dumps(names).encode(), seconds=PUSH_SECONDS)

    async def addresses(self, addresses: dict[str, list[str]]) -> None:
        """Tell nginx the IP addresses of host names."""
        await self._call("POST", "/addresses", json.dumps(addresses).encode())

    async def take_leases(
        self, names: Iterable[tuple[str, str]] | None = None, *, idle: float = 0
    ) -> list[dict[str, Any]]:
        """Empty nginx's unspent leases: `[{"subscription", "key", "starts_at", "epoch", "units"}]`.

        `names` are (subscription, key or ""), None = all; those of which something was spent in the last `idle`
        seconds are left out.
        """
        body = b""
        if names is not None:
            wanted = [f"{subscription}:{key}" if key else subscription for subscription, key in names]
            body = json.dumps({"leases": wanted, "idle": idle}).encode()
        leases = (await self._call("POST", "/leases/take", body, seconds=1.5))[1].get("leases")
        return leases if isinstance(leases, list) else []  # cjson writes an empty list as {}

    async def shares(self, said: dict[str, Any]) -> dict[str, Any]:
        """Set shares of limits, and hear what was taken and refused; `share_push.lua` names the fields."""
        return (await self._call("POST", "/shares", json.dumps(said).encode()))[1]

    async def _call(
        self, method: str, path: str, body: bytes | None = None, *, seconds: float = ANSWER_SECONDS
    ) -> tuple[int, dict[str, Any]]:
        if self._session is None:
            self._session = aiohttp.ClientSession(connector=aiohttp.UnixConnector(str(self._path)))
        timeout = aiohttp.ClientTimeout(total=seconds)
        try:
            async with self._session.request(
                method, f"http://nginx{path}", data=body, timeout=timeout
            ) as answer:
                status, text = answer.status, await answer.read()
            content = json.loads(text) if text else {}
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
            raise Away(f"{path}: {str(error) or type(error).__name__}") from error
        if status not in {200, 400, 507} or not isinstance(content, dict):
            raise Away(f"{path}: answers {status}")
        if status != 200 and path != "/entries":
            raise Away(f"{path}: {content.get('error', status)}")
        return status, content
