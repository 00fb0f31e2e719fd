"""Two nodes divide one throttle, in virtual time: the buckets, the agents' looks, the posts and their delays."""

from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from gateway.agent.demand import Limit
from gateway.agent.shares import EAGER_SECONDS
from nodes.sharing import Division, Said, settle

RATE, BURST, SECONDS = 100.0, 50.0, 30
STEP = 0.001  # seconds
LOOK, POST, IDLE_POST, TRAVEL = 0.1, 0.2, 0.5, 0.03
DEFAULTS = {"a": 0.5, "b": 0.5}


@dataclass
class SimulatedNode:
    """A bucket as the gate has it, and an agent that looks at it and posts."""

    name: str
    next_look: float
    next_post: float
    share: float = 0.5
    tokens: float = BURST / 2
    taken: int = 0
    refused: int = 0
    owed: float = 0.0  # calls that arrive, as a fraction
    limit: Limit | None = None
    eager_until: float = 0.0
    arrives: list[tuple[float, float, float]] = field(default_factory=list)  # when, share, tokens

    def call(self, rate: float) -> None:
        self.tokens = min(max(1.0, BURST * self.share), self.tokens + RATE * self.share * STEP)
        self.owed += rate * STEP
        while self.owed >= 1:
            self.owed -= 1
            if self.tokens >= 1:
                self.tokens -= 1
                self.taken += 1
            else:
                self.refused += 1

    def look(self, now: float) -> None:
        if self.refused and self.limit is None:
            self.limit = Limit(rate=RATE, burst=BURST)
        if self.limit is not None:
            if self.limit.observe(taken=self.taken, refused=self.refused, seconds=LOOK, now=now):
                self.eager_until = now + EAGER_SECONDS
            if now <= self.eager_until:
                self.next_post = now
        self.refused = 0

    def obey(self, now: float) -> None:
        while self.arrives and self.arrives[0][0] <= now:
            _, share, add = self.arrives.pop(0)
            room = max(1.0, BURST * share)
            freed = max(0.0, self.tokens + add - room)
            self.tokens = min(self.tokens + add, room)
            if self.limit is None:
                self.limit = Limit(rate=RATE, burst=BURST)
            self.limit.freed += freed
            if share < self.share:
                self.next_post = now
            self.share = self.limit.share = share


def run(demand: Callable[[str, float], float]) -> dict[str, int]:
    """Return the calls admitted by node; demand(node, second) in calls a second."""
    nodes = [SimulatedNode("a", 0.0, 0.0), SimulatedNode("b", 0.07, 0.13)]
    division = Division()
    for tick in range(int(SECONDS / STEP)):
        now = tick * STEP
        for node in nodes:
            node.obey(now)
            node.call(demand(node.name, now))
            if now >= node.next_look:
                node.look(now)
                node.next_look = now + LOOK
            if now >= node.next_post and not node.arrives:
                post(division, node, now)
    return {node.name: node.taken for node in nodes}


def post(division: Division, node: SimulatedNode, now: float) -> None:
    node.next_post = now + (IDLE_POST if node.limit is None else POST)
    if node.limit is None:
        if division.is_cold(now + 100):
            return
        said = Said(node.share, node.share)
    else:
        wish = node.limit.wish(default=0.5, now=now)
        if wish["hungry"]:
            division.hungry_at = now + 100
        said = Said(float(wish["share"]), float(wish["demand"]), float(wish["freed"]))
    portion = settle(division, node.name, said, defaults=DEFAULTS, now=now + 100)
    node.arrives.append((now + TRAVEL, portion.share, portion.add))


def swapping(every: float) -> Callable[[str, float], float]:
    return lambda node, now: 2 * RATE if (int(now / every) % 2 == 0) == (node == "a") else 0.0


CASES = {
    "both": lambda node, now: 2 * RATE,
    "one": lambda node, now: 2 * RATE if node == "a" else 0.0,
    "one little": lambda node, now: 2 * RATE if node == "a" else 0.2 * RATE,
    "a little over": lambda node, now: 0.7 * RATE if node == "a" else 0.4 * RATE,
    "swapping every 10 s": swapping(10),
    "swapping every 5 s": swapping(5),
    "swapping every 2 s": swapping(2),
}


@pytest.mark.parametrize("case", CASES)
def test_two_nodes_together_admit_the_limit(case):
    admitted = sum(run(CASES[case]).values())
    assert RATE * SECONDS * 0.95 <= admitted <= RATE * SECONDS + BURST + 2, case


def test_a_node_below_its_part_loses_nothing_to_a_hungry_one():
    assert run(CASES["one little"])["b"] >= 0.2 * RATE * SECONDS * 0.98


def test_two_hungry_nodes_get_equal_parts_whatever_they_ask_for():
    admitted = run(lambda node, now: (10 if node == "a" else 2) * RATE)
    assert abs(admitted["a"] - admitted["b"]) < 0.1 * RATE * SECONDS
