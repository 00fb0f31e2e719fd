"""Puts the agent together: what runs beside what, and how it stops."""

import asyncio
import fcntl
import logging
from collections.abc import Coroutine
from contextlib import suppress
from pathlib import Path
from typing import Any, TextIO

from aiohttp import web

from gateway import sockets
from gateway.agent import leases as lease_desk
from gateway.agent.addresses import Addresses
from gateway.agent.control_plane import ControlPlane, Rejected, Unreachable
from gateway.agent.drift import Drift
from gateway.agent.error_log import ErrorLog
from gateway.agent.give_back import GiveBack
from gateway.agent.meter import Meter
from gateway.agent.metrics import MetricsServer, NodeCollector
from gateway.agent.nginx import Away, ControlSocket
from gateway.agent.problems import Problems
from gateway.agent.push import Pusher
from gateway.agent.request_sender import RequestSender
from gateway.agent.sender import Sender
from gateway.agent.shares import Shares
from gateway.agent.spool import Spool
from gateway.agent.status import Status
from gateway.agent.store import EntryStore
from gateway.agent.sync import Sync
from gateway.agent.usage_log import UsageLog
from gateway.entries import Entry
from gateway.request_log import RequestLog
from gateway.settings import NodeSettings

log = logging.getLogger("agent")

# At a stop: each of these steps may take so long (s); together less than 5 s.
FINAL_READ_SECONDS, FINAL_SEND_SECONDS, GIVE_BACK_SECONDS = 1.5, 1.0, 1.5


class Busy(Exception):
    """Another agent works in this folder."""


