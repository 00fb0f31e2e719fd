"""What pages and other rooms ask about nodes."""

from typing import NamedTuple

from django.db.models import QuerySet

from apis.models import Stage
from nodes.models import Node


class Live(NamedTuple):
    """"Live on `live` of `up`" nodes."""

    live: int
    up: int


def nodes_up() -> QuerySet[Node]:
    """Return the enabled nodes that were seen within the last 15 seconds."""
    raise NotImplementedError


def live_on(generation: int) -> Live:
    """Say how many of the nodes that are up run this generation or a newer one."""
    raise NotImplementedError


def stage_live(stage: Stage) -> Live:
    """Say on how many of the nodes that are up the stage's newest entry is live."""
    raise NotImplementedError


def stage_problem(stage: Stage) -> str:
    """Return why the stage's newest state could not be made into an entry; '' = it could."""
    raise NotImplementedError
