"""Faults of disks: no room, and files of the usage log that are torn, cut short or taken away."""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from gateway.journal import Journal
from tests.faults.faults import Fault, all_up, chance
from tests.faults.stack import NODES, Stack
from tests.scenarios.running import eventually

FORGED = b"%d.000 forged forged forged forged 200 9 9 0.000 - - -\n"
RESERVE = 2**20


@contextmanager
def full_disk(stack: Stack) -> Iterator[None]:
    """The last node's disk has no room: a file takes it all. Where we may not mount, its folders cannot be written."""
    folder = stack.nodes[-1]
    ballast = folder / "ballast"
    closed = [] if stack.disk else [folder / "journal", folder / "spool", folder]
    for each in closed:
        each.chmod(0o500)
    try:
        if stack.disk:
            _fill(ballast)
        yield
    finally:
        for each in reversed(closed):
            each.chmod(0o700)
        ballast.unlink(missing_ok=True)


def _fill(path: Path) -> None:
    with path.open("wb", buffering=0) as file:
        for size in (RESERVE, 4_096):
            with suppress(OSError):  # no space left
                while True:
                    file.write(bytes(size))


def fill_disk(during: Fault, seconds: float = 9) -> Fault:
    """No room for some seconds, in which something else happens."""

    def fault(stack: Stack) -> None:
        time.sleep(1)
        with full_disk(stack):
            during(stack)
            time.sleep(seconds)
        all_up(stack)
        time.sleep(2)

    return fault


def torn_tail(stack: Stack) -> None:
    """nginx is killed whole; behind its last line the file ends in zeros, or in whole lines that never were."""
    node = chance.randint(1, NODES)
    journal = Journal(stack.nodes[node - 1])
    pids = stack.await_up("nginx", node)
    os.kill(stack.running.process.pid, signal.SIGSTOP)  # it must not start the next one yet
    try:
        for pid in pids:
            os.kill(pid, signal.SIGKILL)
        eventually(lambda: not any(_lives(pid) for pid in pids), 5)
        head = journal.head()
        assert head
        number, start = divmod(head.committed, head.segment)
        forged = FORGED % time.time()
        rest = head.segment - start
        tail = (forged * (rest // len(forged) + 1))[-rest:] if chance.random() < 0.7 else bytes(rest)
        with journal.path(number).open("r+b") as file:
            file.seek(start)
            file.write(tail)
    finally:
        os.kill(stack.running.process.pid, signal.SIGCONT)


def _lives(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False


def cut_tail(stack: Stack) -> None:
    """The file that is written is cut short behind its last line, under the hands of workers."""
    node = chance.randint(1, NODES)
    journal = Journal(stack.nodes[node - 1])
    with _held(stack, node):
        head = journal.head()
        assert head
        number, start = divmod(head.committed, head.segment)
        os.truncate(journal.path(number), start)


def cut_counted(stack: Stack) -> None:
    """All files are cut to nothing, and those not in use deleted, at a moment when all their lines are in batches."""
    node = chance.randint(1, NODES)
    journal = Journal(stack.nodes[node - 1])
    with _held(stack, node):
        head = journal.head()
        assert head
        eventually(lambda: stack.counted(node) == head.committed, 20, lambda: "the agent does not count")
        current = head.committed // head.segment
        for number in journal.numbers():
            if number < current:
                journal.path(number).unlink(missing_ok=True)
        stack.witnesses[node - 1].remember(current)
        os.truncate(journal.path(current), 0)


@contextmanager
def _held(stack: Stack, node: int) -> Iterator[None]:
    """nginx stands still, whole."""
    held = []
    for _ in range(2):  # the master first: then no worker starts
        for pid in stack.await_up("nginx", node):
            if pid not in held:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGSTOP)
                    held.append(pid)
    try:
        time.sleep(0.1)
        yield
    finally:
        for pid in held:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)