class Agent:
    """One node's agent. `run(stop)` works until the event is set."""

    def __init__(self, settings: NodeSettings) -> None:
        self._settings = settings
        self._lock_file: TextIO | None = None
        self.problems = Problems()
        self._control_plane = ControlPlane(
            settings.control_url, settings.token, self.problems, ca_bundle=str(settings.ca_bundle)
        )
        self._socket = ControlSocket(settings.control_socket)
        self.store = EntryStore(settings.entries_file, self.problems)
        self._addresses = Addresses(
            settings.folder / "addresses.json", self.store, self._socket, self.problems
        )
        self.pusher = Pusher(self.store, self._socket, self.problems, self._nginx_started)
        self._leases = lease_desk.Leases(self._control_plane)
        self._back = GiveBack(self._control_plane)
        self._shares = Shares(settings.folder / "shares.json", self._socket, self._control_plane)
        self._usage()
        self._status = Status(
            folder=settings.folder,
            store=self.store,
            pusher=self.pusher,
            meter=self._meter,
            spool=self._spool,
            control_plane=self._control_plane,
            problems=self.problems,
            give_back=self._give_unused_back,
        )

    def _usage(self) -> None:
        log_files = UsageLog(self._settings.folder)
        self._spool = Spool(self._settings.spool)
        self._sender = Sender(self._spool, self._control_plane, self.problems)
        self._meter = Meter(
            log_files,
            self._spool,
            self.problems,
            generation=self.pusher.generation,
            on_batch=self._wake_sender,
            payload=self._settings.metered_payload,
        )

    def _wake_sender(self) -> None:
        self._loop.call_soon_threadsafe(self._sender.wake)

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop`, then finish within 5 s. Raises Busy, spool.Damaged and OSError at the start."""
        self._loop = asyncio.get_running_loop()
        self._settings.folder.mkdir(parents=True, exist_ok=True)
        self._lock()
        self._spool.open()
        self.store.load()
        self._addresses.load()
        log.info("starting with %s entries, generation %s", len(self.store), self.store.newest())
        server = await self._serve(self._settings.agent_socket)
        tasks = [asyncio.create_task(self._keep_going(part)) for part in self._parts()]
        try:
            await stop.wait()
        finally:
            await self._stop(tasks, server)

    def _parts(self) -> list[tuple[str, Any]]:
        sync = Sync(self.store, self._control_plane, self.problems, self._changed, self._replaced)
        drift = Drift(
            self.store,
            self._control_plane,
            self.problems,
            generation=sync.generation,
            start_over=sync.start_over,
        )
        return [
            ("sync", sync.run),
            ("drift", drift.run),
            ("push", self._look_after_nginx),
            ("addresses", self._addresses.run),
            ("meter", self._meter.run),
            ("sender", self._sender.run),
            ("requests", RequestSender(RequestLog(self._settings.request_log), self._control_plane).run),
            ("status", self._status.run),
            ("shares", self._shares.run),
            ("metrics", self._metrics().run),
            ("error log", ErrorLog(self._settings.error_log, self.problems).run),
        ]

    def _metrics(self) -> MetricsServer:
        collector = NodeCollector(
            tally=self._meter.tally,
            shares=self._shares,
            report=self._status.report,
            newest=lambda: self._status.newest,
            unread=self._meter.unread_bytes,
            leases=self._leases.outcomes,
        )
        settings = self._settings
        return MetricsServer(settings.metrics_host, settings.metrics_port, collector, self.problems)

    async def _keep_going(self, part: tuple[str, Any]) -> None:
        """Run one part for ever: a mistake of ours in one must not end the others."""
        name, run = part
        while True:
            try:
                await run()
            except Exception as error:
                log.exception("the %s part failed and starts again", name)
                self.problems.report(f"agent, {name}", f"failed: {error!r}")
            await asyncio.sleep(1)

    async def _look_after_nginx(self) -> None:
        while True:
            await self.pusher.check()
            await self._addresses.push()
            await asyncio.sleep(1)

    async def _changed(self, entries: list[Entry]) -> None:
        await self._addresses.learn((entry.kind, entry.key, entry.data) for entry in entries)
        await self.pusher.push_changes()
        self._status.wake()
        if self.store.wants_compaction():
            self.store.compact(self.pusher.generation())

    async def _replaced(self) -> None:
        await self._addresses.reload()
        await self.pusher.push_all()
        self._status.wake()

    async def _serve(self, path: Path) -> web.AppRunner:
        runner = web.AppRunner(lease_desk.application(self._leases), access_log=None)
        await runner.setup()
        await web.UnixSite(runner, str(path)).start()
        path.chmod(0o600)
        sockets.share(path)
        return runner

    def _nginx_started(self) -> None:
        sockets.share(self._settings.agent_socket)
        self._addresses.push_again()

    async def _stop(self, tasks: list["asyncio.Task[None]"], server: web.AppRunner) -> None:
        log.info("stopping")
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await _at_most(FINAL_READ_SECONDS, self._read_the_rest())
        await asyncio.gather(
            _at_most(FINAL_SEND_SECONDS, self._sender.send_all()),
            _at_most(GIVE_BACK_SECONDS, self._give_leases_back()),
        )
        self._addresses.close()
        await _at_most(0.5, server.cleanup())
        await self._socket.close()
        await self._control_plane.close()
        log.info("stopped")

    async def _read_the_rest(self) -> None:
        while await asyncio.to_thread(self._meter.step):
            pass

    async def _give_leases_back(self) -> None:
        """What cannot be given back counts as spent: a quota is never exceeded by a stop."""
        self._back.add(self._leases.left_over())
        with suppress(Away):
            self._back.add(await self._socket.take_leases())
        await self._back.send()

    async def _give_unused_back(self, wanted: list[dict[str, Any]]) -> None:
        """Give back of these leases what lies here unused: other nodes were refused for want of it."""
        by_idle: dict[float, list[tuple[str, str]]] = {}
        for each in wanted:
            name = str(each.get("subscription")), str(each.get("key") or "")
            by_idle.setdefault(float(each.get("idle") or 0), []).append(name)
        for idle, names in by_idle.items():
            with suppress(Away):
                taken = await self._socket.take_leases(names, idle=idle)
                self._back.add(taken + self._leases.left_over(names))
        await self._back.send()

    def _lock(self) -> None:
        """Let only one agent work in the folder; the lock ends with the process, however it ends."""
        self._lock_file = (self._settings.folder / "agent.lock").open("w")
        try:
            fcntl.flock(self._lock_file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise Busy(f"another agent works in {self._settings.folder}") from error


async def _at_most(seconds: float, work: Coroutine[Any, Any, Any]) -> None:
    with suppress(TimeoutError, Unreachable, Rejected, OSError):
        await asyncio.wait_for(work, seconds)
