"""Nodes for tests."""

from itertools import count
from typing import Any

from django.utils.timezone import now

from accounts.secret_text import hash_of, new_secret, prefix_of
from nodes.models import Node

_numbers = count(1)


def make_node(**fields: Any) -> tuple[Node, str]:
    """A node that was seen just now, and its token."""
    token = new_secret("ghn")
    stored = {"token_prefix": prefix_of(token), "token_hash": hash_of(token)}
    defaults = {"name": f"node-{next(_numbers)}", "last_seen_at": now()}
    return Node.objects.create(**(defaults | stored | fields)), token


def signed_in(token: str) -> dict[str, str]:
    """The header of a node's call."""
    return {"Authorization": f"Bearer {token}"}
