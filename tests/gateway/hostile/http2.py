"""A client of HTTP/2 that sends whatever it is told, frame by frame."""

import contextlib
import socket
import ssl
import struct
from collections.abc import Iterable

DATA, HEADERS, RESET, SETTINGS, GO_AWAY = 0, 1, 3, 4, 7
END_STREAM, END_HEADERS = 1, 4
INDEXED_200 = 0x88
Frame = tuple[int, int, int, bytes]  # type, flags, stream, payload


class Http2:
    """One connection to the TLS port, with `name` in its handshake."""

    def __init__(self, port: int, name: str) -> None:
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        context.set_alpn_protocols(["h2"])
        plain = socket.create_connection(("127.0.0.1", port), timeout=5)
        self._socket = context.wrap_socket(plain, server_hostname=name)
        self._next = 1
        self._name = name
        self._socket.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
        self.send(SETTINGS, 0, 0)

    def send(self, kind: int, flags: int, stream: int, payload: bytes = b"") -> None:
        head = struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + struct.pack(">I", stream)
        self._socket.sendall(head + payload)

    def headers(self, fields: Iterable[tuple[str, str]], *, end: bool = True) -> int:
        """Open a stream; returns its number."""
        stream, self._next = self._next, self._next + 2
        block = b"".join(_literal(name, value) for name, value in fields)
        self.send(HEADERS, END_HEADERS | (END_STREAM if end else 0), stream, block)
        return stream

    def request(self, path: str, *more: tuple[str, str], method: str = "GET", end: bool = True) -> int:
        usual = [(":method", method), (":scheme", "https"), (":path", path), (":authority", self._name)]
        return self.headers([*usual, *more], end=end)

    def data(self, stream: int, payload: bytes) -> None:
        self.send(DATA, END_STREAM, stream, payload)

    def reset(self, stream: int) -> None:
        self.send(RESET, 0, stream, struct.pack(">I", 8))

    def frames(self, seconds: float = 0.5) -> list[Frame]:
        """All that comes until `seconds` of silence."""
        self._socket.settimeout(seconds)
        got, found = b"", []
        with contextlib.suppress(OSError):
            while part := self._socket.recv(65536):
                got += part
        while len(got) >= 9:
            length = int.from_bytes(got[:3], "big")
            found.append((got[3], got[4], int.from_bytes(got[5:9], "big"), got[9 : 9 + length]))
            got = got[9 + length :]
        return found

    def close(self) -> None:
        self._socket.close()


def is_ok(frames: list[Frame], stream: int) -> bool:
    """Whether a stream was answered with 200."""
    return any(each[0] == HEADERS and each[2] == stream and each[3][0] == INDEXED_200 for each in frames)


def _literal(name: str, value: str) -> bytes:
    return b"\x00" + _text(name.encode()) + _text(value.encode())


def _text(text: bytes) -> bytes:
    assert len(text) < 127
    return bytes([len(text)]) + text
