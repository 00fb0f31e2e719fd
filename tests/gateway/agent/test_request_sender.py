"""Lines of the ring go up, once the control plane has them their room is free again."""

import struct

import pytest

from gateway.agent.control_plane import Unreachable
from gateway.agent.request_lines import parse
from gateway.agent.request_sender import RequestSender
from gateway.request_log import HEAD, RequestLog

FIELDS = (
    "3f2504e0-4f89-41d3-9a0c-0305e82c3301", "1763889123.456", "sub", "key", "stage op", "200", "900", "80", "0.012",
    "-", "m", "0.001, 0.010", "0.000, 0.001", "-, 0.009", "504, 200", "", "", "", "", "192.0.2.7", "GET", "a.example",
    "/x?a=1",
)  # fmt: skip
LINE = "\t".join(FIELDS).encode()


class Posted:
    """A control plane that keeps what is posted, or is away."""

    def __init__(self):
        self.bodies = []
        self.away = False

    async def send_requests(self, body):
        if self.away:
            raise Unreachable("away")
        self.bodies.append(body)


@pytest.fixture
def ring(tmp_path):
    made = RequestLog(tmp_path / "requests.ring")
    made.prepare(2**16)
    return made


def write(ring, *lines):
    """As the gate does."""
    with ring.path.open("r+b") as file:
        (written,) = struct.unpack_from("<d", file.read(48), 40)
        for line in lines:
            file.seek(HEAD + int(written))
            file.write(struct.pack("=I", len(line)) + line)
            written += (len(line) + 4 + 7) // 8 * 8
        file.seek(40)
        file.write(struct.pack("<d", written))


def test_a_line_is_read_with_the_sums_of_all_tries():
    line = parse(LINE)
    assert (line.stage, line.operation, line.verdict, line.tries) == ("stage", "op", "", "504, 200")
    assert (line.latency_ms, line.backend_ms, line.connect_ms, line.header_ms) == (12, 11, 1, 9)
    assert (line.path, line.query) == ("/x", "a=1")


@pytest.mark.parametrize("raw", [b"", b"nonsense", LINE.replace(b"200\t900", b"OK\t900"), LINE[:60]])
def test_what_is_no_line_is_none(raw):
    assert parse(raw) is None


def test_bytes_that_are_no_text_do_no_harm():
    assert parse(LINE + b"\xff\0").query == "a=1\ufffd?"


async def test_lines_go_up_and_their_room_is_given_back(ring):
    control_plane = Posted()
    sender = RequestSender(ring, control_plane)
    write(ring, LINE, b"nonsense", LINE)
    assert await sender.step() is False
    (body,) = control_plane.bodies
    assert body.count(b"a.example") == 2
    assert await sender.step() is False
    assert len(control_plane.bodies) == 1
    write(ring, LINE)
    await sender.step()
    assert len(control_plane.bodies) == 2


async def test_lines_stay_while_nobody_takes_them(ring):
    control_plane = Posted()
    control_plane.away = True
    sender = RequestSender(ring, control_plane)
    write(ring, LINE)
    with pytest.raises(Unreachable):
        await sender.step()
    control_plane.away = False
    await sender.step()
    assert len(control_plane.bodies) == 1


async def test_without_a_ring_nothing_happens(tmp_path):
    control_plane = Posted()
    assert await RequestSender(RequestLog(tmp_path / "none"), control_plane).step() is False
    (tmp_path / "none").write_bytes(b"nonsense")
    assert await RequestSender(RequestLog(tmp_path / "none"), control_plane).step() is False
    assert control_plane.bodies == []


def test_a_ring_of_another_size_is_made_anew(ring):
    write(ring, LINE)
    ring.prepare(2**16)
    with ring.open() as found:
        assert found.lines(10)[0] == [LINE]
    ring.prepare(2**17)
    with ring.open() as found:
        assert found.lines(10)[0] == []
