"""Resolves the host names that entries mention, so that nginx never waits for DNS.

A look-up that fails keeps the last good addresses; they are kept on disk too, for a start without DNS.
"""

import asyncio
import ipaddress
import json
import socket
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

from gateway.agent.files import write_atomically
from gateway.agent.nginx import Away, ControlSocket
from gateway.agent.problems import Problems
from gateway.agent.store import EntryStore

REFRESH_SECONDS = 10.0
# How long a new entry may be held back for the first look-up of its host.
FIRST_LOOKUP_SECONDS = 0.3
KINDS = ("backend", "stage")
PROBLEM = "address"


def hosts_of(kind: str, data: dict[str, Any] | None) -> set[str]:
    """Return the host names (no IP literals) that an entry's data sends calls to."""
    if data is None or kind not in KINDS:
        return set()
    if kind == "backend":
        targets = [data.get("target"), *(_of(each, "target") for each in data.get("targets") or ())]
    else:
        targets = [*_targets(data), *_targets(data.get("canary") or {})]
    hosts = {_of(target, "host") for target in targets}
    return {host for host in hosts if isinstance(host, str) and host and not _is_ip(host)}


def _targets(deployment: dict[str, Any]) -> list[Any]:
    operations = deployment.get("operations")
    rows = operations.values() if isinstance(operations, dict) else ()
    return [_of(_of(row, "integration"), "target") for row in rows]


def _of(value: Any, name: str) -> Any:
    """One field of what should be an object; None where it is not."""
    return value.get(name) if isinstance(value, dict) else None


def _is_ip(host: str) -> bool:
    try:
        ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return False
    return True


def look_up(host: str) -> list[str]:
    """Return the host's IP addresses, sorted; IPv6 only where there is no IPv4. Raises OSError."""
    found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM, flags=socket.AI_ADDRCONFIG)
    four = {str(address[4][0]) for address in found if address[0] == socket.AF_INET}
    six = {str(address[4][0]) for address in found if address[0] == socket.AF_INET6}
    return sorted(four or six)


class Addresses:
    """Host name -> IP addresses, for all hosts of the node's entries."""

    def __init__(
        self,
        path: Path,
        store: EntryStore,
        nginx: ControlSocket,
        problems: Problems,
        *,
        resolve: Callable[[str], list[str]] = look_up,
    ) -> None:
        self._path = path
        self._store = store
        self._nginx = nginx
        self._problems = problems
        self._resolve = resolve
        self._threads = ThreadPoolExecutor(8, thread_name_prefix="dns")
        self._by_entry: dict[tuple[str, str], set[str]] = {}
        self._known: dict[str, list[str]] = {}
        self._to_push: set[str] = set()

    def load(self) -> None:
        """Collect the hosts of the stored entries, and the addresses of the last run."""
        for held in self._store.of_kinds(KINDS):
            self._by_entry[held.kind, held.key] = hosts_of(held.kind, json.loads(held.line)["data"])
        try:
            kept = json.loads(self._path.read_bytes())
        except (OSError, ValueError):
            kept = {}
        hosts = self.hosts()
        self._known = (
            {host: ips for host, ips in kept.items() if host in hosts} if isinstance(kept, dict) else {}
        )
        self.push_again()

    def hosts(self) -> set[str]:
        """Return all host names that entries mention."""
        return set().union(*self._by_entry.values())

    async def learn(self, changes: Iterable[tuple[str, str, dict[str, Any] | None]]) -> None:
        """Take over changed (kind, key, data); look new hosts up, for at most FIRST_LOOKUP_SECONDS."""
        before = self.hosts()
        for kind, key, data in changes:
            if kind in KINDS:
                self._by_entry[kind, key] = hosts_of(kind, data)
        new = self.hosts() - before
        if new:
            done = asyncio.gather(*(self._refresh(host) for host in new))
            try:
                await asyncio.wait_for(asyncio.shield(done), FIRST_LOOKUP_SECONDS)
            except TimeoutError:
                done.add_done_callback(lambda _: asyncio.ensure_future(self.push()))
            await self.push()

    async def reload(self) -> None:
        """Collect all hosts anew, after the store was replaced."""
        changes = [
            (held.kind, held.key, json.loads(held.line)["data"]) for held in self._store.of_kinds(KINDS)
        ]
        self._by_entry.clear()
        await self.learn(changes)

    async def run(self) -> None:
        """Look everything up every REFRESH_SECONDS, for ever."""
        while True:
            await self.refresh()
            await asyncio.sleep(REFRESH_SECONDS)

    async def refresh(self) -> None:
        """Look all hosts up once, and push what changed."""
        hosts = self.hosts()
        await asyncio.gather(*(self._refresh(host) for host in hosts))
        for host in set(self._known) - hosts:
            del self._known[host]
            self._problems.clear(f"{PROBLEM} {host}")
        await self.push()

    def push_again(self) -> None:
        """Push everything with the next `push`: nginx was started anew."""
        self._to_push = set(self._known)

    async def push(self) -> None:
        """Push the addresses that nginx does not have; when it is away, the next call does it."""
        names = {host for host in self._to_push if host in self._known}
        if not names:
            return
        self._to_push = set()
        try:
            await self._nginx.addresses({host: self._known[host] for host in names})
        except Away:
            self._to_push |= names

    async def _refresh(self, host: str) -> None:
        loop = asyncio.get_running_loop()
        try:
            ips = await loop.run_in_executor(self._threads, self._resolve, host)
        except (OSError, UnicodeError) as error:
            last = ", ".join(self._known.get(host, [])) or "none"
            self._problems.report(f"{PROBLEM} {host}", f"cannot be looked up ({error}); last good: {last}")
            return
        self._problems.clear(f"{PROBLEM} {host}")
        if ips and self._known.get(host) != ips:
            self._known[host] = ips
            self._to_push.add(host)
            self._keep()

    def _keep(self) -> None:
        # a convenience for the next start only; a full disk is reported by the store and the spool
        with suppress(OSError):
            write_atomically(self._path, json.dumps(self._known).encode())

    def close(self) -> None:
        """Stop the look-up threads without waiting for them."""
        self._threads.shutdown(wait=False, cancel_futures=True)
