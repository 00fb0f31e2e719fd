"""The request log: a line for each call that the gate had budget for, in a ring that the agent empties.

`gateway/lua/request_log.lua` writes it. The file begins with a head of HEAD bytes: magic, the ring's size, and as
doubles the bytes ever written, the bytes ever read (the agent's), and the lines that found no room. A line is its
length (32 bits, in the machine's order) and its text, padded to 8 bytes; a length of SKIP stands for "go on at the
ring's start".

What goes up is `{"lost", "lines": [...]}`, each line the values of RequestLine in their order.
"""

import mmap
import os
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields
from operator import attrgetter
from pathlib import Path
from typing import Any

MAGIC = b"gatehouse request log 1\n"
HEAD = 8_192
SKIP = 0xFFFFFFFF
_START = struct.Struct("<32sdddd")
_DOUBLE = struct.Struct("<d")
_LENGTH = struct.Struct("=I")
_READ_AT = 48


@dataclass(slots=True)
class RequestLine:
    """What happened to one call. Times in milliseconds, sizes in bytes with headers; '' and None = not known.

    `flags` are those of the usage log. `why` says more than the verdict (docs/gate.md); `limit_policy` and
    `limit_left` are the headers RateLimit-Policy and RateLimit. `tries` are the statuses of the backend,
    `connect_ms`, `header_ms` and `backend_ms` sums over them. `path` and `query` are masked (gateway/agent/masking.py).
    """

    id: str
    at: float
    subscription: str
    key: str
    stage: str
    operation: str
    status: int
    bytes_out: int
    bytes_in: int
    latency_ms: int
    verdict: str
    flags: str
    backend_ms: int | None
    connect_ms: int | None
    header_ms: int | None
    tries: str
    why: str
    limit_policy: str
    limit_left: str
    address: str
    method: str
    host: str
    path: str
    query: str


NAMES = tuple(field.name for field in fields(RequestLine))
_values_of = attrgetter(*NAMES)


def to_list(line: RequestLine) -> list[Any]:
    """Return the line as it goes up."""
    return list(_values_of(line))


class Ring:
    """The mapped ring, for the one who empties it."""

    def __init__(self, memory: mmap.mmap, size: int) -> None:
        self._memory = memory
        self._size = size

    @property
    def lost(self) -> int:
        """Lines that found no room since the ring was made."""
        return int(_START.unpack_from(self._memory)[4])

    def lines(self, most: int) -> tuple[list[bytes], int]:
        """Return at most so many unread lines, and the mark for `done` when they are safe elsewhere."""
        _, _, written, read, _ = _START.unpack_from(self._memory)
        place, end = int(read), int(written)
        if not end - self._size <= place <= end:
            place = end
        found: list[bytes] = []
        while place < end and len(found) < most:
            offset = place % self._size
            (length,) = _LENGTH.unpack_from(self._memory, HEAD + offset)
            if length == SKIP:
                place += self._size - offset
            elif place + _padded(length) > end or offset + 4 + length > self._size:
                return found, end  # what a disk gave back is no ring: begin anew behind it
            else:
                found.append(bytes(self._memory[HEAD + offset + 4 : HEAD + offset + 4 + length]))
                place += _padded(length)
        return found, place

    def done(self, mark: int) -> None:
        """Give the room before the mark back."""
        _DOUBLE.pack_into(self._memory, _READ_AT, mark)


def _padded(length: int) -> int:
    return (length + 4 + 7) // 8 * 8


class RequestLog:
    """The file of the ring."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def prepare(self, size: int) -> None:
        """Make it, unless it is there in that size (bytes); nginx must not run. Raises OSError."""
        size = size // 4_096 * 4_096
        if self._size() == size:
            return
        fresh = self.path.with_suffix(".new")
        fresh.unlink(missing_ok=True)
        descriptor = os.open(fresh, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            os.posix_fallocate(descriptor, 0, HEAD + size)
            os.pwrite(descriptor, _START.pack(MAGIC, size, 0, 0, 0), 0)
        except OSError:
            fresh.unlink()
            raise
        finally:
            os.close(descriptor)
        fresh.rename(self.path)

    @contextmanager
    def open(self) -> Iterator[Ring | None]:
        """Map the ring; None where there is none."""
        size = self._size()
        if size is None:
            yield None
            return
        with self.path.open("r+b") as file, mmap.mmap(file.fileno(), HEAD + size) as memory:
            yield Ring(memory, size)

    def _size(self) -> int | None:
        """Return the bytes of the ring that is there."""
        try:
            with self.path.open("rb") as file:
                raw = file.read(_START.size)
                whole = os.fstat(file.fileno()).st_size
        except FileNotFoundError:
            return None
        if len(raw) < _START.size or not raw.startswith(MAGIC):
            return None
        size = int(_START.unpack(raw)[1])
        return size if whole == HEAD + size else None
