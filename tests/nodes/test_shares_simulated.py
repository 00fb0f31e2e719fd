"""Nodes divide one throttle, in virtual time: the buckets, the agents' looks, the posts and their delays."""

from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from gateway.agent.demand import Limit
from gateway.agent.shares import EAGER_SECONDS
from nodes.sharing import Division, Said, settle

RATE, BURST, SECONDS = 100.0, 50.0, 30
STEP = 0.001  # seconds
LOOK, POST, IDLE_POST, TRAVEL = 0.1, 0.2, 0.5, 0.03


@dataclass
class SimulatedNode:
    """A bucket as the gate has it, and an agent that looks at it and posts."""

    name: str
    next_look: float
    next_post: float
    share: float
    tokens: float
    rate: float = RATE
    burst: float = BURST
    taken: int = 0
    refused: int = 0
    owed: float = 0.0  # calls that arrive, as a fraction
    polite: list[float] = field(default_factory=list)  # when each polite caller calls next
    limit: Limit | None = None
    eager_until: float = 0.0
    arrives: list[tuple[float, float, float]] = field(default_factory=list)  # when, share, tokens

    def call(self, rate: float) -> None:
        self.tokens = min(max(1.0, self.burst * self.share), self.tokens + self.rate * self.share * STEP)
        self.owed += rate * STEP
        while self.owed >= 1:
            self.owed -= 1
            self.take()

    def take(self) -> bool:
        admitted = self.tokens >= 1
        self.tokens -= admitted
        self.taken += admitted
        self.refused += not admitted
        return admitted

    def call_politely(self, now: float) -> None:
        """Callers that call five times a second, and wait for a second when they are refused."""
        for number, due in enumerate(self.polite):
            if due <= now:
                self.polite[number] = now + (0.2 if self.take() else 1.0)

    def look(self, now: float) -> None:
        if self.refused and self.limit is None:
            self.limit = Limit(rate=self.rate, burst=self.burst)
        if self.limit is not None:
            if self.limit.observe(taken=self.taken, refused=self.refused, seconds=LOOK, now=now):
                self.eager_until = now + EAGER_SECONDS
            if now <= self.eager_until:
                self.next_post = now
        self.refused = 0

    def obey(self, now: float) -> None:
        while self.arrives and self.arrives[0][0] <= now:
            _, share, add = self.arrives.pop(0)
            room = max(1.0, self.burst * share)
            freed = max(0.0, self.tokens + add - room)
            self.tokens = min(self.tokens + add, room)
            if self.limit is None:
                self.limit = Limit(rate=self.rate, burst=self.burst)
            self.limit.freed += freed
            if share < self.share:
                self.next_post = now
            self.share = self.limit.share = share


def run(
    demand: Callable[[str, float], float],
    *,
    polite: int = 0,
    names: str = "ab",
    rate: float = RATE,
    burst: float = BURST,
) -> dict[str, int]:
    """Return the calls admitted by node; demand(node, second) in calls a second, and polite callers on node a."""
    part = 1 / len(names)
    nodes = [
        SimulatedNode(name, 0.07 * place, 0.13 * place, part, max(1.0, burst * part), rate, burst)
        for place, name in enumerate(names)
    ]
    defaults = dict.fromkeys(names, part)
    nodes[0].polite = [number / 100 for number in range(polite)]
    division = Division()
    for tick in range(int(SECONDS / STEP)):
        now = tick * STEP
        for node in nodes:
            node.obey(now)
            node.call(demand(node.name, now))
            node.call_politely(now)
            if now >= node.next_look:
                node.look(now)
                node.next_look = now + LOOK
            if now >= node.next_post and not node.arrives:
                post(division, node, now, defaults)
    return {node.name: node.taken for node in nodes}


def post(division: Division, node: SimulatedNode, now: float, defaults: dict[str, float]) -> None:
    node.next_post = now + (IDLE_POST if node.limit is None else POST)
    if node.limit is None:
        if division.is_cold(now + 100):
            return
        said = Said(node.share, node.share)
    else:
        wish = node.limit.wish(default=defaults[node.name], now=now)
        if wish["hungry"]:
            division.hungry_at = now + 100
        said = Said(float(wish["share"]), float(wish["demand"]), float(wish["freed"]))
    portion = settle(division, node.name, said, defaults=defaults, now=now + 100)
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


def test_callers_that_wait_when_refused_are_not_pushed_aside_by_those_that_do_not():
    admitted = run(lambda node, now: 0.0 if node == "a" else 10 * RATE, polite=60)
    assert RATE * SECONDS * 0.95 <= sum(admitted.values()) <= RATE * SECONDS + BURST + 2
    assert admitted["a"] >= 0.45 * RATE * SECONDS


def test_polite_callers_alone_get_the_whole_limit():
    assert run(lambda node, now: 0.0, polite=60)["a"] >= 0.95 * RATE * SECONDS


@pytest.mark.parametrize("callers", ["a", "abcde"])
def test_three_calls_a_second_on_five_nodes(callers):
    """Single calls get through on each node, and all of the limit where the callers are."""
    admitted = run(lambda node, now: 6.0 if node in callers else 0.0, names="abcde", rate=3, burst=3)
    assert 3 * SECONDS * 0.95 <= sum(admitted.values()) <= 3 * SECONDS + 3 + 5
    assert all(admitted[node] > 0 for node in callers)


def test_a_single_call_on_a_quiet_node_gets_through_while_others_take_all():
    once = run(lambda node, now: 200.0 if node != "e" else 1.0 if 20 <= now < 21 else 0.0, names="abcde")
    assert once["e"] >= 1
