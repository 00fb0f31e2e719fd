"""The faults: each is done to a stack while clients call. They return when what they broke works again."""

import os
import random
import signal
import time
from collections.abc import Callable

from tests.faults.stack import NODES, Stack

Fault = Callable[[Stack], None]
chance = random.Random(11)


def nothing(_stack: Stack) -> None:
    """Calls alone."""
    time.sleep(6)


def kill_worker(stack: Stack) -> None:
    """One of nginx's workers, on a node by chance."""
    os.kill(chance.choice(stack.await_up("nginx", chance.randint(1, NODES))[1:]), signal.SIGKILL)


def kill(name: str) -> Fault:
    """Kill a service; one that each node has, on a node by chance."""

    def fault(stack: Stack) -> None:
        stack.kill(name, chance.randint(1, NODES))

    return fault


KILLS: dict[str, Fault] = {
    "nginx worker": kill_worker,
    "nginx master": kill("nginx"),
    "agent": kill("agent"),
    "web": kill("web"),
    "Celery worker": kill("celery"),
    "beat": kill("beat"),
    "Valkey": kill("valkey"),
    "PostgreSQL": kill("postgres"),
}


def network(mode: str, *, seconds: float = 8) -> Fault:
    """All doors between agents and web behave so for a while (door.py)."""

    def fault(stack: Stack) -> None:
        time.sleep(1)
        stack.doors.set(mode)
        time.sleep(seconds)
        stack.doors.set("open")
        time.sleep(1)

    return fault


def behind(mode: str, fault: Fault) -> Fault:
    """A fault while the network is bad."""

    def both(stack: Stack) -> None:
        stack.doors.set(mode)
        try:
            fault(stack)
        finally:
            stack.doors.set("open")

    return both


def again(fault: Fault, times: int, pause: float) -> Fault:
    """The same some times, with pauses of about so many seconds."""

    def repeated(stack: Stack) -> None:
        for _ in range(times):
            time.sleep(chance.uniform(0.5, 1.5) * pause)
            fault(stack)
        all_up(stack)
        time.sleep(1)

    return repeated


def at_once(one: Fault, other: Fault) -> Fault:
    """Two faults within some hundred milliseconds."""

    def both(stack: Stack) -> None:
        time.sleep(chance.uniform(0.3, 1))
        one(stack)
        time.sleep(chance.choice([0, chance.uniform(0, 0.4)]))
        other(stack)
        all_up(stack)
        time.sleep(0.5)

    return both


def all_up(stack: Stack) -> None:
    """Wait until the supervisor has started again what was killed."""
    for node in range(1, NODES + 1):
        for name in ("nginx", "agent"):
            stack.await_up(name, node)
    for name in ("postgres", "valkey", "web", "celery", "beat"):
        stack.await_up(name)
