"""What a node holds of a quota: by key, void after the remaining calls were set, kept through a crash, given back."""

import contextlib
import json
import os
import signal
import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator
from types import SimpleNamespace

import pytest

from gateway.entries import Quota, Subscription
from portal.embedded.ports import free_port
from tests.gateway.backends import Backend, FakeAgent
from tests.gateway.blackbox.test_throttle import flood
from tests.gateway.node import Node, node_folder, start_nginx, wait_until
from tests.gateway.world import World, make_key, operation


@pytest.fixture(scope="module", autouse=True)
def stage(gate: SimpleNamespace) -> None:
    operations = {method: operation(method, "/", key_required=True) for method in ("GET", "POST")}
    gate.world.publish("leased", operations)


@pytest.fixture(autouse=True)
def as_before(gate: SimpleNamespace) -> Iterator[None]:
    yield
    gate.agent.reachable, gate.agent.slice_size, gate.agent.seconds, gate.agent.epoch = True, 10, 0.0, 0


def subscribe(
    gate: SimpleNamespace, name: str, limit: int, *, scope: str = "subscription", offline: int = 0
) -> str:
    quota = Quota(limit=limit, period="MONTH", scope=scope, offline_allowance=offline)
    gate.agent.allow(name, limit)
    return gate.world.subscribe(name, ["leased"], quota=quota)


def call(gate: SimpleNamespace, key: str) -> int:
    return gate.node.call("GET", "/leased", key=key).status


def take(gate: SimpleNamespace, **asked: object) -> list[dict[str, object]]:
    return gate.node.control("POST", "/leases/take", json.dumps(asked).encode()).json["leases"]


def tell_epochs(gate: SimpleNamespace, name: str, epochs: dict[str, int]) -> None:
    gate.world.put("subscription", name, Subscription(plan=f"plan-{name}", active=True, quota_epochs=epochs))


def test_each_key_has_a_quota_of_its_own_and_rotations_count_as_one(gate: SimpleNamespace) -> None:
    first = subscribe(gate, "by-key", 100, scope="key")
    second, rotated = make_key(), make_key()
    gate.world.put_key(second, id="second", active=True, subscriptions=["by-key"])
    gate.world.put_key(rotated, id="rotated", active=True, subscriptions=["by-key"], counts_as="key-by-key")
    gate.agent.allow("by-key:key-by-key", 30)
    gate.agent.allow("by-key:second", 20)
    assert flood(gate, "/leased", key=first, calls=1) == {200: 30, 429: 20}
    assert call(gate, rotated) == 429
    assert flood(gate, "/leased", key=second, calls=1) == {200: 20, 429: 30}
    assert gate.agent.pools["by-key"] == 100


@pytest.mark.parametrize("scope", ["subscription", "key"])
def test_without_the_control_plane_the_allowance_is_for_what_the_quota_counts(
    gate: SimpleNamespace, scope: str
) -> None:
    gate.agent.reachable = False
    name = f"away-{scope}"
    first = subscribe(gate, name, 100, scope=scope, offline=4)
    second = make_key()
    gate.world.put_key(second, id=f"second-{scope}", active=True, subscriptions=[name])
    seen = Counter(call(gate, key) for key in (first, second) for _ in range(10))
    assert seen[200] == (4 if scope == "subscription" else 8)


def test_units_of_an_older_epoch_are_not_spent_once_the_entry_is_pushed(gate: SimpleNamespace) -> None:
    key = subscribe(gate, "void", 100)
    assert call(gate, key) == 200  # it holds nine more
    gate.agent.allow("void", 3)
    gate.agent.epoch = 1
    tell_epochs(gate, "void", {"": 1})
    assert [call(gate, key) for _ in range(4)] == [200, 200, 200, 429]
    assert gate.agent.asked[-1]["epoch"] == 1


def test_a_grant_of_an_older_epoch_that_comes_late_is_not_spent(gate: SimpleNamespace) -> None:
    key = subscribe(gate, "late", 100)
    gate.agent.seconds = 0.4
    answers: list[int] = []
    caller = threading.Thread(target=lambda: answers.append(call(gate, key)))
    caller.start()
    time.sleep(0.1)  # it waits for the agent now
    tell_epochs(gate, "late", {"": 1})
    time.sleep(0.4)
    gate.agent.seconds, gate.agent.epoch = 0.0, 1
    gate.agent.allow("late", 2)
    caller.join()
    assert answers == [200]
    assert [call(gate, key) for _ in range(2)] == [200, 429], "of the two, the waiting call got one"


