"""Quota leases: slices of a window, given out so that their sum never exceeds the plan's limit."""

from dataclasses import dataclass
from datetime import datetime

from nodes.models import Node


@dataclass(frozen=True, slots=True)
class Grant:
    """`granted` units to spend from `starts_at` until `ends_at` (Unix seconds); 0 = the window is spent.

    `limit` is the plan's, `left` what is not given out yet, `slice` the size of the next slice.
    """

    granted: int
    starts_at: int
    ends_at: int
    limit: int
    left: int
    slice: int


def lease(
    *,
    node: Node,
    subscription_id: str,
    want: int,
    offline_spent: int = 0,
    request: str = "",
    at: datetime | None = None,
) -> Grant | None:
    """Give a node a slice of a subscription's quota; None = no such subscription, or no quota."""
    raise NotImplementedError


def give_back(*, node: Node, subscription_id: str, starts_at: int, units: int) -> int:
    """Take unspent units back into a window; returns how many were taken (never more than it held)."""
    raise NotImplementedError
