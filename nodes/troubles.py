"""What is wrong with a node, and what to do about it: read from its last report. Pure but for `states`."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db.models import OuterRef, Subquery
from django.template.defaultfilters import filesizeformat

from nodes.models import Entry, Node
from nodes.queries import SEEN_WITHIN

# a change reaches a node within a second; one that takes longer than this is stuck
LAG = timedelta(seconds=10)
LITTLE_MEMORY = 0.1
MANY_BATCHES = 5
CLOCK_OFF = timedelta(seconds=5)

# how a problem's name begins -> what to do; the longest that fits counts
_ADVICE = {
    "address": "Check the host of that backend, and the DNS servers of the node's machine.",
    "agent": "Restart the agent. If it comes back, its log tells what failed.",
    "bad entry": "Deploy that stage again, or save the thing it names; the node keeps what it had before.",
    "control plane": "Check that the node's machine reaches the portal. It serves on, and counts wait on its disk.",
    "disk": "Free disk space in the node's folder now: without it calls are refused.",
    "drift": "It heals itself within minutes. If it stays, restart the agent.",
    "empty snapshot": "The control plane has no entries: run manage.py rebuild_entries.",
    "error log": "Rotate nginx's error log by hand.",
    "memory": "Raise GATEHOUSE_ENTRIES_MEMORY on that machine and restart nginx.",
    "nginx": "Start nginx on that machine: python -m gateway.nginx.",
    "refused entry": "Upgrade the node: it does not understand what a newer control plane wrote.",
    "rejected batches": "Find out why in the agent's log, then send the files of spool/rejected again.",
    "usage log": "Look into the agent's log: what it could not read is not counted.",
}


@dataclass(frozen=True, slots=True)
class Trouble:
    """What is wrong, and what to do."""

    text: str
    advice: str


@dataclass(slots=True)
class State:
    """A node as it is at a moment. Loads are None where it did not say.

    `state`: up, down, disabled or new. `lag` = changes that it does not run yet.
    """

    node: Node
    state: str
    lag: int
    calls: float | None
    connections: int | None
    memory_free: int | None
    memory: int | None
    troubles: list[Trouble] = field(default_factory=list)


def states(*, newest: int, at: datetime) -> list[State]:
    """Every node by name. One query; `newest` is the newest generation there is."""
    missed = Entry.objects.filter(generation__gt=OuterRef("generation")).order_by("generation")
    nodes = Node.objects.annotate(missed_at=Subquery(missed.values("written_at")[:1]))
    found = [_state(node, newest, at) for node in nodes]
    versions = {each.node.version for each in found if each.state == "up"}
    for each in found:
        if each.state == "up" and len(versions) > 1:
            each.troubles.append(
                Trouble(
                    f"Nodes run different versions; this one {each.node.version or 'does not say'}.",
                    "Upgrade the older ones before you use what is new.",
                )
            )
    return found


def advice_for(problem: str) -> str:
    """Return what to do about a problem that a node names, such as `bad entry stage abc`."""
    fits = [name for name in _ADVICE if problem.startswith(name)]
    return _ADVICE[max(fits, key=len)] if fits else "Look into the agent's log on that machine."


def _state(node: Any, newest: int, at: datetime) -> State:
    nginx = node.status.get("nginx")
    nginx = nginx if isinstance(nginx, dict) else {}
    found = State(
        node=node,
        state=_word(node, at),
        lag=max(0, newest - node.generation),
        calls=_number(node.status.get("calls_per_second")),
        connections=_whole(nginx.get("connections")),
        memory_free=_whole(nginx.get("free_bytes")),
        memory=_whole(nginx.get("capacity_bytes")),
    )
    if found.state == "up":
        found.troubles = [*_reported(node), *_lagging(found, at), *_filling(found), *_counting(node, at)]
    elif found.state != "disabled":
        found.troubles = [_silent(found, at)]
    return found


def _word(node: Node, at: datetime) -> str:
    if not node.enabled:
        return "disabled"
    if node.last_seen_at is None:
        return "new"
    return "up" if node.last_seen_at >= at - SEEN_WITHIN else "down"


def _silent(found: State, at: datetime) -> Trouble:
    if found.state == "new":
        return Trouble(
            "It has never reported.",
            "Start nginx and the agent on its machine, with its token (docs/operations.md, Run a node).",
        )
    seen = found.node.last_seen_at
    assert seen is not None
    return Trouble(
        f"Silent since {seen:%Y-%m-%d %H:%M:%S} UTC.",
        "Check that its agent runs and that its machine reaches the portal. If nginx runs, it serves on from what "
        "it has, and its counts wait on its disk.",
    )


def _reported(node: Node) -> list[Trouble]:
    problems = node.status.get("problems")
    return [
        Trouble(f"{each.get('name', '')}: {each.get('text', '')}", advice_for(str(each.get("name", ""))))
        for each in (problems if isinstance(problems, list) else [])
        if isinstance(each, dict)
    ]


def _lagging(found: State, at: datetime) -> list[Trouble]:
    missed: datetime | None = found.node.missed_at  # type: ignore[attr-defined]
    if not found.lag or missed is None or missed > at - LAG:
        return []
    return [
        Trouble(
            f"{found.lag} change{'' if found.lag == 1 else 's'} behind, for {(at - missed).seconds:,} s."
            if (at - missed) < timedelta(days=1)
            else f"{found.lag} changes behind, since {missed:%Y-%m-%d}.",
            "See its other problems first: an entry that it cannot take holds its generation back. Else restart its "
            "agent.",
        )
    ]


def _filling(found: State) -> list[Trouble]:
    if not found.memory or found.memory_free is None or found.memory_free >= LITTLE_MEMORY * found.memory:
        return []
    left = f"{filesizeformat(found.memory_free)} of {filesizeformat(found.memory)}"
    return [Trouble(f"Memory for entries is nearly full: {left} left.", _ADVICE["memory"])]


def _counting(node: Node, at: datetime) -> list[Trouble]:
    found = []
    batches = _whole(node.status.get("spool_batches")) or 0
    if batches > MANY_BATCHES:
        found.append(
            Trouble(
                f"{batches} usage batches wait on its disk.",
                "They are sent by themselves; if the number grows, look at the portal's log for refused batches.",
            )
        )
    clock, seen = _number(node.status.get("clock")), node.last_seen_at
    if clock and seen and abs(clock - seen.timestamp()) > CLOCK_OFF.total_seconds():
        found.append(
            Trouble(
                f"Its clock is {clock - seen.timestamp():+,.0f} s off.",
                "Let the machine follow a time server: keys' deadlines and quotas go by its clock.",
            )
        )
    return found


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _whole(value: Any) -> int | None:
    number = _number(value)
    return None if number is None else int(number)
