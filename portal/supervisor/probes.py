"""Waiting until a service answers."""

import socket
import time
from collections.abc import Callable
from urllib.parse import urlsplit

import psycopg
import requests

from portal.supervisor.supervisor import Supervisor


class NotReady(Exception):
    """A service did not answer in time. The message says which, and where to look."""


def wait_for(what: str, probe: Callable[[], bool], *, supervisor: Supervisor, seconds: float = 40) -> None:
    """Call `probe` until it is true, restarting services that end meanwhile; raises NotReady."""
    deadline = time.monotonic() + seconds
    while not probe():
        if time.monotonic() > deadline:
            raise NotReady(f"{what} did not come up in {seconds:.0f} s; its lines above say why")
        supervisor.tick()
        time.sleep(0.2)


def database_answers(url: str) -> bool:
    try:
        psycopg.connect(url, connect_timeout=2).close()
    except psycopg.OperationalError:
        return False
    return True


def port_answers(url: str) -> bool:
    parts = urlsplit(url)
    try:
        socket.create_connection((parts.hostname or "", parts.port or 0), timeout=1).close()
    except OSError:
        return False
    return True


def page_answers(url: str, headers: dict[str, str] | None = None) -> bool:
    """Tell whether a GET is answered 200."""
    try:
        return requests.get(url, headers=headers, timeout=3).status_code == 200
    except requests.RequestException:
        return False
