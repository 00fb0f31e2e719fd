"""Many at once: wrong keys, slow clients, open connections. The gate answers others and does not grow."""

import gzip
import hashlib
import re
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from pathlib import Path

from gateway.entries import Key
from tests.gateway.keys import damaged
from tests.gateway.world import make_key, operation, proxy

FLOOD = 12_000
CLIENTS = 8


def resident_bytes(node) -> int:
    """Private memory of all workers; shared memory is of a fixed size."""
    total = 0
    for worker in node.workers():
        status = Path(f"/proc/{worker}/status").read_text()
        anonymous = re.search(r"RssAnon:\s+(\d+) kB", status)
        total += int(anonymous[1]) * 1024 if anonymous else 0
    return total


def refuse_all(hostile, keys: list[str], path: str = "/api/secret") -> set[int]:
    def some(part: list[str]) -> set[int]:
        connection = HTTPConnection("127.0.0.1", hostile.node.settings.port, timeout=20)
        seen = set()
        for key in part:
            connection.request("GET", path, headers={"x-api-key": key})
            answer = connection.getresponse()
            answer.read()
            seen.add(answer.status)
        connection.close()
        return seen

    with ThreadPoolExecutor(CLIENTS) as clients:
        return set().union(*clients.map(some, [keys[number::CLIENTS] for number in range(CLIENTS)]))


def test_a_flood_of_wrong_keys_is_refused_without_growth_and_without_asking_anybody(hostile):
    free = hostile.node.control("GET", "/status").json["free_bytes"]
    asked = len(hostile.agent.asked)
    assert refuse_all(hostile, [make_key() for _ in range(FLOOD)]) == {403}
    middle = resident_bytes(hostile.node)
    assert refuse_all(hostile, [make_key() for _ in range(FLOOD)]) == {403}
    assert resident_bytes(hostile.node) - middle < 2 * 2**20
    assert hostile.node.control("GET", "/status").json["free_bytes"] == free
    assert len(hostile.agent.asked) == asked
    assert hostile.backend.requests == []


def test_a_flood_of_paths_and_hosts_leaves_no_growth(hostile):
    def flood(turn: str) -> None:
        for number in range(3_000):
            hostile.node.call("GET", f"/{turn}/nowhere/{number}", host=f"h{turn}{number}.test")
            hostile.node.call("GET", f"/api/open/{turn}/{number}")

    flood("a")
    middle = resident_bytes(hostile.node)
    flood("b")
    assert resident_bytes(hostile.node) - middle < 3 * 2**20


def test_long_hosts_and_methods_leave_no_growth(hostile):
    def some(turn: str, numbers: range) -> None:
        connection = HTTPConnection("127.0.0.1", hostile.node.settings.port, timeout=20)
        for number in numbers:
            host, method = f"{turn}{number:x<9000}.test", f"{turn.upper()}{number:_<3000}".replace("0", "O")
            connection.request("GET", "/api/open/same", headers={"Host": host})
            connection.getresponse().read()
            connection.request(re.sub("[^A-Z_]", "X", method), f"/api/open/{number % 7}")
            connection.getresponse().read()
        connection.close()

    def flood(turn: str) -> None:
        # many connections: one is one worker's, and each worker grows once before it is steady
        for start in range(0, 3_000, 50):
            some(turn, range(start, start + 50))

    flood("a")
    flood("c")  # the garbage collector waits until the memory has grown threefold
    middle = resident_bytes(hostile.node)
    flood("b")
    assert resident_bytes(hostile.node) - middle < 3 * 2**20


def test_a_key_with_a_broken_checksum_is_refused_before_it_is_looked_up(hostile):
    text = damaged(make_key())
    digest = hashlib.sha256(text.encode()).hexdigest()
    hostile.world.put("key", digest, Key(id="k-damaged", active=True, subscriptions=["subscriber"]))
    assert hostile.node.call("GET", "/api/secret", key=text).status == 403
    whole = make_key()
    hostile.world.put_key(whole, id="k-whole", active=True, subscriptions=["subscriber"])
    assert hostile.node.call("GET", "/api/secret", key=whole).status == 200


