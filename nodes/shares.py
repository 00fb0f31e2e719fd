"""Which part of each throttle every node may use: nodes say what they need, and are told their shares.

The row ALL holds the shares of limits that are not divided by demand: an equal part for each living node. A limit
gets a row of its own when a node refuses calls by it, and loses it some time after the last refusal. Every post
locks the row ALL, so posts come one after the other; they are short.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils.timezone import now

from nodes.models import Node, ThrottleShare
from nodes.sharing import COLD_AFTER, Division, Hold, Portion, Said, settle

ALL = "*"
# a node that said nothing for so long counts as gone; its shares are given to the others (seconds)
ALIVE = 4.0
# how often a node should post while it has nothing to tell (seconds), longer where there are many nodes
INTERVAL, INTERVAL_PER_NODE = 0.5, 0.02
ALONE_INTERVAL = 1.0
# limits that one post may name; what is beyond keeps the equal parts
MOST_LIMITS = 200


@dataclass(frozen=True, slots=True)
class Wish:
    """What a node says of one limit. `rate` (calls/s) and `burst` are the whole limit's.

    `share` and `demand` are parts of the limit, `freed` are tokens; `hungry` = it refused calls by it just now.
    """

    share: float
    demand: float
    freed: float
    hungry: bool
    rate: float
    burst: float


@dataclass(frozen=True, slots=True)
class Given:
    """A node's portion of one limit; None = back to the equal part. `add` are tokens that come with it."""

    share: float | None
    add: float
    rate: float
    burst: float


@dataclass(frozen=True, slots=True)
class Answer:
    """What the node shall work with. `interval` is when to post again at the latest, in seconds."""

    default: float
    interval: float
    limits: dict[str, Given]


@transaction.atomic
def post(
    *, node: Node, sequence: int, default: float | None, wishes: dict[str, Wish], at: float | None = None
) -> Answer | None:
    """Take a node's word and return its shares; None = a newer post of this node came before.

    `default` is the equal part that the node works with (None = it just started). Limits that the node holds a
    share of and does not name have gone back to that equal part. `at` is Unix seconds.
    """
    at = now().timestamp() if at is None else at
    everything = _locked_everything()
    former = everything.nodes.get(node.pk)
    if former and at - former["at"] <= ALIVE and sequence <= former["sequence"]:
        return None
    portion, living = _equal_part(everything, node.pk, sequence, default, at)
    everything.save()
    limits: dict[str, Given] = {}
    if len(living) > 1 or wishes:
        limits = _limits(node.pk, wishes, living, at)
    else:  # alone, and no share of a limit is left: nobody divides anything
        ThrottleShare.objects.exclude(name=ALL).delete()
    interval = ALONE_INTERVAL if len(living) == 1 else max(INTERVAL, INTERVAL_PER_NODE * len(living))
    return Answer(portion.share, interval, limits)


def _locked_everything() -> ThrottleShare:
    locked = ThrottleShare.objects.select_for_update()
    row = locked.filter(name=ALL).first()
    if row is None:  # the first post ever, or the first after a crash of PostgreSQL emptied the table
        ThrottleShare.objects.bulk_create([ThrottleShare(name=ALL)], ignore_conflicts=True)
        row = locked.get(name=ALL)
    return row


def _equal_part(
    row: ThrottleShare, node: str, sequence: int, default: float | None, at: float
) -> tuple[Portion, dict[str, float]]:
    """Renew the node's membership. Returns its equal part, and every living node's."""
    row.nodes = {name: said for name, said in row.nodes.items() if at - said["at"] <= ALIVE}
    row.nodes[node] = {"sequence": sequence, "at": at, "share": default or 0.0}
    division = Division({name: Hold(said["share"], 1.0) for name, said in row.nodes.items()}, hungry_at=at)
    said = Said(default or 0.0, 1.0)
    portion = settle(division, node, said, defaults=dict.fromkeys(row.nodes, 0.0), now=at)
    row.nodes[node]["share"] = division.holds[node].share
    return portion, {name: said["share"] for name, said in row.nodes.items()}


def _limits(node: str, wishes: dict[str, Wish], living: dict[str, float], at: float) -> dict[str, Given]:
    concerned = Q(name__in=wishes) | Q(nodes__has_key=node) | Q(hungry_at__gte=at - COLD_AFTER)
    rows = {row.name: row for row in ThrottleShare.objects.filter(concerned).exclude(name=ALL)}
    for name, wish in wishes.items():
        if name not in rows and (wish.hungry or wish.share != living[node]):
            rows[name] = ThrottleShare(name=name)
    given: dict[str, Given] = {}
    mine = [row for row in rows.values() if row.name in wishes or node in row.nodes]
    invited = [row for row in rows.values() if row.name not in wishes and node not in row.nodes]
    for row in mine + invited[: max(0, MOST_LIMITS - len(mine))]:
        given |= _limit(row, node, wishes.get(row.name), living, at)
    _keep(rows.values())
    return given


def _limit(
    row: ThrottleShare, node: str, wish: Wish | None, living: dict[str, float], at: float
) -> dict[str, Given]:
    """Settle one limit; returns the node's portion, or nothing where it has none of its own."""
    division = _division(row, living)
    if wish is None:
        division.holds.pop(node, None)  # it went back to the equal part, or never left it
        if division.is_cold(at) or not division.holds:
            row.nodes = division.to_json()
            return {}
        said = Said(living[node], living[node])  # nobody has asked it yet
    else:
        if wish.hungry:  # its nginx has just told what the limit is
            row.rate, row.burst = wish.rate, wish.burst
            division.hungry_at = at
        said = Said(wish.share, wish.demand, wish.freed)
    portion = settle(division, node, said, defaults=living, now=at)
    row.nodes, row.pot, row.hungry_at = division.to_json(), division.pot, division.hungry_at
    back = division.is_cold(at) and abs(portion.share - living[node]) < 1e-6
    return {row.name: Given(None if back else portion.share, portion.add, row.rate, row.burst)}


def _division(row: ThrottleShare, living: dict[str, float]) -> Division:
    holds = {name: Hold(hold["share"], hold["demand"]) for name, hold in row.nodes.items() if name in living}
    return Division(holds, row.pot, row.hungry_at)


def _keep(rows: Iterable[ThrottleShare]) -> None:
    """Write rows of limits that somebody has a share of; delete the others."""
    rows = list(rows)
    used: list[Any] = [row for row in rows if row.nodes]
    if used:
        ThrottleShare.objects.bulk_create(
            used,
            update_conflicts=True,
            unique_fields=["name"],
            update_fields=["nodes", "rate", "burst", "pot", "hungry_at"],
        )
    gone = [row.name for row in rows if not row.nodes]
    if gone:
        ThrottleShare.objects.filter(name__in=gone).delete()
