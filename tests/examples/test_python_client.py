"""The example's Python client against a real node."""

import re
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from gateway.entries import Quota, Throttle
from portal.embedded.ports import free_port
from tests.gateway.desk import READER, TOKEN, Desk, told

FILE = Path(__file__).parents[2] / "examples" / "python-client" / "gatehouse_keys.py"


def load() -> Any:
    spec = spec_from_file_location("gatehouse_keys", FILE)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    sys.modules["gatehouse_keys"] = module
    spec.loader.exec_module(module)
    return module


keys = load()


_made: list[Any] = []


@pytest.fixture(autouse=True)
def close_connections() -> Iterator[None]:
    yield
    while _made:
        _made.pop().close()


def client(desk: Desk, sold: SimpleNamespace, **more: Any) -> Any:
    url = f"http://127.0.0.1:{desk.node.settings.port}"
    made = keys.Client(url, **{"token": TOKEN, "api": f"{sold.name}/v1", **more})
    _made.append(made)
    return made


def test_it_tells_whether_a_key_is_valid(desk: Desk) -> None:
    sold = desk.sell(throttle=Throttle(rate=5, burst=10))
    verdict = client(desk, sold).verify(sold.key)
    assert (verdict.valid, verdict.code, verdict.status, verdict.consumed) == (True, "VALID", 200, False)
    assert (verdict.limits[0].name, verdict.limits[0].remaining) == ("rate", 10)
    assert verdict.application == "Weather “app”"
    wrong = client(desk, sold).verify("secret")
    assert (wrong.valid, wrong.code, wrong.status) == (False, "MALFORMED", 401)


def test_it_consumes_calls_until_the_limit_and_says_when_to_come_back(desk: Desk) -> None:
    sold = desk.sell(throttle=Throttle(rate=0.1, burst=2), quota=Quota(limit=50, period="MONTH"))
    desk.gate.agent.allow(f"s-{sold.name}", 50)
    asking = client(desk, sold)
    verdicts = [asking.verify(sold.key, mode="consume") for _ in range(3)]
    assert [verdict.status for verdict in verdicts] == [200, 200, 429]
    assert 0 < verdicts[2].retry_after <= 10


def test_it_keeps_checks_as_long_as_the_node_allows(desk: Desk) -> None:
    sold = desk.sell()
    now = [100.0]
    asking = client(desk, sold, clock=lambda: now[0])
    assert asking.verify(sold.key).valid
    desk.world.put_key(sold.key, id="k", active=False, subscriptions=[], about=told(state="revoked"))
    assert asking.verify(sold.key).valid
    assert client(desk, sold, cache_size=0).verify(sold.key).code == "REVOKED"
    now[0] += 5.1
    assert asking.verify(sold.key).code == "REVOKED"


def test_its_cache_is_bounded(desk: Desk) -> None:
    sold = desk.sell()
    asking = client(desk, sold, cache_size=2)
    for number in range(5):
        asking.verify(sold.key, method="GET", path=f"/orders/{number}")
    assert len(asking._cache._kept) == 2


def test_it_authorizes_as_a_gateway_does(desk: Desk) -> None:
    sold = desk.sell(ips=["10.0.0.0/8"])
    asking = client(desk, sold)
    answer = asking.authorize(sold.key, path="/orders/7", x_forwarded_for="10.1.2.3")
    assert (answer.status, answer.code) == (200, "VALID")
    assert answer.headers["x-credential-identifier"] == f"key-s-{sold.name}"
    refused = asking.authorize(sold.key, path="/orders/7", x_forwarded_for="1.2.3.4")
    assert (refused.status, refused.code) == (403, "IP_NOT_ALLOWED")


def test_its_own_faults_are_errors_not_verdicts(desk: Desk) -> None:
    sold = desk.sell()
    with pytest.raises(keys.AskedWrongly) as caught:
        client(desk, sold, token="gat_wrong_wrong").verify(sold.key)
    assert caught.value.status == 401
    with pytest.raises(keys.AskedWrongly, match="read-only"):
        client(desk, sold, token=READER).verify(sold.key, mode="consume")
    with pytest.raises(keys.AskedWrongly) as caught:
        client(desk, sold, token=READER).authorize(sold.key)
    assert caught.value.status == 403
    with pytest.raises(ValueError, match="no address"):
        keys.Client("127.0.0.1:8080", token=TOKEN, api="shop")


def test_it_tries_a_connection_again_that_cannot_be_made(desk: Desk) -> None:
    port = free_port()
    asking = keys.Client(f"http://127.0.0.1:{port}", token=TOKEN, api="shop", retries=1)
    with pytest.raises(keys.Unreachable):
        asking.verify("x")
    sold = desk.sell()
    relay = threading.Timer(0.03, _relay, (port, desk.node.settings.port))
    relay.start()
    patient = keys.Client(f"http://127.0.0.1:{port}", token=TOKEN, api=sold.name, retries=5)
    assert patient.verify(sold.key).valid
    patient.close()
    relay.join()


def _relay(port: int, to: int) -> None:
    """Pass one question and its answer on, having come late."""
    with socket.create_server(("127.0.0.1", port)) as server:
        server.settimeout(10)
        here, _ = server.accept()
        with here, socket.create_connection(("127.0.0.1", to)) as there:
            there.sendall(_question(here))
            here.sendall(there.recv(65536))


def _question(here: socket.socket) -> bytes:
    """Read one whole request: its head and its body may come in two packets."""
    read = b""
    while (end := read.find(b"\r\n\r\n")) < 0:
        read += here.recv(65536)
    length = re.search(rb"content-length: (\d+)", read[:end].lower())
    whole = end + 4 + (int(length[1]) if length else 0)
    while len(read) < whole:
        read += here.recv(65536)
    return read


def test_a_question_that_was_sent_is_not_asked_twice() -> None:
    asked = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(10)

        def hang_up() -> None:
            here, _ = server.accept()
            asked.append(here.recv(65536))
            here.close()

        thread = threading.Thread(target=hang_up)
        thread.start()
        asking = keys.Client(f"http://127.0.0.1:{server.getsockname()[1]}", token=TOKEN, api="shop")
        with pytest.raises(keys.Unreachable):
            asking.verify("x", mode="consume")
        thread.join()
        assert len(asked) == 1


def test_a_kept_connection_that_the_node_closed_is_made_anew(desk: Desk) -> None:
    sold = desk.sell()
    asking = client(desk, sold, cache_size=0)
    assert asking.verify(sold.key).valid
    first = asking._local.connection
    assert asking.verify(sold.key).valid
    assert asking._local.connection is first
    first.sock.shutdown(socket.SHUT_RDWR)
    assert asking.verify(sold.key).valid
    asking.close()


def test_it_is_typed_throughout() -> None:
    command = [sys.executable, "-m", "mypy", "--strict", "--config-file=", "--cache-dir=/dev/null", str(FILE)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