def test_slow_clients_keep_nobody_else_waiting(hostile):
    stop = threading.Event()
    slow = []
    for number in range(300):
        connection = socket.create_connection(("127.0.0.1", hostile.node.settings.port))
        head = b"GET /api/open/x HTTP/1.1\r\nHost: gate.test\r\nX-Slow: "
        if number % 3 == 1:
            head = b"POST /api/open/x HTTP/1.1\r\nHost: gate.test\r\nContent-Length: 100000\r\n\r\n"
        connection.sendall(head)
        slow.append(connection)

    def drip() -> None:
        while not stop.wait(0.5):
            for connection in slow:
                try:
                    connection.send(b"a")
                except OSError:
                    continue

    thread = threading.Thread(target=drip)
    thread.start()
    try:
        times = []
        for _ in range(100):
            started = time.monotonic()
            assert hostile.node.call("GET", "/api/open/quick").status == 200
            times.append(time.monotonic() - started)
        assert sorted(times)[95] < 0.5
    finally:
        stop.set()
        thread.join()
        for connection in slow:
            connection.close()


def test_a_head_that_never_ends_is_cut_off_in_time(hostile):
    connection = socket.create_connection(("127.0.0.1", hostile.node.settings.port), timeout=25)
    connection.sendall(b"GET /api/open/x HTTP/1.1\r\nHost: gate.test\r\nX-Slow: ")
    started = time.monotonic()
    got = b""
    ended = threading.Event()

    def drip() -> None:
        while not ended.wait(1):
            try:
                connection.send(b"a")
            except OSError:
                return

    thread = threading.Thread(target=drip)
    thread.start()
    try:
        while part := connection.recv(4096):
            got += part
    except ConnectionResetError:
        pass
    finally:
        ended.set()
        thread.join()
        connection.close()
    assert time.monotonic() - started < 20
    assert got == b"" or got.startswith(b"HTTP/1.1 408 ")


def test_clients_that_leave_early_leave_nothing_behind(hostile):
    for number in range(200):
        with socket.create_connection(("127.0.0.1", hostile.node.settings.port)) as connection:
            connection.sendall(b"GET /api/open/%d HTTP/1.1\r\nHost: gate.test\r\n" % number)
            if number % 2:
                connection.sendall(b"\r\n")


def test_every_line_of_the_usage_log_stays_readable(hostile):
    for path in ("/api/open/%20 %0a", "/api/open/ x", '/api/open/"\\', "/api/open/\x7f"):
        hostile.node.raw(f"GET {path} HTTP/1.1\r\nHost: gate.test\r\n\r\n".encode(), seconds=0.2)
    hostile.node.raw(b"GET /api/secret HTTP/1.1\r\nHost: a\r\nx-api-key: a b\tc - 200\r\n\r\n", seconds=0.2)
    for line in hostile.node.usage():
        assert re.fullmatch(r"\d{10}\.\d{3}", line["msec"])
        assert re.fullmatch(r"\d{3}", line["status"])
        assert re.fullmatch(r"-|[A-Z_]+", line["verdict"])
        assert re.fullmatch(r"\d+\.\d{3}", line["request_time"])
        assert re.fullmatch(r"-|[a-z]+", line["stage"])
        assert re.fullmatch(r"-|key-[a-z-]+|k-whole", line["key"])


def test_small_bodies_that_unpack_to_large_ones_do_not_take_the_memory(hostile):
    bomb = gzip.compress(bytes(hostile.node.settings.max_body - 1))
    text = (
        b"POST /packed/x HTTP/1.1\r\nHost: a\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n"
        % len(bomb)
    )
    with socket.create_server(("127.0.0.1", 0), backlog=200) as silent:
        hostile.world.backend("silent", "127.0.0.1", silent.getsockname()[1])
        slow = {"op": operation("POST", "/{proxy+}", integration=proxy("silent"))}
        hostile.world.publish("packed", slow, compress_from=1000)
        hostile.node.raw(text + bomb, seconds=0.5)
        before = resident_bytes(hostile.node)
        held = [socket.create_connection(("127.0.0.1", hostile.node.settings.port)) for _ in range(30)]
        for connection in held:
            connection.sendall(text + bomb)
        time.sleep(2)
        assert resident_bytes(hostile.node) - before < 40 * 2**20  # they unpack to 300 MiB
        for connection in held:
            connection.close()
