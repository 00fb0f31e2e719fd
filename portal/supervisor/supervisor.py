"""Keeps a set of services running until it is told to stop."""

import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from types import FrameType

from portal.supervisor.service import Service, say

STOP_SECONDS = 9.0
REAPER = Path(__file__).with_name("reaper.py")


class Stopped(Exception):
    """Ctrl-C or SIGTERM arrived."""


class Supervisor:
    """Starts services, restarts the ones that end, and stops all within `STOP_SECONDS`."""

    def __init__(self) -> None:
        self.services: list[Service] = []
        self._stopping = False
        self._reaper: subprocess.Popen[str] | None = None
        self._told = ""

    def listen(self) -> None:
        """From now on SIGINT, SIGTERM and SIGHUP raise `Stopped` in the main thread."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._on_signal)

    def start(self, service: Service) -> Service:
        service.start()
        self.services.append(service)
        self._tell_reaper()
        return service

    def watch(self) -> None:
        """Restart what ends, for ever (until `Stopped`)."""
        while True:
            self.tick()
            time.sleep(0.2)

    def tick(self) -> None:
        for service in self.services:
            service.restart_if_dead()
        self._tell_reaper()

    def stop(self) -> None:
        """Stop phase by phase; what does not end in its share of the time is killed."""
        self._stopping = True
        say("gatehouse", "stopping")
        phases = sorted({service.phase for service in self.services})
        share = STOP_SECONDS / max(len(phases), 1)
        for phase in phases:
            self._stop_phase([s for s in self.services if s.phase == phase], share)
        self._end_reaper()
        say("gatehouse", "stopped")

    def _stop_phase(self, services: list[Service], seconds: float) -> None:
        for service in services:
            service.ask_to_stop()
        deadline = time.monotonic() + seconds
        while any(service.running for service in services) and time.monotonic() < deadline:
            time.sleep(0.05)
        for service in services:
            service.kill()
            if service.process is not None:
                service.process.wait()

    def _tell_reaper(self) -> None:
        """Tell whom to end should this process be killed."""
        pids = " ".join(str(s.process.pid) for s in self.services if s.process is not None)
        if pids == self._told:
            return
        if self._reaper is None or self._reaper.poll() is not None:
            command = [sys.executable, "-I", "-S", str(REAPER)]
            self._reaper = subprocess.Popen(
                command, stdin=subprocess.PIPE, text=True, bufsize=1, start_new_session=True
            )
        with suppress(BrokenPipeError):  # it was killed: the next turn starts another
            assert self._reaper.stdin is not None
            self._reaper.stdin.write(pids + "\n")
            self._told = pids

    def _end_reaper(self) -> None:
        if self._reaper is not None:
            self._reaper.kill()
            self._reaper.communicate()

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        if not self._stopping:  # a second Ctrl-C must not cut the stop short
            self._stopping = True
            raise Stopped(signal.Signals(number).name)
