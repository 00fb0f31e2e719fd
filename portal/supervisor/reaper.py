"""Ends what outlives a supervisor that was killed. Run by path, so that it loads nothing but Python.

The kernel asks each service to stop when the supervisor dies (`portal/embedded/privileges.py`). One that hangs just
then would stay and hold its port: after PATIENCE it is killed. The supervisor writes its services' pids, a line
whenever they change; the end of the pipe is the supervisor's end.
"""

import os
import signal
import sys
import time
from contextlib import suppress

PATIENCE = 8.0  # seconds


def alive(groups: list[int]) -> list[int]:
    """Return the process groups of which something is left."""
    found = []
    for group in groups:
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            continue
        found.append(group)
    return found


def main() -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # it ends with the pipe
    last = ""
    for line in sys.stdin:
        last = line
    groups, deadline = [int(each) for each in last.split()], time.monotonic() + PATIENCE
    while (groups := alive(groups)) and time.monotonic() < deadline:
        time.sleep(0.1)
    for group in groups:
        with suppress(ProcessLookupError):
            os.killpg(group, signal.SIGKILL)


if __name__ == "__main__":
    main()
