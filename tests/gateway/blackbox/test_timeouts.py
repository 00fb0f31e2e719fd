"""When a backend is given up: 504 at the right moment."""

import socket
import time
from contextlib import contextmanager

import pytest

from gateway.entries import Cache, Integration, Policy, Retries, Target
from portal.embedded.ports import free_port
from tests.gateway.node import node_folder, start_nginx, wait_until
from tests.gateway.scripted import Reply, Scripted
from tests.gateway.world import World, operation, proxy

LATE = {"message": "Endpoint request timed out"}


@contextmanager
def takes(least, most):
    started = time.monotonic()
    yield
    assert least <= time.monotonic() - started <= most


@pytest.fixture(scope="module")
def slow():
    """A backend that sleeps as long as the query says."""

    def answer(request):
        time.sleep(float(request.path.partition("?")[2] or 0))
        return Reply()

    server = Scripted(answer)
    yield server
    server.stop()


@pytest.fixture(scope="module")
def published(gate, slow):
    gate.world.backend("slow-2000", "127.0.0.1", slow.port, timeout_ms=2000)
    target = Target("http", "127.0.0.1", slow.port)
    direct = Integration(type="http_proxy", target=target, path=["/x"], timeout_ms=200)
    operations = {
        "backend": operation("ANY", "/backend", integration=proxy("slow-2000")),
        "shorter": operation("ANY", "/shorter", integration=proxy("slow-2000"), policy=Policy(timeout_ms=50)),
        "verb": operation("DELETE", "/verb", integration=proxy("slow-2000"), policy=Policy(timeout_ms=50)),
        "direct": operation("ANY", "/direct", integration=direct),
        "longer": operation("ANY", "/longer", integration=direct, policy=Policy(timeout_ms=600)),
        "cached": operation(
            "GET", "/cached", integration=direct, policy=Policy(timeout_ms=200, cache=Cache(ttl=60))
        ),
    }
    gate.world.publish("late", operations)


@pytest.mark.parametrize(
    ("path", "seconds"), [("shorter", 0.05), ("direct", 0.2), ("longer", 0.6), ("cached", 0.2)]
)
def test_the_operations_own_timeout_goes_before_the_integrations(gate, published, path, seconds):
    with takes(seconds - 0.01, seconds + 1):
        answer = gate.node.call("GET", f"/late/{path}?1.2")
    assert (answer.status, answer.json) == (504, LATE)
    assert gate.node.call("GET", f"/late/{path}?0").status == 200


def test_the_verdict_is_in_the_usage_line(gate, published):
    def lines():
        return [line for line in gate.node.usage() if line["operation"] == "verb" and line["stage"] == "late"]

    assert gate.node.call("DELETE", "/late/verb?0.3").status == 504
    wait_until(lines, seconds=3, what="the usage line")
    assert [(line["status"], line["verdict"]) for line in lines()] == [("504", "INTEGRATION_TIMEOUT")]


def test_bodies_do_not_change_the_moment(gate, published):
    for size in (10, 500_000):
        with takes(0.04, 0.75):
            assert gate.node.call("POST", "/late/shorter?0.8", body=b"x" * size).status == 504


def test_tries_share_one_deadline(gate):
    """One address is cut after 300 ms, the other one hangs: the whole takes what the policy gives to one call."""

    def cut(_):
        time.sleep(0.3)
        return Reply(drop=True)

    def hang(_):
        time.sleep(1.5)
        return Reply()

    servers = [Scripted(cut, host="127.0.0.2")]
    servers.append(Scripted(hang, host="127.0.0.3", port=servers[0].port))
    gate.node.push_addresses(**{"shared.test": ["127.0.0.2", "127.0.0.3"]})
    gate.world.backend("shared", "shared.test", servers[0].port, timeout_ms=5000)
    policy = Policy(timeout_ms=700, retries=Retries(attempts=1, on=["error"]))
    gate.world.publish("tries", {"op": operation("GET", "/", integration=proxy("shared"), policy=policy)})
    for _ in range(4):
        with takes(0.68, 0.99):
            assert gate.node.call("GET", "/tries").status == 504
    for server in servers:
        server.stop()


def test_a_server_that_drips_its_header_is_given_up_between_two_reads(gate):
    with socket.create_server(("127.0.0.1", 0)) as server:
        gate.world.backend("dripping", "127.0.0.1", server.getsockname()[1], timeout_ms=300)
        gate.world.publish("dripping", {"op": operation("GET", "/", integration=proxy("dripping"))})
        with socket.create_connection(("127.0.0.1", gate.node.settings.port), timeout=5) as client:
            client.sendall(b"GET /dripping HTTP/1.1\r\nHost: gate.test\r\n\r\n")
            side, _ = server.accept()
            with side, takes(0.29, 1.5):
                side.sendall(b"HTTP/1.1 200 OK\r\nX-Half:")
                assert client.recv(65536).startswith(b"HTTP/1.1 504 ")


@pytest.fixture(scope="module")
def bounded(slow):
    """A node whose operator allows one second."""
    with node_folder() as folder:
        node = start_nginx(folder, free_port(), workers="1", max_timeout=1)
        try:
            world = World(node)
            world.backend("b", "127.0.0.1", slow.port, timeout_ms=29_000)
            long = Policy(timeout_ms=10_000)
            world.publish(
                "s",
                {
                    "op": operation("GET", "/plain", integration=proxy("b")),
                    "own": operation("GET", "/own", integration=proxy("b"), policy=long),
                },
            )
            yield node
        finally:
            node.stop()


@pytest.mark.parametrize("path", ["plain", "own"])
def test_nothing_goes_beyond_what_the_operator_allows(bounded, path):
    with takes(0.99, 1.9):
        assert bounded.call("GET", f"/s/{path}?2").status == 504
