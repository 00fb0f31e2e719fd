"""A worker that remembers much keeps it in huge pages, where the system has them."""

import ctypes
import hashlib
import mmap
import re
from pathlib import Path

import pytest

from gateway.entries import Key
from portal.embedded.ports import free_port
from tests.gateway.node import node_folder, start_nginx, wait_until
from tests.gateway.world import World, make_key, operation

KEYS = 6_000
COLLAPSE = 25


def has_huge_pages() -> bool:
    """Whether a program of this system gets a huge page when it asks for one."""
    setting = Path("/sys/kernel/mm/transparent_hugepage/enabled")
    if not setting.exists() or "[never]" in setting.read_text():
        return False
    with mmap.mmap(-1, 2**23, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS) as memory:
        memory.write(b"x" * 2**23)
        start = -ctypes.addressof(ctypes.c_char.from_buffer(memory)) % 2**21
        try:
            memory.madvise(COLLAPSE, start, 2**21)
        except OSError:
            return False
    return True


def huge_bytes(process: int) -> int:
    rollup = Path(f"/proc/{process}/smaps_rollup").read_text()
    return int(re.findall(r"AnonHugePages:\s+(\d+)", rollup)[0]) * 1024


@pytest.mark.skipif(not has_huge_pages(), reason="the system gives no huge pages")
def test_what_a_worker_remembers_comes_into_huge_pages() -> None:
    with node_folder() as folder:
        node = start_nginx(folder, free_port(), workers="1")
        try:
            world = World(node)
            world.publish("api", {"op": operation("GET", "/", key_required=True)})
            keys = [make_key() for _ in range(KEYS)]
            entries = [
                world.entry(
                    "key",
                    hashlib.sha256(key.encode()).hexdigest(),
                    Key(f"k{n:09}", active=False, subscriptions=[]),
                )
                for n, key in enumerate(keys)
            ]
            assert node.push(entries).status == 200
            (worker,) = node.workers()
            call = "GET /api HTTP/1.1\r\nHost: gate.test\r\nx-api-key: {}\r\n\r\n"
            last = "GET /api HTTP/1.1\r\nHost: gate.test\r\nConnection: close\r\n\r\n"
            answers = node.raw(("".join(map(call.format, keys)) + last).encode(), seconds=20)
            assert answers.count(b"HTTP/1.1 403") == KEYS + 1
            wait_until(lambda: huge_bytes(worker) >= 2**21, seconds=10, what="a huge page")
            assert node.call("GET", "/api", key=keys[0]).status == 403
        finally:
            node.stop()
