"""Whatever a call does: one usage line for each, and the quota loses one unit for each line that is billed."""

import contextlib
import gzip
import json
import socket
import time

import pytest

from gateway.entries import Cache, Cors, Policy, Quota
from tests.gateway.hostile.recorder import ANSWER
from tests.gateway.node import wait_until
from tests.gateway.world import operation, proxy

UNITS = 1000
BILLED = ("-", "INTEGRATION_FAILURE", "INTEGRATION_TIMEOUT")
BIG = b"x" * 200_000
HEAD = b"Host: gate.test\r\nConnection: close\r\nx-api-key: KEY\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n"
UPGRADED = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n"


@pytest.fixture(scope="module")
def counted(hostile):
    """A stage with a quota; `hostile.text` is its key."""
    world = hostile.world
    world.backend("dead", "127.0.0.1", 1)
    silent = socket.create_server(("127.0.0.1", 0), backlog=100)
    world.backend("mute", "127.0.0.1", silent.getsockname()[1], timeout_ms=300)
    browsers = Cors(origins=["https://a.test"], methods=["GET"])
    world.publish(
        "counted",
        {
            "any": operation("ANY", "/any/{proxy+}", key_required=True),
            "kept": operation("GET", "/kept", key_required=True, policy=Policy(cache=Cache(ttl=60))),
            "small": operation("POST", "/small", key_required=True, policy=Policy(max_body=10)),
            "browsers": operation("GET", "/browsers", key_required=True, policy=Policy(cors=browsers)),
            "dead": operation("GET", "/dead", key_required=True, integration=proxy("dead")),
            "mute": operation("GET", "/mute", key_required=True, integration=proxy("mute")),
        },
        compress_from=1000,
    )
    hostile.text = world.subscribe("counted", ["counted"], quota=Quota(UNITS, "DAY"))
    hostile.agent.allow("counted", UNITS)
    yield hostile
    silent.close()


def units_spent(counted) -> int:
    """Of the pool, less what lies unspent in the node."""
    body = json.dumps({"leases": ["counted"]}).encode()
    taken = counted.node.control("POST", "/leases/take", body).json["leases"]
    counted.agent.pools["counted"] += sum(each["units"] for each in taken)
    return UNITS - counted.agent.pools["counted"]


def call(method: str, path: str, **more):
    return lambda counted: counted.node.call(method, "/counted" + path, key=counted.text, **more)


def raw(text: bytes):
    return lambda counted: counted.node.raw(text.replace(b"KEY", counted.text.encode()), seconds=0.7)


def leave(counted) -> None:
    """Go away while the backend thinks."""
    with socket.create_connection(("127.0.0.1", counted.node.settings.port)) as connection:
        head = b"GET /counted/mute HTTP/1.1\r\n" + HEAD + b"\r\n"
        connection.sendall(head.replace(b"KEY", counted.text.encode()))
        time.sleep(0.1)


def websocket(counted) -> None:
    counted.backend.answer = UPGRADED
    head = b"GET /counted/any/x HTTP/1.1\r\nUpgrade: websocket\r\n" + HEAD + b"\r\n"
    with socket.create_connection(("127.0.0.1", counted.node.settings.port)) as connection:
        connection.sendall(head.replace(b"KEY", counted.text.encode()))
        answer = connection.recv(4096)
    counted.backend.answer = ANSWER
    assert answer.startswith(b"HTTP/1.1 101")


def nowhere_to_write(counted) -> None:
    folder = counted.node.settings.temporary / "body"
    folder.chmod(0)
    with contextlib.ExitStack() as stack:
        stack.callback(folder.chmod, 0o700)
        call("PUT", "/any/x", body=gzip.compress(BIG), headers={"Content-Encoding": "gzip"})(counted)


PACKED = {"Content-Encoding": "gzip"}
BROWSER = {"Origin": "https://a.test"}
CALLS = {
    "plain": (call("GET", "/any/x"), True),
    "head": (call("HEAD", "/any/x"), True),
    "post": (call("POST", "/any/x", body=b"a"), True),
    "large": (call("POST", "/any/x", body=BIG), True),
    "chunked": (raw(b"POST /counted/any/x HTTP/1.1\r\n" + CHUNKED + b"\r\n1\r\na\r\n0\r\n\r\n"), True),
    "chunked get": (raw(b"GET /counted/any/x HTTP/1.1\r\n" + CHUNKED + b"\r\n1\r\na\r\n0\r\n\r\n"), True),
    "expect": (call("POST", "/any/x", body=b"a", headers={"Expect": "100-continue"}), True),
    "cached": (call("GET", "/kept"), True),
    "head of cached": (call("HEAD", "/kept"), True),
    "events": (call("GET", "/any/x", headers={"Accept": "text/event-stream"}), True),
    "packed": (call("POST", "/any/x", body=gzip.compress(BIG), headers=PACKED), True),
    "websocket": (websocket, True),
    "left early": (leave, True),
    "dead backend": (call("GET", "/dead"), True),
    "mute backend": (call("GET", "/mute"), True),
    "a browser's": (call("GET", "/browsers", headers=BROWSER), True),
    "preflight": (call("OPTIONS", "/browsers", headers={**BROWSER, "Access-Control-Request-Method": "GET"}), False),
    "too large": (raw(b"POST /counted/any/x HTTP/1.1\r\nContent-Length: 99999999\r\n" + HEAD + b"\r\n"), False),
    "too large for the policy": (call("POST", "/small", body=b"x" * 11), False),
    "too large in the end": (raw(b"POST /counted/any/x HTTP/1.1\r\n" + CHUNKED + b"\r\nfffffff\r\na"), False),
    "too large unpacked": (call("POST", "/any/x", body=gzip.compress(bytes(2**24)), headers=PACKED), False),
    "broken chunk": (raw(b"POST /counted/any/x HTTP/1.1\r\n" + CHUNKED + b"\r\nzz\r\n"), False),
    "broken chunk of a get": (raw(b"GET /counted/any/x HTTP/1.1\r\n" + CHUNKED + b"\r\nzz\r\n"), False),
    "not packed": (call("POST", "/any/x", body=b"a", headers=PACKED), False),
    "nowhere to write": (nowhere_to_write, False),
    "unknown path": (call("GET", "/nothing"), False),
    "dot segments": (call("GET", "/any/../x"), False),
    "round in circles": (call("GET", "/any/x", headers={"X-Gatehouse-Hops": "5"}), False),
    "no key": (lambda counted: counted.node.call("GET", "/counted/any/x"), False),
}  # fmt: skip


def lines_of(counted) -> list[dict[str, str]]:
    """All but those of the calls by which the fixture looks whether all is well."""
    return [line for line in counted.node.usage() if line["stage"] != "api"]


@pytest.mark.parametrize("name", CALLS)
def test_each_call_has_one_line_and_what_is_billed_costs_one_unit(counted, name):
    do, billed = CALLS[name]
    before, spent = len(lines_of(counted)), units_spent(counted)
    for _ in range(3):
        do(counted)
    wait_until(lambda: len(lines_of(counted)) >= before + 3, seconds=5, what="three lines")
    time.sleep(0.1)
    lines = lines_of(counted)[before:]
    assert len(lines) == 3
    assert [line["verdict"] in BILLED for line in lines] == [billed] * 3, lines
    assert units_spent(counted) - spent == (3 if billed else 0), lines
