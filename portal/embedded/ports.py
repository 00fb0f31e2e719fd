"""Free loopback ports."""

import secrets
import socket
from pathlib import Path

FIRST = 10_240
TRIES = 100
_EPHEMERAL = Path("/proc/sys/net/ipv4/ip_local_port_range")


def free_port(count: int = 1) -> int:
    """Return the first of so many loopback ports in a row that nobody listens on at this moment.

    They lie below the ports that the system gives to outgoing connections, one of which might take ours before we
    listen; and they are drawn at random, so that two programs that ask at once hardly get the same.
    """
    for _ in range(TRIES):
        first = FIRST + secrets.randbelow(_first_ephemeral() - FIRST - count)
        if all(is_free(first + number) for number in range(count)):
            return first
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _first_ephemeral() -> int:
    try:
        first = int(_EPHEMERAL.read_text().split()[0])
    except (OSError, ValueError, IndexError):
        first = 32_768
    return first if first > FIRST else 65_536


def is_free(port: int) -> bool:
    """Tell whether we could listen on a loopback port."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True
