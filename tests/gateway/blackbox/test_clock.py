"""A clock that jumps: what happens to limits, deadlines and counts. The clock of nginx alone is moved (libfaketime)."""

import contextlib
import os
import subprocess
import time
from collections.abc import Iterator
from email.utils import parsedate_to_datetime
from pathlib import Path
from types import SimpleNamespace

import pytest

from gateway.entries import Quota, Throttle
from gateway.nginx.start import prepare
from gateway.settings import NodeSettings
from portal.embedded.ports import free_port
from tests.gateway.backends import Backend, FakeAgent
from tests.gateway.node import Node, node_folder, wait_until
from tests.gateway.world import World, operation

DAY = 86_400
LIBRARIES = sorted(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"))


@pytest.fixture
def moved() -> Iterator[SimpleNamespace]:
    """A gate, and `jump(seconds)`, which sets its clock so far from the real one."""
    if not LIBRARIES:
        pytest.skip("libfaketime is not installed")
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(node_folder())
        offset = folder.parent / "offset"
        offset.write_text("+0\n")
        offset.chmod(0o644)
        settings = NodeSettings(folder=folder, port=free_port(), workers="1")
        command = prepare(settings)
        environment = {
            "LD_PRELOAD": str(LIBRARIES[0]), "FAKETIME_TIMESTAMP_FILE": str(offset), "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1", "FAKETIME_DONT_RESET": "1",
        }  # fmt: skip
        names = "".join(f"env {name};\n" for name in environment)
        settings.configuration.write_text(names + settings.configuration.read_text())
        process = subprocess.Popen(command, env={**os.environ, **environment})
        node = Node(settings, process)
        stack.callback(node.stop)
        wait_until(lambda: _answers(node), seconds=10, what="nginx")
        agent = FakeAgent(folder / "agent.sock", slice_size=5)
        stack.callback(agent.stop)
        backend = Backend("one")
        stack.callback(backend.stop)
        world = World(node)
        world.backend("backend", "127.0.0.1", backend.port)

        def jump(seconds: int) -> None:
            offset.write_text(f"{seconds:+d}\n")
            wait_until(lambda: abs(clock(node) - time.time() - seconds) < 30, seconds=5, what="the jump")

        yield SimpleNamespace(node=node, world=world, agent=agent, jump=jump)


def _answers(node: Node) -> bool:
    try:
        return node.control("GET", "/status").status == 200
    except OSError:
        return False


def clock(node: Node) -> float:
    """nginx's clock, by the Date of an answer."""
    return parsedate_to_datetime(node.call("GET", "/nowhere").headers["date"]).timestamp()


@pytest.mark.parametrize("jump", [DAY, -DAY])
def test_throttles_do_not_notice_a_jump(moved, jump):
    moved.world.publish("api", {"op": operation("GET", "/")}, throttle=Throttle(rate=0.001, burst=5))
    assert [moved.node.call("GET", "/api").status for _ in range(3)] == [200] * 3
    moved.jump(jump)
    assert [moved.node.call("GET", "/api").status for _ in range(4)] == [200, 200, 429, 429]


def test_deadlines_of_keys_follow_the_clock(moved):
    moved.world.publish("api", {"op": operation("GET", "/", key_required=True)})
    key = moved.world.subscribe("one", ["api"], expires_at=time.time() + DAY / 2)
    assert moved.node.call("GET", "/api", key=key).status == 200
    moved.jump(DAY)
    assert moved.node.call("GET", "/api", key=key).status == 403
    moved.jump(0)
    assert moved.node.call("GET", "/api", key=key).status == 200


@pytest.mark.parametrize("jump", [DAY, -DAY])
def test_a_jump_gives_no_quota_twice(moved, jump):
    """The agent says which window runs; units of a window that is over for the gate are not spent in another."""
    moved.world.publish("api", {"op": operation("GET", "/", key_required=True)})
    key = moved.world.subscribe("one", ["api"], quota=Quota(20, "MONTH"))
    moved.agent.allow("one", 20)
    admitted = sum(moved.node.call("GET", "/api", key=key).status == 200 for _ in range(7))
    assert admitted == 7
    moved.jump(jump)
    admitted += sum(moved.node.call("GET", "/api", key=key).status == 200 for _ in range(30))
    moved.jump(0)
    time.sleep(1.1)  # for so long "spent" is believed
    admitted += sum(moved.node.call("GET", "/api", key=key).status == 200 for _ in range(30))
    assert admitted <= 20


def test_calls_are_counted_at_the_time_that_the_clock_said(moved):
    moved.world.publish("api", {"op": operation("GET", "/")})
    for jump in (0, DAY, -DAY, 0):
        moved.jump(jump)
        assert moved.node.call("GET", "/api").status == 200

    def lines() -> list[dict[str, str]]:
        return [line for line in moved.node.usage() if line["stage"] == "api"]

    wait_until(lambda: len(lines()) == 4, seconds=3, what="the fourth line")
    assert [round((float(line["msec"]) - time.time()) / DAY) for line in lines()] == [0, 1, -1, 0]
    assert all(0 <= float(line["request_time"]) < 5 for line in lines())
