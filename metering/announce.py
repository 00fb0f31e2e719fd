"""Tells the workers that batches wait, without making the node that brought one wait for the broker."""

import logging
import threading

from celery import current_app

from metering.tasks import process_batches

logger = logging.getLogger(__name__)


class _Announcer:
    """A thread that sends the task; what is asked for while it sends goes out as one message."""

    def __init__(self) -> None:
        self._wanted = threading.Event()
        self._starting = threading.Lock()
        self._thread: threading.Thread | None = None

    def ask(self) -> None:
        self._wanted.set()
        with self._starting:
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._run, name="announce-usage", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        while True:
            self._wanted.wait()
            self._wanted.clear()
            try:
                process_batches.delay()
            except Exception as error:  # noqa: BLE001 -- whatever ails the broker, beat sweeps up
                logger.warning("The broker cannot be reached (%s); usage is added up by the sweep.", error)


_announcer = _Announcer()


def announce() -> None:
    """Ask a worker to add up what waits. Never fails and never waits; call it after commit."""
    if current_app.conf.task_always_eager:
        process_batches.delay()
    else:
        _announcer.ask()
