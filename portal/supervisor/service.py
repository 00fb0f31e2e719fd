"""One process to keep running, and its output with a readable prefix."""

import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from portal.embedded.privileges import service_command

NAME_WIDTH = 9
COLOURS = (36, 32, 33, 34, 35, 96, 92, 93, 94)
QUICK_DEATH_SECONDS = 10
LONGEST_PAUSE_SECONDS = 10


@dataclass
class Service:
    """A command that should run. `phase` orders the stop: lower phases stop first.

    `paths` are what the process must reach on disk; `wrapped` says that the command already drops root.
    """

    name: str
    command: list[str]
    phase: int
    env: dict[str, str] = field(default_factory=dict)
    stop: signal.Signals = signal.SIGTERM
    paths: list[Path] = field(default_factory=list)
    wrapped: bool = False
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    pause: float = 0.5
    retry_at: float = 0.0

    def start(self) -> None:
        """Start the process; call it from the main thread (see `service_command`)."""
        command = self.command
        if not self.wrapped:
            command = service_command(command, paths=self.paths, stop=self.stop)
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env={**os.environ, **self.env},
            start_new_session=True,
        )
        self.started = time.monotonic()
        threading.Thread(target=_relay, args=(self.name, self.process.stdout), daemon=True).start()

    @property
    def running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def restart_if_dead(self) -> None:
        """Start a process that ended; one that dies quickly again waits longer each time."""
        now = time.monotonic()
        if self.running or self.process is None:
            return
        if not self.retry_at:
            quick = now - self.started < QUICK_DEATH_SECONDS
            self.pause = min(self.pause * 2, LONGEST_PAUSE_SECONDS) if quick else 0.5
            self.retry_at = now + self.pause
            say(self.name, f"ended with {_ending(self.process.returncode)}; restart in {self.pause:.0f} s")
            self.kill()
        elif now >= self.retry_at:
            self.retry_at = 0.0
            self.start()

    def ask_to_stop(self) -> None:
        if self.process is not None and self.running:
            self.process.send_signal(self.stop)

    def kill(self) -> None:
        """End what is left of the process and its children."""
        if self.process is not None:
            try:
                os.killpg(self.process.pid, signal.SIGKILL)
            except ProcessLookupError:
                return


def say(name: str, text: str) -> None:
    """Print one line with the time and the process it is about."""
    label = f"{name:<{NAME_WIDTH}}"
    if sys.stdout.isatty():
        label = f"\x1b[{COLOURS[sum(name.encode()) % len(COLOURS)]}m{label}\x1b[0m"
    sys.stdout.write(f"{time.strftime('%H:%M:%S')} {label}| {text}\n")
    sys.stdout.flush()


def _relay(name: str, pipe: IO[bytes] | None) -> None:
    if pipe is None:
        return
    with pipe:
        for line in pipe:
            say(name, line.decode(errors="replace").rstrip())


def _ending(code: int) -> str:
    if code >= 0:
        return f"exit code {code}"
    try:
        return signal.Signals(-code).name
    except ValueError:
        return f"signal {-code}"