def test_the_epoch_of_one_key_leaves_the_others_alone(gate: SimpleNamespace) -> None:
    first = subscribe(gate, "one-key", 100, scope="key")
    second = make_key()
    gate.world.put_key(second, id="other", active=True, subscriptions=["one-key"])
    gate.agent.allow("one-key:key-one-key", 100)
    gate.agent.allow("one-key:other", 10)
    assert [call(gate, first), call(gate, second)] == [200, 200]
    gate.agent.allow("one-key:key-one-key", 0)
    gate.agent.epoch = 1
    tell_epochs(gate, "one-key", {"key-one-key": 1})
    assert call(gate, first) == 429
    assert [call(gate, second) for _ in range(10)] == [200] * 9 + [429]


def test_only_idle_leases_are_taken_when_idle_ones_are_asked_for(gate: SimpleNamespace) -> None:
    key = subscribe(gate, "idle", 100)
    call(gate, key)
    assert take(gate, leases=["idle", "nobody"], idle=30) == []
    assert take(gate, leases=["nobody"]) == []
    taken = take(gate, leases=["idle"], idle=0)
    assert [(each["subscription"], each["units"]) for each in taken] == [("idle", 9)]
    assert take(gate, leases=["idle"]) == []


def post_too_much(gate: SimpleNamespace, key: str, *, pause: float = 0.0) -> bytes:
    """Send a body without a length that grows too large for the node; the answer is 413."""
    head = (
        f"POST /leased HTTP/1.1\r\nHost: gate.test\r\nx-api-key: {key}\r\nTransfer-Encoding: chunked\r\n\r\n"
    )
    chunk = b"100000\r\n" + b"z" * 0x100000 + b"\r\n"
    with socket.create_connection(("127.0.0.1", gate.node.settings.port), timeout=10) as connection:
        connection.sendall(head.encode() + chunk)
        time.sleep(pause)
        answer = b""
        with contextlib.suppress(OSError):
            connection.sendall(chunk * 10 + b"0\r\n\r\n")
        with contextlib.suppress(OSError):
            answer = connection.recv(100)
        return answer


@pytest.mark.parametrize("scope", ["subscription", "key"])
def test_a_call_whose_body_grows_too_large_gets_its_unit_back(gate: SimpleNamespace, scope: str) -> None:
    name = f"too-large-{scope}"
    key = subscribe(gate, name, 10, scope=scope)
    gate.agent.allow(f"{name}:key-{name}", 10)
    assert call(gate, key) == 200
    post_too_much(gate, key)
    wait_until(
        lambda: any(
            line["subscription"] == name and line["verdict"] == "REQUEST_TOO_LARGE"
            for line in gate.node.usage()
        ),
        seconds=3,
        what="the line of the refusal",
    )
    assert [call(gate, key) for _ in range(10)] == [200] * 9 + [429]


def test_a_unit_that_became_void_meanwhile_does_not_come_back(gate: SimpleNamespace) -> None:
    key = subscribe(gate, "void-back", 10)
    sender = threading.Thread(target=lambda: post_too_much(gate, key, pause=1))
    sender.start()
    time.sleep(0.5)
    gate.agent.epoch = 1
    gate.agent.allow("void-back", 3)
    tell_epochs(gate, "void-back", {"": 1})
    assert call(gate, key) == 200
    sender.join()
    assert [call(gate, key) for _ in range(3)] == [200, 200, 429]


def test_at_a_change_of_window_each_window_admits_exactly_its_quota(gate: SimpleNamespace) -> None:
    before = gate.agent.window
    try:
        now = time.time()
        gate.agent.window = (now - 100, now + 1.5)
        key = subscribe(gate, "change", 100)
        seen: list[Counter[int]] = []
        runner = threading.Thread(target=lambda: seen.append(flood(gate, "/leased", key=key, calls=30)))
        runner.start()
        time.sleep(max(0.0, gate.agent.window[1] - time.time() - 0.001))
        with gate.agent.lock:
            spent = 100 - gate.agent.pools["change"]
            gate.agent.window = (now + 1.5, now + 1000)
            gate.agent.pools["change"] = 100
        runner.join()
        while call(gate, key) == 200:
            seen[0][200] += 1
        held = sum(int(str(each["units"])) for each in take(gate, leases=["change"]))
        assert gate.agent.pools["change"] == held == 0
        assert 100 <= seen[0][200] <= spent + 100
    finally:
        gate.agent.window = before


