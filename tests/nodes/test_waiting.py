import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import connection

from gateway.entries import Mapping
from nodes import entries, waiting
from nodes.change import Change

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def waiter() -> Iterator[Callable[..., "Waiter"]]:
    started: list[Waiter] = []

    def start(**kwargs: Any) -> Waiter:
        started.append(Waiter(**kwargs))
        return started[-1]

    yield start
    for each in started:
        each.thread.join()


class Waiter:
    """Waits in a thread of its own."""

    def __init__(self, *, after: int, seconds: float) -> None:
        self.answer: bool | None = None
        self.connected: bool | None = None
        self.thread = threading.Thread(target=self._run, args=(after, seconds))
        self.began = time.monotonic()
        self.thread.start()

    def _run(self, after: int, seconds: float) -> None:
        self.answer = waiting.wait_for_change(after=after, seconds=seconds)
        connection.close()

    def result(self) -> tuple[bool | None, float]:
        self.thread.join(10)
        return self.answer, time.monotonic() - self.began


def put() -> None:
    entries.write_many(changes=[Change("mapping", f"*|{time.monotonic()}", None, Mapping("s"))])


def listening() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'gatehouse-listener'")
        return int(cursor.fetchone()[0])


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 5
    while not condition():
        assert time.monotonic() < deadline, "it did not come to pass within 5 s"
        time.sleep(0.02)


def test_what_is_there_already_is_not_waited_for() -> None:
    put()
    began = time.monotonic()
    assert waiting.wait_for_change(after=0, seconds=5)
    assert time.monotonic() - began < 1


def test_without_a_change_the_wait_ends_with_its_time() -> None:
    began = time.monotonic()
    assert not waiting.wait_for_change(after=entries.newest_generation(), seconds=0.3)
    assert 0.3 <= time.monotonic() - began < 2


def test_a_change_wakes_the_wait_at_once(waiter: Callable[..., Waiter]) -> None:
    one = waiter(after=entries.newest_generation(), seconds=8)
    until(lambda: listening() == 1)
    woken = time.monotonic()
    put()
    assert one.result()[0] is True
    assert time.monotonic() - woken < 1
    until(lambda: listening() == 0)


def test_a_dead_listener_is_replaced_by_looking(
    waiter: Callable[..., Waiter], monkeypatch: pytest.MonkeyPatch
) -> None:
    one = waiter(after=entries.newest_generation(), seconds=8)
    until(lambda: listening() == 1)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE application_name = 'gatehouse-listener'"
        )
    until(lambda: listening() == 0)
    put()
    answer, took = one.result()
    assert answer is True
    assert took < 5


def test_a_wait_ends_when_the_process_is_told_to_stop(
    waiter: Callable[..., Waiter], monkeypatch: pytest.MonkeyPatch
) -> None:
    former = signal.signal(signal.SIGTERM, lambda *_: None)
    wakeup = signal.set_wakeup_fd(-1)
    try:
        monkeypatch.setattr(waiting, "_stop", None)
        waiting.end_on_signals()
        waits = [waiter(after=entries.newest_generation(), seconds=8) for _ in range(3)]
        until(lambda: listening() == 3)
        os.kill(os.getpid(), signal.SIGTERM)
        for each in waits:
            answer, took = each.result()
            assert answer is False
            assert took < 4
    finally:
        signal.set_wakeup_fd(wakeup, warn_on_full_buffer=False)
        signal.signal(signal.SIGTERM, former)
