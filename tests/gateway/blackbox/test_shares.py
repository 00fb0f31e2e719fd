"""A node's part of each limit, as the agent sets it through the control socket."""

import json
import time
from typing import Any

import pytest

from gateway.entries import Throttle
from tests.gateway.blackbox.test_throttle import flood
from tests.gateway.world import operation

SLOW = 0.001  # calls a second: no token comes back during a test


def say(gate: Any, **said: Any) -> Any:
    answer = gate.node.control("POST", "/shares", json.dumps(said).encode())
    assert answer.status == 200, answer.body
    return answer.json


def order(name: str, share: float | None, rate: float, burst: int, add: float = 0.0) -> dict[str, Any]:
    return {"name": name, "share": share, "add": add, "rate": rate, "burst": burst}


@pytest.fixture
def divided(gate):
    """A node that knows of another; afterwards it is alone again."""
    say(gate, default=0.5)
    yield gate
    told = say(gate, tell=True)["shares"]
    say(gate, default=1, set=[order(name, None, 0, 0) for name in told])


def publish(gate, name, rate, burst):
    gate.world.publish(name, {"op": operation("GET", "/")}, throttle=Throttle(rate=rate, burst=burst))


def test_a_limit_without_a_share_of_its_own_has_the_equal_part(divided):
    publish(divided, "equal", SLOW, 40)
    assert flood(divided, "/equal", clients=20)[200] == 20


def test_a_limit_follows_its_own_share(divided):
    publish(divided, "own", SLOW, 40)
    say(divided, set=[order("s:own", 0.25, SLOW, 40)])
    assert flood(divided, "/own", clients=20)[200] == 10


def test_a_greater_share_makes_no_tokens_and_those_that_come_with_it_count(divided):
    publish(divided, "grow", SLOW, 40)
    assert flood(divided, "/grow", clients=20)[200] == 20
    say(divided, set=[order("s:grow", 0.9, SLOW, 40)])
    assert flood(divided, "/grow", clients=5)[200] == 0
    say(divided, set=[order("s:grow", 0.95, SLOW, 40, add=7)])
    assert flood(divided, "/grow", clients=5)[200] == 7


def test_a_smaller_share_lets_tokens_go_and_tells_how_many(divided):
    publish(divided, "cut", SLOW, 40)
    for _ in range(4):
        assert divided.node.call("GET", "/cut").status == 200
    freed = say(divided, set=[order("s:cut", 0.25, SLOW, 40)])["freed"]["s:cut"]
    assert freed == pytest.approx(6, abs=0.01)  # 20 - 4, of which 10 stay
    assert flood(divided, "/cut", clients=5)[200] == 10


def test_tokens_that_do_not_fit_are_told_of_too(divided):
    publish(divided, "over", SLOW, 40)
    assert say(divided, set=[order("s:over", 0.5, SLOW, 40, add=9)])["freed"]["s:over"] == pytest.approx(9)


def test_single_calls_get_through_whatever_the_share(divided):
    publish(divided, "low", 3, 3)
    say(divided, set=[order("s:low", 0.002, 3, 3)])
    assert divided.node.call("GET", "/low").status == 200
    assert divided.node.call("GET", "/low").status == 429


def test_a_share_changes_the_rate_too(divided):
    publish(divided, "pace", 100, 60)
    say(divided, set=[order("s:pace", 0.5, 100, 60)])
    started = time.monotonic()
    admitted = 0
    while time.monotonic() - started < 1.5:
        admitted += flood(divided, "/pace", clients=10, calls=1)[200]
        time.sleep(0.01)
    elapsed = time.monotonic() - started
    assert 30 + 45 * elapsed - 2 <= admitted <= 30 + 50 * elapsed + 1


def test_refusals_are_told_once_with_the_whole_limit(divided):
    publish(divided, "told", SLOW, 8)
    say(divided)
    counts = flood(divided, "/told", clients=5)
    told = say(divided)["hungry"]["s:told"]
    assert told == {"refused": counts[429], "rate": SLOW, "burst": 8}
    assert "s:told" not in say(divided)["hungry"]


def test_what_was_taken_is_counted_to_the_call(divided):
    publish(divided, "count", 1, 400)
    flood(divided, "/count", clients=25)
    assert say(divided, watch=["s:count"])["taken"]["s:count"] == 100
    say(divided, set=[order("s:count", 0.9, 1, 400)])
    flood(divided, "/count", clients=5)
    assert say(divided, watch=["s:count"])["taken"]["s:count"] == 120


def test_a_node_that_is_alone_notes_nothing(gate):
    publish(gate, "alone", SLOW, 3)
    assert flood(gate, "/alone", clients=5) == {200: 3, 429: 17}
    assert say(gate)["hungry"] == {}


def test_a_blocked_limit_is_no_wish_for_more(divided):
    publish(divided, "blocked", 0, 0)
    assert divided.node.call("GET", "/blocked").status == 429
    say(divided, set=[order("s:blocked", 0.3, 0, 0)])
    assert divided.node.call("GET", "/blocked").status == 429
    assert "s:blocked" not in say(divided)["hungry"]


def test_the_limit_may_change_while_it_is_divided(divided):
    publish(divided, "edit", SLOW, 40)
    say(divided, set=[order("s:edit", 0.25, SLOW, 40)])
    publish(divided, "edit", SLOW, 80)
    assert flood(divided, "/edit", clients=20)[200] == 20


def test_every_limit_that_refused_is_told_of_and_shares_stay(divided):
    publish(divided, "kept", SLOW, 40)
    say(divided, set=[order("s:kept", 0.25, SLOW, 40)])
    names = {
        f"op-{number}": operation("GET", f"/{number}", throttle=Throttle(SLOW, 1)) for number in range(300)
    }
    divided.world.publish("many", names)
    for number in range(300):
        for _ in range(2):
            divided.node.call("GET", f"/many/{number}")
    hungry = say(divided)["hungry"]
    assert {f"o:many:op-{number}" for number in range(300)} <= set(hungry)
    assert say(divided, tell=True)["shares"]["s:kept"] == 0.25


def test_nonsense_is_refused(gate):
    assert gate.node.control("POST", "/shares", b"nonsense").status == 400
    assert gate.node.control("POST", "/shares", b"7").status == 400