class Crashing:
    """A node of its own, whose nginx is killed with all its workers and started again."""

    def __init__(self) -> None:
        self._folder = node_folder()
        self.folder = self._folder.__enter__()
        self.port = free_port()
        self.backend = Backend("one")
        self.node = self.start()
        self.agent = FakeAgent(self.folder / "agent.sock")

    def start(self) -> Node:
        node = start_nginx(self.folder, self.port)
        self.world = World(node)
        return node

    def fill(self, epochs: dict[str, int] | None = None) -> None:
        self.world.backend("backend", "127.0.0.1", self.backend.port)
        self.world.publish("leased", {"op": operation("GET", "/", key_required=True)})
        text = self.world.subscribe("crash", ["leased"], quota=Quota(limit=100, period="MONTH"))
        if epochs:
            self.world.put(
                "subscription", "crash", Subscription(plan="plan-crash", active=True, quota_epochs=epochs)
            )
        self.key = text

    def call(self) -> int:
        return self.node.call("GET", "/leased", key=self.key).status

    def crash(self) -> None:
        self.kill()
        self.node = self.start()

    def kill(self) -> None:
        # the master first: it would start new workers
        for pid in [self.node.process.pid, *self.node.workers()]:
            os.kill(pid, signal.SIGKILL)
        self.node.process.wait(timeout=10)

    def stop(self) -> None:
        self.agent.stop()
        self.backend.stop()
        self.node.stop()
        self._folder.__exit__(None, None, None)


@pytest.fixture
def crashing() -> Iterator[Crashing]:
    made = Crashing()
    try:
        made.fill()
        yield made
    finally:
        made.stop()


def test_a_killed_nginx_begins_again_with_exactly_the_units_it_had_not_spent(crashing: Crashing) -> None:
    crashing.agent.allow("crash", 10)
    assert [crashing.call() for _ in range(4)] == [200] * 4
    for _ in range(2):  # a second crash moves the slots again
        crashing.crash()
        crashing.fill()
    assert [crashing.call() for _ in range(7)] == [200] * 6 + [429]
    assert crashing.agent.pools["crash"] == 0


def test_what_was_given_back_before_a_crash_does_not_come_again(crashing: Crashing) -> None:
    crashing.agent.allow("crash", 10)
    crashing.call()
    assert len(crashing.node.control("POST", "/leases/take").json["leases"]) == 1
    crashing.crash()
    crashing.fill()
    assert crashing.call() == 429


def test_units_that_became_void_while_nginx_was_down_are_not_spent(crashing: Crashing) -> None:
    crashing.agent.allow("crash", 10)
    crashing.call()
    crashing.crash()
    crashing.agent.epoch = 1
    crashing.agent.allow("crash", 1)
    crashing.fill({"": 1})
    assert [crashing.call(), crashing.call()] == [200, 429]


def test_units_of_an_older_start_of_the_machine_are_not_trusted(crashing: Crashing) -> None:
    crashing.agent.allow("crash", 10)
    crashing.call()
    crashing.kill()
    file = crashing.folder / "leases.held"
    assert file.stat().st_mode & 0o777 == 0o600
    content = bytearray(file.read_bytes())
    content[0:8] = b"another!"
    file.write_bytes(content)
    crashing.node = crashing.start()
    crashing.fill()
    assert crashing.call() == 429


def test_units_survive_a_reload_and_are_not_doubled_by_it(crashing: Crashing) -> None:
    crashing.agent.allow("crash", 10)
    crashing.call()
    before = set(crashing.node.workers())
    crashing.node.process.send_signal(signal.SIGHUP)
    wait_until(lambda: not before & set(crashing.node.workers()), seconds=10, what="new workers")
    assert [crashing.call() for _ in range(10)] == [200] * 9 + [429]
