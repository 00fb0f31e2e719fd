"""How the nodes of an installation divide one throttle. Pure: no clock, no database.

A share is a part of a limit's rate and burst, 0 to 1. The shares that living nodes may be using never add up to
more than 1: a node gets more only from what nobody holds, and what a node gives up is free once it has said that
it works with less. The tokens that it had to let go move with the share (`pot`), so that nothing is lost when
demand moves, and nothing is made.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

# kept for nodes without demand, all together, so that they can start at once
FLOOR = 0.02
# seconds after the last refusal until a limit's division follows no demand any more
COLD_AFTER = 15.0
_SAME = 1e-9


@dataclass(slots=True)
class Hold:
    """What one node has of a limit: the most it may be using, and what it would use, both of the limit."""

    share: float
    demand: float = 0.0


@dataclass(slots=True)
class Division:
    """How one limit is divided. `pot` are tokens (calls) given up and not given out again.

    `hungry_at` is when a node last refused a call by this limit, Unix seconds.
    """

    holds: dict[str, Hold] = field(default_factory=dict)
    pot: float = 0.0
    hungry_at: float = 0.0

    def is_cold(self, now: float) -> bool:
        """Whether no node was short for a while."""
        return now - self.hungry_at > COLD_AFTER

    def to_json(self) -> dict[str, Any]:
        """Return the holds as JSON: node -> {"share", "demand"}."""
        return {node: asdict(hold) for node, hold in self.holds.items()}


@dataclass(frozen=True, slots=True)
class Said:
    """What a node says of a limit: the share it works with, its demand (1 = all of the limit), tokens freed."""

    share: float
    demand: float
    freed: float = 0.0


@dataclass(frozen=True, slots=True)
class Portion:
    """What a node shall work with from now on; `add` tokens come with it."""

    share: float
    add: float = 0.0


def divide(demands: Mapping[str, float]) -> dict[str, float]:
    """Return each node's share: what it asks for, else an equal part of what those below it leave (max-min).

    What nobody asks for is divided equally. The shares add up to 1, and none is below FLOOR / nodes.
    """
    floor = FLOOR / len(demands)
    left = 1.0 - FLOOR
    shares = dict.fromkeys(demands, floor)
    waiting = len(demands)
    for node, demand in sorted(demands.items(), key=lambda item: item[1]):
        taken = min(max(0.0, demand - floor), left / waiting)
        shares[node] += taken
        left -= taken
        waiting -= 1
    return {node: share + max(0.0, left) / len(demands) for node, share in shares.items()}


def settle(
    division: Division, node: str, said: Said, *, defaults: Mapping[str, float], now: float
) -> Portion:
    """Take a node's word into the division and return its portion.

    `defaults` are the living nodes, each with the share it uses where it was told none; `node` is one of them.
    """
    others = sum(_bound(division, each, default) for each, default in defaults.items() if each != node)
    held = min(1.0, max(0.0, said.share))
    division.holds[node] = Hold(held, max(0.0, said.demand))
    division.pot += max(0.0, said.freed)
    target = _target(division, node, defaults, now)
    if target <= held:
        return Portion(target)  # it may use what it held until it says that it does not
    free = max(0.0, 1.0 - others - held)
    more = min(target - held, free)
    if more <= _SAME:
        return Portion(held)
    add = division.pot * more / free
    division.pot -= add
    division.holds[node].share = held + more
    return Portion(held + more, add)


def _bound(division: Division, node: str, default: float) -> float:
    hold = division.holds.get(node)
    return default if hold is None else hold.share


def _target(division: Division, node: str, defaults: Mapping[str, float], now: float) -> float:
    if division.is_cold(now):
        return defaults[node]
    demands = {each: division.holds[each].demand if each in division.holds else 0.0 for each in defaults}
    return divide(demands)[node]
