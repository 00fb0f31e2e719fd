"""Waiting for a change without holding a pooled connection or a transaction."""

import os
import select
import signal
import threading
import time
from typing import Any

import psycopg
from django.db import connection

from nodes.entries import CHANNEL, newest_generation

# without a connection to listen on, look this often (seconds)
POLL = 0.5
# even while listening, look now and then: a connection can die without a word (seconds)
RECHECK = 5.0
_STOP_SIGNALS = {signal.SIGTERM, signal.SIGINT}


class _Stop:
    """Whether the process was told to stop: Python's signal handling writes signal numbers into a pipe."""

    def __init__(self) -> None:
        self.read, self._write = os.pipe()
        os.set_blocking(self.read, False)
        os.set_blocking(self._write, False)
        self._lock = threading.Lock()
        self._stopping = False
        former = signal.set_wakeup_fd(self._write, warn_on_full_buffer=False)
        if former != -1:  # somebody else needs it; waits then end by themselves
            signal.set_wakeup_fd(former)

    def asked(self) -> bool:
        with self._lock:
            try:
                numbers = os.read(self.read, 512)
            except BlockingIOError:
                return self._stopping
            if not self._stopping and not _STOP_SIGNALS.intersection(numbers):
                return False
            self._stopping = True
            os.write(self._write, bytes([signal.SIGTERM]))  # wakes the other waits, too
            return True


_stop: _Stop | None = None


def end_on_signals() -> None:
    """Make the waits of this process end when it gets SIGTERM or SIGINT. Call it in the main thread.

    Web servers let requests end before they stop, and a wait may have 25 seconds to go.
    """
    global _stop  # noqa: PLW0603 -- signals belong to the process
    if _stop is None and threading.current_thread() is threading.main_thread():
        _stop = _Stop()


def wait_for_change(*, after: int, seconds: float) -> bool:
    """Wait until there is an entry after `after` (True) or the time is over or the process stops (False).

    Listens on a connection of its own; polls while there is none to be had.
    """
    deadline = time.monotonic() + seconds
    listener = _listen()
    try:
        while True:
            # after LISTEN, so that nothing falls between the look and the wait
            if newest_generation() > after:
                return True
            if not connection.in_atomic_block:
                connection.close()
            left = deadline - time.monotonic()
            if left <= 0 or _wait(listener, min(left, RECHECK if listener else POLL)):
                return False
            if listener is not None and not _drain(listener):
                listener = None
    finally:
        if listener is not None:
            listener.close()


def _listen() -> "psycopg.Connection[Any] | None":
    settings = connection.settings_dict
    try:
        listener = psycopg.connect(
            dbname=settings["NAME"],
            user=settings["USER"] or None,
            password=settings["PASSWORD"] or None,
            host=settings["HOST"] or None,
            port=settings["PORT"] or None,
            autocommit=True,
            connect_timeout=3,
            application_name="gatehouse-listener",
            **{name: value for name, value in settings["OPTIONS"].items() if name.startswith("ssl")},
        )
        listener.execute(f"LISTEN {CHANNEL}")
    except psycopg.Error:
        return None
    return listener


def _wait(listener: "psycopg.Connection[Any] | None", seconds: float) -> bool:
    """Sleep until something comes or the time is over; True = the process was told to stop."""
    poll = select.poll()
    if listener is not None:
        poll.register(listener.fileno(), select.POLLIN)
    if _stop is not None:
        poll.register(_stop.read, select.POLLIN)
    poll.poll(seconds * 1000)
    return _stop is not None and _stop.asked()


def _drain(listener: "psycopg.Connection[Any]") -> bool:
    """Read the notices away; False = the connection is dead."""
    try:
        for _ in listener.notifies(timeout=0):
            pass
    except psycopg.Error:
        listener.close()
        return False
    return True
