"""Keeps nginx's error log small: clients can make nginx write a line for each call (a body that is too large)."""

import asyncio
import os
from pathlib import Path

from gateway.agent.problems import Problems

LARGEST = 32 * 2**20  # bytes; then only the newest part stays
KEPT = 4 * 2**20
SECONDS = 5.0
_TOPIC = "error log"


class ErrorLog:
    """Cuts `error.log` when it is larger than `LARGEST`; its last `KEPT` bytes go to `error.log.1`.

    nginx appends, so it goes on in the emptied file. What it writes between the copy and the cut is lost.
    """

    def __init__(self, path: Path, problems: Problems) -> None:
        self._path = path
        self._problems = problems

    def step(self) -> bool:
        """Look once; returns whether the file was cut."""
        try:
            with self._path.open("rb+") as file:
                size = file.seek(0, os.SEEK_END)
                if size <= LARGEST:
                    return False
                file.seek(size - KEPT)
                self._keep(file.read(KEPT))
                file.truncate(0)
        except FileNotFoundError:
            return False
        except OSError as error:
            self._problems.report(_TOPIC, f"it cannot be kept small ({error}); rotate {self._path} yourself")
            return False
        self._problems.clear(_TOPIC)
        return True

    def _keep(self, text: bytes) -> None:
        older = self._path.with_suffix(".log.1")
        fresh = self._path.with_suffix(".log.new")
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(text.partition(b"\n")[2])
        fresh.replace(older)

    async def run(self) -> None:
        """Look every few seconds, for ever."""
        while True:
            await asyncio.to_thread(self.step)
            await asyncio.sleep(SECONDS)
